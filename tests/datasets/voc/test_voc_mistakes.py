"""What is wrong with a VOC tree or an option is told in one line, with file or option and the remedy."""

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import voc_trees as trees
from helpers.commands import started
from helpers.voc_trees import Picture, Thing

from benchmark.core.errors import UserError
from benchmark.datasets.voc import load


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return trees.make(tmp_path)


def told(**options: object) -> str:
    with pytest.raises(UserError) as caught:
        load(**options)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_no_root_a_wrong_root_and_a_root_of_something_else(tmp_path: Path) -> None:
    assert "dataset.root is not set" in told(root=None)
    assert "there is nothing at that path" in told(root=str(tmp_path / "no"))
    assert "VOCdevkit" in told(root=str(tmp_path))
    (tmp_path / "VOCtrainval_06-Nov-2007.tar").touch()
    assert "still packed" in told(root=str(tmp_path))


def test_a_misspelt_split_is_told_the_splits_that_are_there(tree: Path) -> None:
    text = told(root=str(tree), split="vall")
    assert "dataset.split=vall" in text
    assert text.endswith("it has train, val")  # train_val is the list of class train, no split


@pytest.mark.parametrize(
    ("option", "value"),
    [("difficult", "maybe"), ("missing", "no"), ("order", "random"), ("limit", 0), ("year", "07")],
)
def test_a_choice_that_is_none_is_named(tree: Path, option: str, value: object) -> None:
    assert f"dataset.{option}={value}" in told(root=str(tree), **{option: value})


def test_another_year_than_the_folders_is_refused(tree: Path) -> None:
    assert "another year" in told(root=str(tree), year=2012)
    assert "VOC2012" in told(root=str(tree.parent), year=2012)


@pytest.mark.parametrize("lost", ["Annotations/000007.xml", "JPEGImages/000007.jpg"])
def test_a_missing_file_is_named_or_skipped_and_counted(tree: Path, lost: str) -> None:
    (tree / lost).unlink()
    text = told(root=str(tree))
    assert str(tree / lost) in text
    assert "1 of 3" in text
    assert "dataset.missing=skip" in text
    dataset = load(root=str(tree), missing="skip")
    assert [s.image_id for s in dataset.samples] == ["000005", "000009"]
    assert list(dataset.skipped) == ["000007"]
    assert dataset.conditions["skipped"] == 1


@pytest.mark.parametrize("missing", ["error", "skip"])
def test_half_a_dataset_is_refused(tree: Path, missing: str) -> None:
    (tree / "JPEGImages").rename(tree / "elsewhere")
    text = told(root=str(tree), missing=missing)
    assert "3 of 3" in text
    assert "same archive" in text
    assert "missing=skip" not in text


def test_a_list_with_an_image_of_another_split_is_refused(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("000005\n000007\n")
    text = told(root=str(tree), split="train", list=str(tmp_path / "list.txt"))
    assert "000007" in text
    assert "train.txt" in text


@pytest.mark.parametrize("content", ["", "000005\n000005\n", "000005 -1\n000007 -1\n", b"\xff\xfe\xfa"])
def test_a_broken_list_of_a_split_is_named(tree: Path, content: str | bytes) -> None:
    path = tree / "ImageSets/Main/val.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert str(path) in told(root=str(tree))


def without(text: str, part: str) -> str:
    assert part in text
    return text.replace(part, "", 1)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda text: text[: len(text) // 2], "not a whole XML file"),
        (lambda text: text.replace(">dog<", ">wolf<"), "wolf"),
        (lambda text: without(text, "<name>dog</name>"), "without a name"),
        (lambda text: without(text, "<width>40</width>"), "width"),
        (lambda text: without(text, "<ymax>30</ymax>"), "ymax"),
        (lambda text: text.replace(">30</ymax>", ">many</ymax>"), "many"),
        (lambda text: text.replace(">30</ymax>", ">inf</ymax>"), "inf"),
        (lambda text: text.replace("<difficult>0", "<difficult>2"), "difficult is 2"),
    ],
)
def test_a_broken_annotation_is_named(tree: Path, change: Callable[[str], str], word: str) -> None:
    path = tree / "Annotations/000005.xml"
    path.write_text(change(path.read_text()))
    text = told(root=str(tree))
    assert str(path) in text
    assert word in text


@pytest.mark.parametrize(
    "box", [("0", "1", "4", "4"), ("1", "1", "41", "4"), ("1", "1", "4", "31"), ("5", "1", "4", "4")]
)
def test_a_box_that_is_empty_or_outside_is_refused_and_never_clipped(
    tmp_path: Path, box: tuple[str, str, str, str]
) -> None:
    tree = trees.make(tmp_path, (Picture("000001", (40, 30), (Thing("dog", box),)),))
    text = told(root=str(tree))
    assert "Annotations/000001.xml" in text
    assert f"box {' '.join(box)}" in text


def test_to_drop_all_objects_is_refused(tmp_path: Path) -> None:
    tree = trees.make(tmp_path, trees.PICTURES[2:])
    assert "dataset.difficult=drop" in told(root=str(tree), difficult="drop")


@pytest.mark.parametrize("command", [("run",), ("matrix",), ("explain-gap", "~experiment")])
def test_no_command_of_boxes_takes_images_of_several_classes(
    command: tuple[str, ...],
    tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("model=googlenet_voc", "model.weights=random", "dataset=voc2007", f"dataset.root={tree}")
    out = (f"results_dir={tmp_path / 'out'}", "tracking=none")
    status, printed, error = started(monkeypatch, capsys, (*command, *words, *out))
    assert (status, printed, error.count("\n")) == (2, "", 1)
    assert "dataset voc2007: 2 of 3 images hold objects of several classes" in error
    assert "experiment=pointing" in error
