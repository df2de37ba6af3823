"""Datasets of questions and captions: what a text is about, ids, and files that are not as they must be."""

from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.masks import labelled, objects_of
from benchmark.core.targets import CAPTION, TextSample
from benchmark.core.types import Objects, Sample
from benchmark.datasets import class_captions, daquar, easy_vqa
from benchmark.datasets.embedded import texts
from benchmark.datasets.embedded.classes import KINDS
from benchmark.datasets.image_set import ImageSet


@dataclass(frozen=True)
class Few:
    """A dataset of the given images."""

    samples: tuple[Sample, ...]
    class_names: tuple[str, ...] = ()
    name: str = "few"
    complete: bool = True
    skipped: tuple[str, ...] = ()


def asked(found: ImageSet) -> list[TextSample]:
    assert all(isinstance(sample, TextSample) for sample in found.samples)
    return [sample for sample in found.samples if isinstance(sample, TextSample)]


def box(*sides: int) -> np.ndarray:
    return np.array([sides], np.int32)


def test_an_embedded_image_has_three_questions_whose_answers_are_its_class_in_words() -> None:
    images = tuple(Sample(f"i{n:02d}", Path(f"i{n}"), n, box(n, 0, n + 5, 9)) for n in range(len(KINDS)))
    found = texts.load(Few(images), "questions", "q")  # type: ignore[arg-type]
    samples = asked(found)
    assert len({sample.image_id for sample in samples}) == 3 * len(KINDS)
    for number, kind in enumerate(KINDS):
        own = samples[3 * number : 3 * number + 3]
        answers = {sample.text: found.classes[sample.label] for sample in own}
        words = [answers[f"which {part}?"] for part in ("texture", "body", "head")]
        assert f"{words[0]} {words[1]} with {words[2]}" == kind.name
        assert all((objects_of(sample).boxes == images[number].boxes).all() for sample in own)
    (caption,) = asked(texts.load(Few(images[:1]), "captions", "c"))  # type: ignore[arg-type]
    assert caption.text == f"a {KINDS[0].name}"
    told = texts.load(Few(images[:1]), "captions", "c", given=False)  # type: ignore[arg-type]
    assert [told.classes[label] for label in labelled(told.samples[0])] == sorted(
        [CAPTION, *caption.text.replace("a ", "", 1).replace(" with", "").split()], key=told.classes.index
    )
    assert asked(told)[0].text == ""
    assert told.fingerprint != texts.load(Few(images[:1]), "captions", "c").fingerprint  # type: ignore[arg-type]


def test_a_caption_of_classes_names_the_largest_first_and_only_what_can_be_recognised() -> None:
    boxes = np.concatenate([box(0, 0, 10, 10), box(20, 0, 50, 40), box(0, 20, 15, 40), box(0, 0, 4, 4)])
    hard = np.array([False, False, False, True])
    objects = Objects(np.array([2, 1, 2, 0], np.int32), boxes, hard)
    images = (Sample("i", Path("i"), 1, boxes[1:2], size=(60, 40), objects=objects),)
    found = class_captions.load(Few(images, ("cat", "dining table", "dog, hound")), "c")  # type: ignore[arg-type]
    (sample,) = asked(found)
    assert sample.text == "a dining_table and a dog"
    assert found.classes == (CAPTION, "cat", "dining_table", "dog")
    held = objects_of(sample)
    assert labelled(sample) == [0, 2, 3]
    assert held.boxes[held.classes == 0].tolist() == boxes[:3].tolist()
    assert held.difficult[held.classes == 1].tolist() == [True]


def rooms(folder: Path) -> Path:
    (folder / "images").mkdir(parents=True)
    for number in (1, 2):
        Image.new("RGB", (8, 8)).save(folder / "images" / f"image{number}.png")
    (folder / "train_images_list.txt").write_text("image2\n")
    (folder / "test_images_list.txt").write_text("image1\n")
    (folder / "all_qa_pairs.txt").write_text(
        "what is left of the table in the image1 ?\nchair\nhow many lamps are there in the image1 ?\n3\n"
        "what is on the desk in this image2 ?\nlamp, book\n"
        "what is on the left side of the image2 ?\nbed\nhow many beds are in image2?\n1\n"
    )
    return folder


def test_daquar_reads_the_questions_of_a_split_and_the_answers_of_both(tmp_path: Path) -> None:
    found = daquar.load(str(rooms(tmp_path)), "test")
    assert [(s.image_id, s.text, found.classes[s.label]) for s in asked(found)] == [
        ("image1_q00000", "what is left of the table", "chair"),
        ("image1_q00001", "how many lamps are there", "3"),
    ]
    assert found.classes == ("1", "3", "bed", "chair", "lamp, book")
    assert not found.complete
    assert [(s.image_id, s.text) for s in asked(daquar.load(str(tmp_path), "train"))] == [
        ("image2_q00002", "what is on the desk"),
        ("image2_q00003", "what is on the left side"),
        ("image2_q00004", "how many beds are"),
    ]


def test_all_of_daquar_is_read(shared: Path) -> None:
    counts = {split: len(daquar.load(str(shared / "daquar"), split).samples) for split in ("train", "test")}
    assert counts == {"train": 6_795, "test": 5_673}


def test_the_options_of_a_dataset_are_those_that_its_reader_takes() -> None:
    for path in (Path(__file__).parents[2] / "conf" / "dataset").glob("*.yaml"):
        content = yaml.safe_load(path.read_text())
        module, _, name = content.get("_target_", "").rpartition(".")
        reader = signature(getattr(import_module(module), name)).parameters if module else {}
        if reader and not any(one.kind is one.VAR_KEYWORD for one in reader.values()):
            assert content.keys() - {"_target_", "defaults"} <= reader.keys(), path.name


def test_a_folder_of_daquar_that_lacks_a_file_is_one_line(tmp_path: Path) -> None:
    folder = rooms(tmp_path / "rooms")
    with pytest.raises(UserError, match=r"dataset.root: not set"):
        daquar.load()
    (folder / "images" / "image1.png").unlink()
    with pytest.raises(UserError, match=r"image1.png: there is no such image \(1 of 1 so\)"):
        daquar.load(str(folder))
    (folder / "all_qa_pairs.txt").write_text("what is it?\nchair\n")
    with pytest.raises(UserError, match=r"all_qa_pairs.txt:1: the question names no image"):
        daquar.load(str(folder))
    (folder / "all_qa_pairs.txt").write_text(
        "what is on the desk in the image2 ?\nlamp\nwhat in the image1 ?\n"
    )
    with pytest.raises(UserError, match=r"all_qa_pairs.txt:3: the last question has no answer"):
        daquar.load(str(folder))
    (folder / "all_qa_pairs.txt").write_text("what is on the desk in the image2 ?\nlamp\n")
    with pytest.raises(UserError, match=r"no question is about an image of test_images_list.txt"):
        daquar.load(str(folder))
    (folder / "all_qa_pairs.txt").write_bytes("what in the image2 ?\nl\xe4mp\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"all_qa_pairs.txt: cannot be read \(it is not text\)"):
        daquar.load(str(folder))
    (folder / "test_images_list.txt").unlink()
    with pytest.raises(UserError, match=r"test_images_list.txt: there is no such file"):
        daquar.load(str(folder))


def test_easy_vqa_has_its_questions_and_a_box_around_each_shape() -> None:
    pytest.importorskip("easy_vqa", reason="the package easy-vqa is not installed")
    found = easy_vqa.load("test")
    assert (len(found.samples), found.complete, len(found.classes)) == (9673, True, 13)
    assert len({sample.image_id for sample in found.samples}) == 9673
    for sample in asked(found)[::1500]:
        assert sample.path is not None
        pixels = np.asarray(Image.open(sample.path).convert("RGB")).astype(int)
        x0, y0, x1, y1 = sample.boxes[0]
        outside = pixels.copy()
        outside[y0:y1, x0:x1] = pixels[0, 0]
        assert np.abs(outside - pixels[0, 0]).max() < 40
        assert np.abs(pixels[y0:y1, x0:x1] - pixels[0, 0]).max() > 60
