"""VOC's segmentation tree, as small as it can be, and what is refused of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.masks import region
from benchmark.datasets.pixel_labels import read_pixel_labels, write_pixel_labels
from benchmark.datasets.voc import load_masks

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools

CAT, DOG = 8, 12  # numbers in a mask: label + 1


def tree(root: Path, year: int = 2012, masks: str = "SegmentationClass") -> Path:
    folder = root / "VOCdevkit" / f"VOC{year}"
    numbers = {"2007_000001": [0, CAT, 255], "2007_000002": [0, 0, 255], "2008_000003": [DOG, CAT, 0]}
    (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    (folder / "JPEGImages").mkdir()
    for image_id, columns in numbers.items():
        name = image_id.removeprefix("2007_") if year == 2007 else image_id
        mask = np.repeat(np.array(columns, np.uint8), 2)[None].repeat(4, axis=0)
        write_pixel_labels(folder / masks / f"{name}.png", mask)
        Image.new("RGB", (6, 4)).save(folder / "JPEGImages" / f"{name}.jpg")
    lists = folder / "ImageSets" / "Segmentation"
    (lists / "train.txt").write_text("2007_000001\n2007_000002\n")
    (lists / "val.txt").write_text("2008_000003\n")
    return folder


@pytest.mark.parametrize("below", ["", "VOCdevkit", "VOCdevkit/VOC2012"])
def test_classes_and_boxes_are_those_of_the_mask_and_void_is_none(tmp_path: Path, below: str) -> None:
    tree(tmp_path)
    train = load_masks(root=str(tmp_path / below), split="train")
    (sample,) = train.samples
    assert train.bare == ("2007_000002",)
    assert sample.objects is not None
    assert sample.objects.classes.tolist() == [CAT - 1]
    assert sample.objects.boxes.tolist() == [[2, 0, 4, 4]]
    expected = read_pixel_labels(sample.pixel_labels["classes"], (6, 4), 20) == CAT
    np.testing.assert_array_equal(region(sample, [CAT - 1], 4, 6), expected)
    val = load_masks(root=str(tmp_path), split="val")
    assert (val.name, val.samples[0].label) == ("voc2012_val", CAT - 1)


def test_a_list_of_one_s_own_goes_first_and_names_voc_2007_s_images_as_2012_does(tmp_path: Path) -> None:
    tree(tmp_path, year=2007)
    (tmp_path / "train_aug.txt").write_text("2007_000001\n2009_000009\n")
    options: dict[str, Any] = {"root": str(tmp_path), "year": 2007, "list": str(tmp_path / "train_aug.txt")}
    found = load_masks(missing="skip", **options)
    assert [sample.image_id for sample in found.samples] == ["000001"]
    assert set(found.skipped) == {"2009_000009"}
    with pytest.raises(UserError, match=r"2009_000009: there is no .*jpg .*missing=skip"):
        load_masks(**options)


def test_the_augmented_masks_go_first_where_they_are(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    for path in (folder / "SegmentationClass").iterdir():
        write_pixel_labels(folder / "SegmentationClassAug" / path.name, np.full((4, 6), DOG, np.uint8))
    assert load_masks(root=str(tmp_path)).samples[0].label == DOG - 1


def test_parts_of_one_order_share_no_image(tmp_path: Path) -> None:
    tree(tmp_path)
    parts = [load_masks(root=str(tmp_path), split=None, limit=1, after=after) for after in (0, 1)]
    assert [part.samples[0].image_id for part in parts] == ["2007_000001", "2008_000003"]
    with pytest.raises(UserError, match=r"dataset\.after=2: leaves none of 2 images"):
        load_masks(root=str(tmp_path), split=None, after=2)


def spoiled(folder: Path, kind: str) -> None:
    path = folder / "SegmentationClass" / "2008_000003.png"
    if kind == "size":
        write_pixel_labels(path, np.full((4, 5), CAT, np.uint8))
    elif kind == "class":
        write_pixel_labels(path, np.full((4, 6), 21, np.uint8))
    elif kind == "colour":
        Image.new("RGB", (6, 4)).save(path)
    else:
        path.write_bytes(b"no PNG")


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("size", r"2008_000003\.png: 5 x 4 pixels, but its image has 6 x 4"),
        ("class", r"2008_000003\.png: class 21 in 24 pixels, but classes end at 20 and void is 255"),
        ("colour", r"2008_000003\.png: has mode RGB"),
        ("bytes", r"2008_000003\.png: cannot be read as PNG"),
    ],
)
def test_a_mask_that_is_none_is_refused_in_one_line(tmp_path: Path, kind: str, line: str) -> None:
    spoiled(tree(tmp_path), kind)
    with pytest.raises(UserError, match=line) as refused:
        load_masks(root=str(tmp_path), split="val")
    assert "\n" not in str(refused.value)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    tree(tmp_path)
    with pytest.raises(
        UserError, match=r"dataset\.split=trainval: there is no .* \(lists there: train, val\)"
    ):
        load_masks(root=str(tmp_path), split="trainval")
    with pytest.raises(UserError, match="no folder SegmentationClass in it"):
        load_masks(root=str(tmp_path), year=2011)
    with pytest.raises(UserError, match="BENCHMARK_VOC"):
        load_masks()
