"""Where masks come from: VOC's folder, Broden's tree, and the embedded images' own."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.types import Box, Sample, View
from benchmark.datasets import broden
from benchmark.datasets.embedded.classes import KINDS
from benchmark.datasets.pixel_labels import write_pixel_labels
from benchmark.tasks.neurons.concepts.broden import BrodenMasks
from benchmark.tasks.neurons.concepts.embedded import EmbeddedConcepts
from benchmark.tasks.neurons.concepts.folder import MaskFolder
from benchmark.tasks.neurons.types import UNLABELLED, VOID, Concept, nearest

NO_BOXES = np.zeros((0, 4), np.int32)


def sample(path: Path, **more: object) -> Sample:
    return Sample(path.stem, path, 0, NO_BOXES, **more)  # type: ignore[arg-type]


def whole(width: int, height: int) -> View:
    return View(width, height, Box(0, 0, width, height))


def test_a_mask_is_sampled_at_the_centres_of_cells_of_the_view() -> None:
    labels = np.arange(24).reshape(4, 6)
    assert nearest(labels, whole(6, 4), 2).tolist() == [[7, 10], [19, 22]]
    assert nearest(labels, View(6, 4, Box(2, 1, 4, 3)), 2).tolist() == [[8, 9], [14, 15]]
    assert nearest(labels[::2, ::2], whole(6, 4), 2).tolist() == [[0, 4], [12, 16]]


@pytest.fixture
def voc(tmp_path: Path) -> MaskFolder:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    write_pixel_labels(tmp_path / "SegmentationClass" / "a.png", np.array([[0, 1], [2, 255]], np.uint8))
    return MaskFolder("voc", str(tmp_path / "names.txt"))


def test_a_folder_of_masks_numbers_names_from_one_and_leaves_255_out(voc: MaskFolder, tmp_path: Path) -> None:
    image = sample(tmp_path / "JPEGImages" / "a.jpg")
    assert voc.concepts == (Concept("object", "cat"), Concept("object", "dog"))
    assert voc.covers(image)
    assert not voc.covers(sample(tmp_path / "JPEGImages" / "b.jpg"))
    (labels,) = voc.masks(image, whole(2, 2), 2)["object"]
    assert labels.tolist() == [[UNLABELLED, 0], [1, VOID]]


@pytest.mark.parametrize(
    ("pixels", "complaint"),
    [(np.zeros((3, 2), np.uint8), "its image has 2 x 2"), (np.full((2, 2), 3, np.uint8), "class 3")],
)
def test_a_mask_that_does_not_fit_is_refused_with_its_file(
    voc: MaskFolder, tmp_path: Path, pixels: np.ndarray[tuple[int, int], np.dtype[np.uint8]], complaint: str
) -> None:
    path = tmp_path / "SegmentationClass" / "a.png"
    write_pixel_labels(path, pixels)
    with pytest.raises(UserError, match=complaint) as refused:
        voc.masks(sample(tmp_path / "JPEGImages" / "a.jpg"), whole(2, 2), 2)
    assert str(refused.value).startswith(f"{path}: ")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two images in Broden's layout: one of two objects, a part and a scene, one of a texture alone."""
    files = {
        "index.csv": "image,split,ih,iw,sh,sw,object,part,scene,texture\n"
        "ade/a.jpg,train,4,4,2,2,ade/a_object.png,ade/a_part_1.png;ade/a_part_2.png,300,\n"
        "dtd/b.jpg,val,4,4,2,2,,,,7\n",
        "category.csv": "name,first,last,count,frequency\nobject,1,9,2,1\npart,1,9,2,1\nscene,1,9,1,1\n"
        "texture,1,9,1,1\n",
        "label.csv": "number,name,category,frequency,coverage,syns\n",
        "c_object.csv": "code,number,name,frequency,coverage\n1,5,wall,1,1.0\n2,258,lamp,1,1.0\n",
        "c_part.csv": "code,number,name,frequency,coverage\n1,5,wall,1,1.0\n2,9,leg,1,1.0\n",
        "c_scene.csv": "code,number,name,frequency,coverage\n1,300,street-s,1,1.0\n",
        "c_texture.csv": "code,number,name,frequency,coverage\n0,0,-,0,0\n1,7,dotted,1,1.0\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for folder in ("ade", "dtd"):
        (tmp_path / "images" / folder).mkdir(parents=True)
    for name in ("ade/a.jpg", "dtd/b.jpg"):
        Image.new("RGB", (4, 4)).save(tmp_path / "images" / name)
    channels = {
        "a_object": [[5, 258], [0, 258]],
        "a_part_1": [[9, 0], [0, 0]],
        "a_part_2": [[5, 9], [0, 0]],
    }
    for name, numbers in channels.items():
        low, high = np.array(numbers) % 256, np.array(numbers) // 256
        pixels = np.stack([low, high, np.zeros_like(low)], -1).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / "ade" / f"{name}.png")
    return tmp_path


def test_broden_is_read_as_its_files_say(tree: Path) -> None:
    data, concepts = broden.load(root=str(tree)), BrodenMasks("broden", str(tree))
    assert [one.image_id for one in data.samples] == ["ade/a", "dtd/b"]
    assert [one.image_id for one in broden.load(root=str(tree), split="val").samples] == ["dtd/b"]
    first, second = (concepts.masks(one, whole(4, 4), 2) for one in data.samples)
    names = [*concepts.concepts, "", ""]  # -1 is nothing

    def words(labels: np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> list[str]:
        return [names[place][-1:][0] if place >= 0 else "" for place in labels.reshape(-1)]

    assert words(first["object"][0]) == ["wall", "lamp", "", "lamp"]
    assert [words(one) for one in first["part"]] == [["leg", "", "", ""], ["wall", "leg", "", ""]]
    assert words(first["scene"][0]) == ["street-s"] * 4
    assert (set(second), words(second["texture"][0])) == ({"texture"}, ["dotted"] * 4)
    assert Concept("object", "wall") != Concept("part", "wall")
    assert {Concept("object", "wall"), Concept("part", "wall")} < set(concepts.concepts)
    objects = BrodenMasks("broden", str(tree), ("object",))
    assert [objects.covers(one) for one in data.samples] == [True, False]


def last_masks(tree: Path) -> None:
    data = broden.load(root=str(tree))
    BrodenMasks("broden", str(tree)).masks(data.samples[-1], whole(4, 4), 2)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("index.csv", "picture\n", "has no column image"),
        ("index.csv", "image,split,texture\ndtd/b.jpg,val,8\n", "holds number 8"),
        ("c_texture.csv", "code,number,name\n1,x,dotted\n", "line 2: x is no number"),
    ],
)
def test_a_damaged_tree_is_refused_with_the_file(tree: Path, name: str, text: str, complaint: str) -> None:
    (tree / name).write_text(text)
    with pytest.raises(UserError, match=complaint) as refused:
        last_masks(tree)
    assert str(tree / name) in str(refused.value)


def test_an_embedded_pixel_has_the_body_texture_and_head_of_its_object_s_class(tmp_path: Path) -> None:
    files = {}
    for kind, pixels in {"classes": [[0, 7], [7, 24]], "parts": [[0, 1], [3, 2]]}.items():
        files[kind] = tmp_path / f"{kind}.png"
        write_pixel_labels(files[kind], np.array(pixels, np.uint8))
    concepts = EmbeddedConcepts()
    image = sample(tmp_path / "a.JPEG", pixel_labels=files)
    assert concepts.covers(image)
    assert not concepts.covers(sample(tmp_path / "a.JPEG"))
    found = concepts.masks(image, whole(2, 2), 2)
    for place, one in {(0, 1): KINDS[6], (1, 1): KINDS[23]}.items():
        texture, body, _, _ = one.name.split()
        assert concepts.concepts[found["body"][0][place]] == Concept("body", body)
        assert concepts.concepts[found["texture"][0][place]] == Concept("texture", texture)
        assert found["head"][0][place] == UNLABELLED
    assert concepts.concepts[found["head"][0][1, 0]] == Concept("head", KINDS[6].name.split()[-1])
    assert all(labels[0][0, 0] == UNLABELLED for labels in found.values())
