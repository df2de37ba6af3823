"""The doctor's words and exit status."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from helpers import ilsvrc_trees as trees
from helpers.commands import Command
from helpers.ilsvrc_trees import PICTURES

from benchmark.datasets.ilsvrc import load, load_classes

FIRST = f"Data/CLS-LOC/val/{PICTURES[0].image_id}.JPEG"


@pytest.fixture
def doctor(command: Command) -> Command:
    """``doctor("key=value", …)``: exit status, what it printed and what it complained."""
    return partial(command, "doctor")


@pytest.fixture
def kaggle_root(tmp_path: Path) -> Path:
    trees.kaggle(tmp_path)
    return tmp_path


def lines_of(printed: str) -> dict[str, str]:
    """First word of a line to the rest of it."""
    return {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[-1] for line in printed.splitlines() if line}


def test_a_sound_dataset_is_counted_and_has_no_problem(doctor: Command, kaggle_root: Path) -> None:
    status, printed, _ = doctor("dataset=ilsvrc_val", f"dataset.root={kaggle_root}")
    said = lines_of(printed)
    assert status == 0
    assert said["samples"].startswith("4,")
    assert said["boxes"].startswith("5; 1 images")
    assert said["labels"].startswith("3 of 1000")
    assert said["pixels"] == "4 RGB, 0 grey, 0 CMYK"
    assert said["unreadable"].startswith("0 ")
    assert said["blacklist"].startswith("not found")
    assert said["incomplete"].startswith("49996 ")
    assert said["fingerprint"] == load(root=kaggle_root).fingerprint
    assert "PROBLEM" not in printed


def test_a_truncated_image_is_a_problem_that_headers_do_not_show(doctor: Command, kaggle_root: Path) -> None:
    path = kaggle_root / FIRST
    path.write_bytes(path.read_bytes()[:-100])
    options = ("dataset=ilsvrc_val", f"dataset.root={kaggle_root}")
    status, printed, _ = doctor(*options)
    assert status == 3
    assert lines_of(printed)["unreadable"].startswith("1 ")
    assert f"PROBLEM     {path}" in printed
    status, printed, _ = doctor(*options, "decode=false")
    assert status == 0
    assert "headers" in lines_of(printed)["unreadable"]


def test_an_image_of_another_size_is_a_problem_with_both_sizes(doctor: Command, kaggle_root: Path) -> None:
    trees.write_images((kaggle_root / FIRST).parent, (replace(PICTURES[0], size=(10, 6)),))
    status, printed, _ = doctor("dataset=ilsvrc_val", f"dataset.root={kaggle_root}", "decode=false")
    assert status == 3
    assert lines_of(printed)["misfits"].startswith("1 ")
    assert "10x6" in printed
    assert "20x12" in printed


def test_a_dataset_that_cannot_be_read_is_one_problem(doctor: Command, tmp_path: Path) -> None:
    status, printed, complaint = doctor("dataset=ilsvrc_val", f"dataset.root={tmp_path}")
    assert status == 3
    assert complaint == ""
    assert printed.count("PROBLEM") == 1
    assert str(tmp_path) in printed


def test_truth_alone_is_examined_without_images(doctor: Command, tmp_path: Path) -> None:
    trees.write_text(tmp_path)
    status, printed, _ = doctor("dataset=ilsvrc_val", f"dataset.ground_truth={tmp_path}")
    assert status == 0
    assert "pixels" not in lines_of(printed)


def test_the_train_split_is_examined_without_speaking_of_boxes(doctor: Command, tmp_path: Path) -> None:
    trees.write_train(tmp_path / "Data/CLS-LOC/train")
    status, printed, _ = doctor("dataset=ilsvrc_train", f"dataset.root={tmp_path}")
    said = lines_of(printed)
    assert status == 0
    assert said["images"].startswith("4 files in ")
    assert said["samples"] == "4, not the complete set"
    assert said["boxes"].startswith("none")
    assert said["labels"] == "3 of 1000 classes"
    assert said["pixels"] == "4 RGB, 0 grey, 0 CMYK"
    assert "blacklist" not in printed
    (tmp_path / "Data/CLS-LOC/train/cats").mkdir()
    status, printed, _ = doctor("dataset=ilsvrc_train", f"dataset.root={tmp_path}")
    assert status == 3
    assert "PROBLEM" in printed
    assert "cats: its name is no class" in printed


@pytest.mark.parametrize("options", [(), ("image=cat.jpg",), ("dataset=ilsvrc_val", "images=0")])
def test_a_command_without_sense_is_one_line(doctor: Command, options: tuple[str, ...]) -> None:
    status, printed, complaint = doctor(*options)
    assert status == 2
    assert printed == ""
    assert complaint.startswith("error: ")
    assert complaint.count("\n") == 1


def test_help_shows_examples(doctor: Command) -> None:
    status, printed, _ = doctor("--help")
    assert status == 0
    assert "./scripts/doctor dataset=ilsvrc_val dataset.root=" in printed


@pytest.mark.slow
def test_a_real_net_knows_the_real_images(doctor: Command, shared: Path) -> None:
    weights = shared / "weights/squeezenet_v1.0.caffemodel"
    status, printed, _ = doctor(
        *("model=squeezenet_caffe", f"model.weights={weights}", "decode=false", "images=40"),
        *("dataset=ilsvrc_val", f"dataset.root={shared / 'ilsvrc_originals'}"),
    )
    assert status == 0
    assert "d86f13d8d9fc5b2d4720436cf9a1c180d649115e0fbc03e4b45a9f1800906721" in printed
    assert "sea snake (n01751748)" in printed  # the first image's label, which it gets right
    assert "on 40 images" in printed
    said = lines_of(printed)
    assert said["expected"].startswith("error top-1 42.32 %")
    assert said["verdict"].startswith("agrees")
    assert said["but"].startswith("these 136 images are not known to be a fair sample")


@pytest.mark.slow
def test_a_wrong_class_order_is_a_problem(doctor: Command, shared: Path, tmp_path: Path) -> None:
    classes = load_classes()
    by_ilsvrc_id = sorted(zip(classes.ilsvrc_ids, classes.wnids, strict=True))
    names = tmp_path / "devkit_order.txt"
    names.write_text("".join(f"{wnid}\n" for _, wnid in by_ilsvrc_id))
    weights = shared / "weights/squeezenet_v1.0.caffemodel"
    status, printed, _ = doctor(
        *("model=squeezenet_caffe", f"model.weights={weights}", f"model.classes={names}", "images=40"),
        *("dataset=ilsvrc_val", f"dataset.root={shared / 'ilsvrc_originals'}", "decode=false"),
    )
    assert status == 3
    assert "near chance (0.1%)" in printed
    assert (
        "PROBLEM     the order of sorted WNIDs (model.classes=null) brings top-1 accuracy from 0.0" in printed
    )


@pytest.mark.slow
def test_an_image_alone_is_classified(doctor: Command, shared: Path) -> None:
    image = shared / "ilsvrc_originals/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG"
    weights = shared / "weights/squeezenet_v1.0.caffemodel"
    status, printed, _ = doctor("model=squeezenet_caffe", f"model.weights={weights}", f"image={image}")
    assert status == 0
    assert printed.count("%  ") == 5


def test_scores_that_are_not_finite_are_a_problem_and_no_accuracy(doctor: Command, tmp_path: Path) -> None:
    status, printed, complaint = doctor(
        *("model=vgg16_compact", "passport=none", "run.precision=float16", "model.input.scale=1e5"),
        *("dataset=embedded", "dataset.count=24", f"cache_dir={tmp_path}", "decode=false"),
    )
    assert (status, "error" in complaint) == (3, False)
    assert "accuracy" not in lines_of(printed)
    assert "nan" not in printed
    assert (
        "PROBLEM     model vgg16_compact: its scores are NaN or infinite with run.precision=float16"
        in printed
    )


def test_a_dataset_of_misfits_alone_is_no_accuracy_and_every_reason_is_told(
    doctor: Command, kaggle_root: Path
) -> None:
    for picture in PICTURES:
        trees.write_images((kaggle_root / FIRST).parent, (replace(picture, size=(9, 9)),))
    status, printed, complaint = doctor(
        *("dataset=ilsvrc_val", f"dataset.root={kaggle_root}", "decode=false"),
        *("model=squeezenet1_0", "model.weights=random", "model.input.size=64", "passport=none"),
    )
    assert (status, "Traceback" in complaint) == (3, False)
    assert "accuracy" not in lines_of(printed)
    assert printed.count(" is 9x9, its annotation says ") == 4
    assert "PROBLEM     not one of 4 images could be classified" in printed


def test_a_size_that_a_net_does_not_take_is_a_problem_beside_the_passports(
    doctor: Command, tmp_path: Path
) -> None:
    status, printed, complaint = doctor(
        *("model=vgg16_compact", "model.input.size=256", "decode=false"),
        *("dataset=embedded", "dataset.count=24", f"cache_dir={tmp_path}"),
    )
    assert (status, "Traceback" in complaint) == (3, False)
    assert "PROBLEM     model.input.size=256: vgg16_compact was trained with 224" in printed
    assert "PROBLEM     model vgg16_compact does not take inputs of 256 pixels: " in printed


def test_an_image_that_is_not_there_is_a_problem(doctor: Command, tmp_path: Path) -> None:
    status, printed, _ = doctor("model=squeezenet1_0", "model.weights=random", f"image={tmp_path / 'no.jpg'}")
    assert status == 3
    assert f"PROBLEM     {tmp_path / 'no.jpg'}" in printed


def test_the_embedded_nets_are_held_against_their_own_passports(doctor: Command, tmp_path: Path) -> None:
    options = ("dataset=embedded", "dataset.count=72", f"cache_dir={tmp_path}", "decode=false")
    status, printed, _ = doctor(*options, "model=alexnet_compact")
    said = lines_of(printed)
    assert status == 0
    assert said["expected"].startswith("error top-1 ")
    assert "measured at the end of its training" in said["expected"]
    assert said["verdict"].startswith("agrees")


def test_channels_in_the_wrong_order_contradict_the_passport(doctor: Command, tmp_path: Path) -> None:
    options = ("model=squeezenet_caffe", "model.weights=random", "model.input.order=rgb")
    status, printed, _ = doctor(*options)
    assert status == 3
    assert "PROBLEM     model.input.order=rgb: squeezenet_caffe was trained with bgr" in printed
    assert doctor(*options, "passport=none")[0] == 0
    status, printed, _ = doctor(*options, "passport=nobody")
    assert status == 3
    assert "PROBLEM     passport=nobody: choose auto, none, or one of " in printed
