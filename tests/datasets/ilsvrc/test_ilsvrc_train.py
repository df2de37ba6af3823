"""The training images in the layouts that people have them in."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.datasets.ilsvrc import load_classes, load_train

FILES = ("n01440764/n01440764_10026.JPEG", "n01440764/n01440764_18.JPEG", "n15075141/n15075141_5.jpg")
LAYOUTS = ("Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/train", "ILSVRC2012_img_train", "train", "")


def write(folder: Path) -> Path:
    for number, name in enumerate(FILES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4 + number, 5, 3), 80, np.uint8)).save(folder / name, "JPEG")
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_images_and_labels(tmp_path: Path, layout: str) -> None:
    write(tmp_path / "a" / layout)
    write(tmp_path / "b")
    dataset = load_train(root=tmp_path / "a")
    assert isinstance(dataset, Dataset)
    assert [(s.image_id, s.label) for s in dataset.samples] == [
        ("n01440764_10026", 0),
        ("n01440764_18", 0),
        ("n15075141_5", 999),
    ]
    assert all(sample.path is not None and sample.path.is_file() for sample in dataset.samples)
    assert all(sample.boxes.shape == (0, 4) for sample in dataset.samples)
    assert dataset.fingerprint == load_train(images=tmp_path / "b").fingerprint
    assert tuple(dataset.classes) == load_classes().wnids
    assert not dataset.complete


def test_the_fingerprint_sees_a_changed_file_another_order_and_a_subset(tmp_path: Path) -> None:
    root = write(tmp_path)
    prints = [load_train(root=root, limit=limit).fingerprint for limit in (None, 2, 1)]
    prints.append(load_train(root=root, order="stratified", seed=1).fingerprint)
    (root / FILES[0]).write_bytes((root / FILES[0]).read_bytes() + b"x")
    prints.append(load_train(root=root).fingerprint)
    assert len(set(prints)) == len(prints)


def test_a_list_keeps_its_images_and_names_those_that_are_not_there(tmp_path: Path) -> None:
    root, ids = write(tmp_path / "data"), tmp_path / "ids.txt"
    ids.write_text("n15075141_5\n")
    assert [s.image_id for s in load_train(root=root, list=ids).samples] == ["n15075141_5"]
    ids.write_text("n15075141_5\nn15075141_6\n")
    with pytest.raises(UserError, match=r"n15075141_6 of dataset\.list"):
        load_train(root=root, list=ids)


def test_classes_of_ones_own_replace_the_official_ones(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "mine.txt").write_text("n01440764 fish\nn15075141 paper\n")
    dataset = load_train(root=root, classes="mine.txt", name="mine", count=3)
    assert [sample.label for sample in dataset.samples] == [0, 0, 1]
    assert dataset.complete
    (root / "mine.txt").write_text("n01440764 fish\n")
    with pytest.raises(UserError, match="n15075141 is not a WNID of the 1 classes"):
        load_train(root=root, classes="mine.txt", name="mine")
    with pytest.raises(UserError, match=r"mine\.txt: not the classes of ilsvrc_train; name your collection"):
        load_train(root=root, classes="mine.txt")
    with pytest.raises(UserError, match=r"dataset\.count=3: ilsvrc_train has 1281167 images"):
        load_train(root=root, count=3)


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.root is not set"):
        load_train()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no folders of classes"):
        load_train(root=tmp_path / "empty")
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "n01440764.tar").write_bytes(b"")
    with pytest.raises(UserError, match=r"n01440764\.tar: still packed"):
        load_train(root=tmp_path / "packed")
    (tmp_path / "bare" / "n01440764").mkdir(parents=True)
    with pytest.raises(UserError, match=r"hold no \.JPEG"):
        load_train(root=tmp_path / "bare")
    (tmp_path / "bare" / "n00000001").mkdir()
    with pytest.raises(UserError, match="n00000001 is not a WNID"):
        load_train(root=tmp_path / "bare")
    (tmp_path / "ILSVRC2012_img_train.tar").write_bytes(b"")
    with pytest.raises(UserError, match=r"ILSVRC2012_img_train\.tar: still packed"):
        load_train(root=tmp_path)


def test_what_does_not_fit_is_refused_and_never_left_out(tmp_path: Path) -> None:
    first = write(tmp_path) / FILES[0]

    def refused(match: str) -> None:
        with pytest.raises(UserError, match=match):
            load_train(images=tmp_path)

    (tmp_path / "n02119789.tar").write_bytes(b"")
    refused(r"n02119789\.tar: still packed")
    (tmp_path / "n02119789.tar").rename(tmp_path / "n01440764.tar")  # kept beside what it was unpacked to
    assert len(load_train(images=tmp_path).samples) == 3
    (tmp_path / "cats").mkdir()
    refused("cats: its name is no class")
    (tmp_path / "cats").rmdir()
    second = first.with_suffix(".jpg")
    second.write_bytes(first.read_bytes())
    refused("n01440764_10026 is there twice")
    second.rename(first.with_name("n15075141_7.JPEG"))
    refused("n15075141_7.JPEG: not called n01440764_")
    first.with_name("n15075141_7.JPEG").unlink()
    first.with_name("n01440764_9.JPEG").symlink_to(tmp_path / "nothing")
    refused("n01440764_9.JPEG: cannot be read")
    first.with_name("n01440764_9.JPEG").unlink()


def test_hidden_files_and_files_of_other_kinds_are_no_images(tmp_path: Path) -> None:
    first = write(tmp_path) / FILES[0]
    for name in ("._n01440764_10026.JPEG", "Thumbs.db", "index.txt"):
        first.with_name(name).write_bytes(b"x")
    (tmp_path / ".cache").mkdir()
    assert len(load_train(root=tmp_path).samples) == 3


def test_the_report_counts_what_is_there_whatever_part_is_asked_for(tmp_path: Path) -> None:
    root = write(tmp_path)
    lines = load_train(root=root, limit=1, name="mine", count=5).report.lines()
    assert lines[0].startswith(f"images      3 files in {root}")
    assert lines[1] == "incomplete  2 of the 5 images are not here"
    assert len(load_train(root=root, name="mine", count=3).report.lines()) == 1
