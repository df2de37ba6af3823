"""VOC read from small trees in the official form."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import voc_trees as trees
from helpers.voc_trees import PICTURES, Picture, Thing

from benchmark.core.protocols import Dataset
from benchmark.datasets.images import read_sample
from benchmark.datasets.multi_label import ManyObjects
from benchmark.datasets.voc import CLASSES, load


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return trees.make(tmp_path)


def by_id(dataset: ManyObjects) -> dict[str, list[tuple[str, list[int], bool]]]:
    """Every object as (class, box, difficult)."""
    found = {}
    for sample in dataset.samples:
        assert sample.objects is not None
        columns = (sample.objects.classes, sample.objects.boxes, sample.objects.difficult)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        found[sample.image_id] = [(dataset.classes[c], box, hard) for c, box, hard in rows]
    return found


def test_every_object_is_there_with_class_half_open_box_and_difficult(tree: Path) -> None:
    assert by_id(load(root=str(tree))) == {
        "000005": [("dog", [0, 0, 40, 30], False), ("cat", [2, 3, 10, 12], False)],
        "000007": [
            ("person", [1, 1, 2, 2], False),
            ("bicycle", [4, 5, 20, 20], True),
            ("person", [10, 0, 50, 19], True),
        ],
        "000009": [("tvmonitor", [0, 0, 8, 8], True)],
    }


def test_the_label_is_the_lowest_class_that_is_not_difficult_and_its_boxes_are_all_of_that_class(
    tree: Path,
) -> None:
    first, second, third = load(root=str(tree)).samples
    assert [CLASSES[s.label] for s in (first, second, third)] == ["cat", "person", "tvmonitor"]
    assert first.boxes.tolist() == [[2, 3, 10, 12]]
    assert second.boxes.tolist() == [[1, 1, 2, 2], [10, 0, 50, 19]]
    assert third.boxes.tolist() == [[0, 0, 8, 8]]


@pytest.mark.parametrize("above", [0, 1, 2])
def test_the_root_may_be_voc2007_vocdevkit_or_what_holds_it(tree: Path, above: int) -> None:
    root = [tree, *tree.parents][above]
    dataset = load(root=str(root))
    assert dataset.fingerprint == load(root=str(tree)).fingerprint
    assert f"folder      {tree}" in dataset.report.lines()


def test_it_is_a_dataset_of_20_sorted_classes_whose_images_decode(tree: Path) -> None:
    dataset = load(root=str(tree))
    assert isinstance(dataset, Dataset)
    assert len(dataset.classes) == len(set(dataset.class_names)) == 20
    assert list(dataset.classes) == sorted(dataset.classes)
    for sample, picture in zip(dataset.samples, PICTURES, strict=True):
        assert read_sample(sample).shape[1::-1] == sample.size == picture.size
        assert sample.objects is not None
        assert sample.objects.classes.dtype == sample.objects.boxes.dtype == np.int32


def test_the_name_tells_the_splits_apart(tree: Path) -> None:
    root = str(tree)
    assert load(root=root).name == "voc2007"
    assert load(root=root, split="train").name == "voc2007_train"
    assert load(root=root, difficult="drop").name == "voc2007_without_difficult"
    assert load(root=root, name="mine").name == "mine"
    assert [s.image_id for s in load(root=root, split="train").samples] == ["000005"]


def test_dropped_difficult_objects_are_gone_and_images_of_them_alone_counted(tree: Path) -> None:
    kept, dropped = load(root=str(tree)), load(root=str(tree), difficult="drop")
    assert by_id(dropped) == {
        "000005": by_id(kept)["000005"],
        "000007": [("person", [1, 1, 2, 2], False)],
    }
    assert dropped.bare == ("000009",)
    assert dropped.conditions["without_objects"] == 1
    assert dropped.fingerprint != kept.fingerprint


def test_a_file_without_a_difficult_flag_has_no_difficult_object(tmp_path: Path) -> None:
    thing = Thing("dog", ("1", "1", "4", "4"), None)
    dataset = load(root=str(trees.make(tmp_path, (Picture("000001", (9, 9), (thing,)),))))
    assert by_id(dataset) == {"000001": [("dog", [0, 0, 4, 4], False)]}


def test_fractions_are_rounded_as_2012_has_them(tmp_path: Path) -> None:
    thing = Thing("dog", ("45.70000076293945", "1.5", "60.4", "12.0"))
    tree = trees.make(tmp_path, (Picture("2011_003353", (70, 20), (thing,)),), year=2012)
    dataset = load(root=str(tree), year=2012)
    assert by_id(dataset) == {"2011_003353": [("dog", [45, 1, 60, 12], False)]}
    assert dataset.name == "voc2012"


def test_only_the_official_number_of_images_is_complete(tmp_path: Path) -> None:
    tree = trees.make(tmp_path)
    dataset = load(root=str(tree))
    assert not dataset.complete
    assert "incomplete  2507 of the official 2510 images are not in the list" in dataset.report.lines()
    assert replace(dataset, count=3).complete
    assert not replace(dataset, count=3, samples=dataset.samples[:2]).complete
    (tree / "ImageSets/Main/mine.txt").write_text("000007\n")
    own = load(root=str(tree), split="mine")
    assert (own.count, own.complete, len(own.samples)) == (None, False, 1)


def test_a_list_a_limit_and_an_order_choose_images(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("000009\n000005.jpg\n")
    listed = load(root=str(tree), list=str(tmp_path / "list.txt"))
    assert [s.image_id for s in listed.samples] == ["000005", "000009"]
    assert [s.image_id for s in load(root=str(tree), limit=2).samples] == ["000005", "000007"]
    spread = load(root=str(tree), order="stratified", seed=3)
    assert sorted(s.image_id for s in spread.samples) == [p.image_id for p in PICTURES]
    prints = {each.fingerprint for each in (listed, spread, load(root=str(tree)))}
    assert len(prints) == 3


def test_the_fingerprint_sees_boxes_classes_flags_and_files_but_no_place(tmp_path: Path) -> None:
    def printed(name: str, *things: Thing) -> str:
        tree = trees.make(tmp_path / name, (replace(PICTURES[0], things=things),))
        return load(root=str(tree)).fingerprint

    thing = PICTURES[0].things[0]
    changed = [thing, replace(thing, name="cow"), replace(thing, difficult="1")]
    changed.append(replace(thing, box=("2", "1", "40", "30")))
    prints = [printed(str(n), each) for n, each in enumerate(changed)]
    assert len(set(prints)) == len(prints)
    assert printed("elsewhere", thing) == prints[0]
    tree = trees.make(tmp_path / "longer", (replace(PICTURES[0], things=(thing,)),))
    with (tree / "JPEGImages/000005.jpg").open("ab") as file:
        file.write(b"\0")
    assert load(root=str(tree)).fingerprint != prints[0]


def test_a_read_only_tree_is_read_and_nothing_is_written(tree: Path) -> None:
    before = sorted(tree.rglob("*"))
    for path in [tree, *before]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert len(load(root=str(tree)).samples) == 3
        assert sorted(tree.rglob("*")) == before
    finally:
        for path in [tree, *before]:
            path.chmod(0o755)


def test_a_list_of_ones_own_may_begin_like_a_class(tree: Path) -> None:
    (tree / "ImageSets/Main/train_400.txt").write_text("000007\n")
    assert [s.image_id for s in load(root=str(tree), split="train_400").samples] == ["000007"]
