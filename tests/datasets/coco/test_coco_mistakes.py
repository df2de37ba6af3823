"""What is wrong with a COCO tree or an option is told in one line, with file or option and the remedy."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import coco_trees as trees
from helpers.coco_trees import image_id

from benchmark.core.errors import UserError
from benchmark.datasets.coco import load

CAT, CROWD, PACKED = 2, 1, 4  # places in the json's annotations


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return trees.make(tmp_path / "coco")


def told(**options: object) -> str:
    with pytest.raises(UserError) as caught:
        load(**options)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    return text


def told_of(tree: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """What is told once the json is changed; its name is."""
    content = trees.content()
    change(content)
    trees.json_of(tree).write_text(json.dumps(content))
    text = told(root=str(tree))
    assert str(trees.json_of(tree)) in text
    return text


def test_no_root_a_wrong_root_and_a_root_without_annotations(tmp_path: Path) -> None:
    text = told(root=None)
    assert "dataset.root is not set" in text
    assert "$BENCHMARK_COCO" in text
    assert "there is nothing at that path" in told(root=str(tmp_path / "no"))
    text = told(root=str(tmp_path))
    assert f"dataset.root={tmp_path}: no annotations/instances_val2014.json" in text
    assert "dataset.instances=" in text


def test_images_alone_or_the_json_alone_are_not_enough(tree: Path) -> None:
    assert "dataset.root is not set" in told(images=str(tree / "val2014"))
    assert "dataset.root is not set" in told(instances=str(trees.json_of(tree)))
    assert f"dataset.instances={tree}: not a file" in told(root=str(tree), instances=str(tree))
    text = told(root=str(tree), images=str(trees.json_of(tree)))
    assert f"dataset.images={trees.json_of(tree)}: not a folder" in text


def test_a_misspelt_split_is_told_the_splits_that_are_there(tree: Path) -> None:
    trees.make(tree, split="minival")
    (tree / "annotations/captions_val2014.json").touch()
    text = told(root=str(tree), split="val2041")
    assert "dataset.split=val2041" in text
    assert text.endswith("it has minival, val2014")


def test_a_missing_folder_of_images_is_named_with_the_places_looked_at(tree: Path) -> None:
    (tree / "val2014").rename(tree / "elsewhere")
    text = told(root=str(tree))
    assert f"dataset.root={tree}: no folder val2014 or images/val2014" in text
    assert "dataset.images=" in text


@pytest.mark.parametrize(
    ("option", "value"),
    [("crowd", "maybe"), ("missing", "no"), ("order", "random"), ("limit", 0), ("list", "no.txt")],
)
def test_a_choice_that_is_none_is_named(tree: Path, option: str, value: object) -> None:
    assert f"dataset.{option}={value}" in told(root=str(tree), **{option: value})


def test_a_missing_image_is_named_or_skipped_and_counted(tree: Path) -> None:
    lost = tree / "val2014" / f"{image_id(73)}.jpg"
    lost.unlink()
    text = told(root=str(tree))
    assert f"there is no {lost}" in text
    assert "1 of 3" in text
    assert "dataset.missing=skip" in text
    dataset = load(root=str(tree), missing="skip")
    assert [sample.image_id for sample in dataset.samples] == [image_id(42), image_id(139)]
    assert dict(dataset.skipped) == {image_id(73): f"there is no {lost}"}
    assert (dataset.conditions["skipped"], dataset.conditions["images"]) == (1, 2)


@pytest.mark.parametrize("missing", ["error", "skip"])
def test_an_empty_folder_of_images_is_refused(tree: Path, missing: str) -> None:
    (tree / "val2014").rename(tree / "elsewhere")
    (tree / "val2014").mkdir()
    text = told(root=str(tree), missing=missing)
    assert "3 of 3" in text
    assert "unpack the split's images" in text
    assert "missing=skip" not in text


def test_a_list_with_an_image_of_another_split_is_refused(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{image_id(42)}\nCOCO_train2014_000000000009\n")
    text = told(root=str(tree), list=str(tmp_path / "list.txt"))
    assert "COCO_train2014_000000000009 of dataset.list" in text
    assert str(trees.json_of(tree)) in text


@pytest.mark.parametrize("crowd", ["keep", "drop"])
def test_a_choice_of_images_without_an_object_is_told_what_to_change(
    tree: Path, tmp_path: Path, crowd: str
) -> None:
    bare = [image_id(100)] if crowd == "keep" else [image_id(100), image_id(139)]
    (tmp_path / "list.txt").write_text("".join(f"{each}\n" for each in bare))
    text = told(root=str(tree), list=str(tmp_path / "list.txt"), crowd=crowd)
    assert str(trees.json_of(tree)) in text
    assert "dataset.list" in text
    assert ("dataset.crowd=keep" in text) == (crowd == "drop")


@pytest.mark.parametrize("content", [b"", b'{"images": [', b"\xff\xfe\xfa", b"PK\3\4"])
def test_a_broken_json_is_named(tree: Path, content: bytes) -> None:
    trees.json_of(tree).write_bytes(content)
    text = told(root=str(tree))
    assert f"{trees.json_of(tree)}: not a whole json file" in text
    assert "fetch it anew" in text


@pytest.mark.parametrize("content", ["[]", "7", '{"images": 3}', '{"annotations": [1]}'])
def test_a_json_of_something_else_is_named(tree: Path, content: str) -> None:
    trees.json_of(tree).write_text(content)
    text = told(root=str(tree))
    assert f"{trees.json_of(tree)}: not COCO's instances json" in text
    assert "instances_<split>.json" in text


def captions(content: dict[str, Any]) -> None:
    del content["categories"]
    content["annotations"] = [{"image_id": 42, "id": 1, "caption": "A dog."}]


def keypoints(content: dict[str, Any]) -> None:
    content["categories"] = content["categories"][-1:]


@pytest.mark.parametrize(("other", "classes"), [(captions, "0"), (keypoints, "1")])
def test_the_json_of_another_task_is_refused(
    tree: Path, other: Callable[[dict[str, Any]], None], classes: str
) -> None:
    text = told_of(tree, other)
    assert f"{classes} classes where COCO has 80" in text
    assert "name the official instances json" in text


def put(place: int, **changed: object) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["annotations"][place].update(changed)


def without(place: int, key: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["annotations"][place].pop(key)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (
            put(CAT, category_id=12),
            "annotation 898 of COCO_val2014_000000000042.jpg has the unknown category 12",
        ),
        (put(CAT, image_id=43), "annotates image 43, which it does not list"),
        (without(CAT, "bbox"), "KeyError: 'bbox'"),
        (without(CAT, "iscrowd"), "KeyError: 'iscrowd'"),
        (put(CAT, bbox=[1, 2, 3]), "not COCO's instances json"),
        (put(CAT, bbox="1 2 3 4"), "not COCO's instances json"),
        (put(CAT, segmentation=[["3", 1, 2, 3, 4, 5]]), "not COCO's instances json"),
        (lambda content: content["images"][0].pop("width"), "KeyError: 'width'"),
        (lambda content: content["images"].append({**content["images"][0], "id": 7}), "twice"),
    ],
)
def test_a_json_that_contradicts_itself_is_refused(
    tree: Path, change: Callable[[dict[str, Any]], object], word: str
) -> None:
    assert word in told_of(tree, change)


@pytest.mark.parametrize(
    "box",
    [
        [-1.1, 0, 9, 9],
        [0, -1.1, 9, 9],
        [30, 0, 11.1, 9],
        [0, 20, 9, 11.1],
        [41.5, 3, 0, 0],
        [9, 9, -2, 4],
        [9, 9, 4, -2],
        [float("nan"), 0, 3, 3],
        [0, 0, float("inf"), 3],
        [float("-inf"), 0, 3, 3],
    ],
)
def test_a_box_beyond_a_pixel_outside_is_refused(tree: Path, box: list[float]) -> None:
    text = told_of(tree, put(CAT, bbox=box))
    assert f"annotation 898 of {image_id(42)}.jpg" in text
    assert f"box {' '.join(map(str, box))}" in text
    assert "40x30" in text


@pytest.mark.parametrize(
    "segmentation",
    [
        [],
        [[]],
        [3.0, 4.0, 9.0, 4.0, 9.0, 9.0],  # a polygon, and no list of them
        [[3.0, 4.0, 9.0, 9.0]],  # which pycocotools takes for a box, and fails
        [[float("nan"), 1, 2, 3, 4, 5]],
        {"size": [40, 30], "counts": [1200]},  # width and height exchanged
        {"size": [30, 40]},
        {"size": [30, 40], "counts": [100, 50]},  # too few
        {"size": [30, 40], "counts": [1000, 201]},
        {"size": [30, 40], "counts": [1300, -100]},
        {"size": [40, 30], "counts": "P`0"},
    ],
)
def test_an_outline_that_is_none_of_the_image_is_refused(tree: Path, segmentation: object) -> None:
    text = told_of(tree, put(CAT, segmentation=segmentation))
    assert f"annotation 898 of {image_id(42)}.jpg" in text
    assert "its segmentation is none of an image of 40x30" in text


@pytest.mark.parametrize("place", [CROWD, PACKED])
def test_run_lengths_of_another_size_are_refused(tree: Path, place: int) -> None:
    segmentation = trees.content()["annotations"][place]["segmentation"]
    text = told_of(tree, put(place, segmentation={**segmentation, "size": segmentation["size"][::-1]}))
    assert f"annotation {900 - place} of" in text
    assert "its segmentation is none of an image of" in text
