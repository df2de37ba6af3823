"""COCO read from small trees in the official form."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import coco_trees as trees
from helpers.coco_trees import BOXES, CLASSES, SIZES, image_id

from benchmark.core.protocols import Dataset
from benchmark.datasets.coco import load
from benchmark.datasets.images import read_sample
from benchmark.datasets.multi_label import ManyObjects

IDS = [image_id(42), image_id(73), image_id(139)]  # those with an object, sorted


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return trees.make(tmp_path / "coco")


def by_id(dataset: ManyObjects) -> dict[str, list[tuple[str, list[int]]]]:
    """Every object as (class, box); none is difficult."""
    found = {}
    for sample in dataset.samples:
        assert sample.objects is not None
        assert not sample.objects.difficult.any()
        rows = zip(sample.objects.classes.tolist(), sample.objects.boxes.tolist(), strict=True)
        found[sample.image_id] = [(dataset.classes[label], box) for label, box in rows]
    return found


def test_classes_are_the_80_names_in_the_order_of_their_numbers(tree: Path) -> None:
    dataset = load(root=str(tree))
    assert isinstance(dataset, Dataset)
    assert len(CLASSES) == len(set(CLASSES)) == 80
    assert dataset.classes == dataset.class_names == CLASSES
    places = {"person": 0, "stop sign": 11, "tv": 62, "toothbrush": 79}  # numbers 1, 13, 72 and 90
    assert {name: dataset.classes.index(name) for name in places} == places


def test_boxes_are_the_smallest_of_whole_pixels_that_hold_cocos_within_the_image(tree: Path) -> None:
    assert by_id(load(root=str(tree))) == BOXES


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ([-0.9, -1, 5, 5], [0, 0, 5, 4]),
        ([30.2, 20.7, 10.8, 10.3], [30, 20, 40, 30]),  # ends one pixel beyond
        ([0.1, 0.2, 0.2, 0.1], [0, 0, 1, 1]),
        ([1.1, 2.2, 2.2, 3.3], [1, 2, 4, 6]),
        ([10.0, 10.0, 0.0, 0.0], [10, 10, 11, 11]),
        ([40, 30, 0, 0], [39, 29, 40, 30]),
        ([0.07, 3, 2.93, 4], [0, 3, 3, 7]),
        ([1.1, 1, 2.9, 6], [1, 1, 4, 7]),
        ([2.9999999999999996, 2, 4.000000000000002, 6], [3, 2, 7, 8]),  # scaled by a computer
    ],
)
def test_a_box_is_clipped_within_a_pixel_and_is_never_empty(
    tmp_path: Path, box: list[float], pixels: list[int]
) -> None:
    told = trees.content()
    told["annotations"][2]["bbox"] = box
    found = by_id(load(root=str(trees.make(tmp_path, told))))
    assert found[image_id(42)][1] == ("cat", pixels)


def test_the_label_is_the_lowest_class_and_its_boxes_are_all_of_that_class(tree: Path) -> None:
    samples = load(root=str(tree)).samples
    assert [sample.image_id for sample in samples] == IDS
    assert [CLASSES[sample.label] for sample in samples] == ["cat", "person", "toothbrush"]
    for sample in samples:
        expected = [box for name, box in BOXES[sample.image_id] if name == CLASSES[sample.label]]
        assert sample.boxes.tolist() == expected


def test_images_decode_in_the_size_that_the_json_states(tree: Path) -> None:
    for sample in load(root=str(tree)).samples:
        assert read_sample(sample).shape[1::-1] == sample.size == SIZES[int(sample.image_id[-12:])]
        assert sample.path == tree / "val2014" / f"{sample.image_id}.jpg"
        assert sample.objects is not None
        assert sample.objects.classes.dtype == sample.objects.boxes.dtype == np.int32


def test_an_image_without_an_object_is_left_out_and_counted(tree: Path) -> None:
    dataset = load(root=str(tree))
    assert dataset.bare == (image_id(100),)
    assert dataset.conditions == {
        "images": 3,
        "complete": False,
        "instances": "instances_val2014.json",
        "crowds": "keep",
        "objects": 7,
        "difficult": 0,
        "without_objects": 1,
        "skipped": 0,
    }
    (tree / "val2014" / f"{image_id(100)}.jpg").unlink()  # nobody asks for it
    assert load(root=str(tree)).fingerprint == dataset.fingerprint


def test_dropped_crowds_change_name_objects_and_fingerprint(tree: Path) -> None:
    kept, dropped = load(root=str(tree)), load(root=str(tree), crowd="drop")
    assert by_id(dropped) == {image_id(42): BOXES[image_id(42)], image_id(73): BOXES[image_id(73)][1:]}
    assert dropped.bare == (image_id(100), image_id(139))
    assert (kept.name, dropped.name) == ("coco2014", "coco2014_without_crowds")
    assert dropped.fingerprint != kept.fingerprint
    assert "crowds      2, kept as objects of their class" in kept.report.lines()
    assert "crowds      2, dropped" in dropped.report.lines()


def test_a_list_a_limit_and_an_order_choose_images(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{IDS[2]}\n{IDS[0]}.jpg\n")
    listed = load(root=str(tree), list=str(tmp_path / "list.txt"))
    assert ([s.image_id for s in listed.samples], listed.bare) == ([IDS[0], IDS[2]], ())
    assert [s.image_id for s in load(root=str(tree), limit=2).samples] == IDS[:2]
    spread = [load(root=str(tree), order="stratified", seed=seed) for seed in range(4)]
    orders = [[sample.image_id for sample in each.samples] for each in spread]
    assert all(sorted(order) == IDS for order in orders)
    first = next(each for each, order in zip(spread, orders, strict=True) if order != IDS)
    assert len({each.fingerprint for each in (listed, first, load(root=str(tree)))}) == 3


def test_the_parts_may_lie_apart_or_in_a_folder_of_images(tree: Path, tmp_path: Path) -> None:
    whole = load(root=str(tree))
    (tree / "images").mkdir()
    (tree / "val2014").rename(tree / "images/val2014")
    assert load(root=str(tree)).fingerprint == whole.fingerprint
    (tree / "images/val2014").rename(tmp_path / "elsewhere")
    apart = load(images=str(tmp_path / "elsewhere"), instances=str(trees.json_of(tree)))
    assert apart.fingerprint == whole.fingerprint
    assert apart.samples[0].path == tmp_path / "elsewhere" / f"{IDS[0]}.jpg"
    trees.json_of(tree).rename(tree / "instances_val2014.json")
    assert load(root=str(tree), images=str(tmp_path / "elsewhere")).fingerprint == whole.fingerprint


def test_the_name_tells_the_splits_apart(tmp_path: Path) -> None:
    root = str(trees.make(trees.make(tmp_path), split="minival"))
    assert load(root=root).name == "coco2014"
    own = load(root=root, split="minival")
    assert (own.name, own.count, own.complete) == ("coco_minival", None, False)
    assert "official    this split is none of COCO's own" in own.report.lines()
    assert load(root=root, name="mine").name == "mine"


def test_only_the_official_number_of_images_is_complete(tree: Path) -> None:
    dataset = load(root=str(tree))
    assert (dataset.count, dataset.complete) == (40504, False)
    lacking = "incomplete  40500 of the official 40504 images are not listed"
    assert lacking in dataset.report.lines()
    assert f"truth       4 images, 7 objects in {trees.json_of(tree)}" in dataset.report.lines()
    assert replace(dataset, count=4).complete  # of which one has no object
    assert not replace(dataset, count=4, samples=dataset.samples[:2]).complete


def moved(told: dict[str, Any]) -> None:
    told["annotations"][2]["segmentation"][0][2] += 3


def widened(told: dict[str, Any]) -> None:
    told["annotations"][2]["bbox"][2] += 1


def renamed(told: dict[str, Any]) -> None:
    told["annotations"][2]["category_id"] = trees.category("cow")


def test_the_fingerprint_sees_outlines_boxes_classes_and_files_but_no_place(tmp_path: Path) -> None:
    def printed(name: str, change: Callable[[dict[str, Any]], None] | None = None) -> str:
        told = trees.content()
        if change is not None:
            change(told)
        return load(root=str(trees.make(tmp_path / name, told))).fingerprint

    prints = [printed("plain"), printed("a", moved), printed("b", widened), printed("c", renamed)]
    longer = trees.make(tmp_path / "longer")
    with (longer / "val2014" / f"{IDS[0]}.jpg").open("ab") as file:
        file.write(b"\0")
    prints.append(load(root=str(longer)).fingerprint)
    assert len(set(prints)) == len(prints)
    assert printed("elsewhere") == prints[0]


def test_a_read_only_tree_is_read_nothing_is_written_and_nothing_printed(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tree.rglob("*"))
    for path in [tree, *before]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        contents = [path.read_bytes() for path in before if path.is_file()]
        assert len(load(root=str(tree)).samples) == 3
        assert sorted(tree.rglob("*")) == before
        assert [path.read_bytes() for path in before if path.is_file()] == contents
    finally:
        for path in [tree, *before]:
            path.chmod(0o755)
    assert capsys.readouterr() == ("", "")
