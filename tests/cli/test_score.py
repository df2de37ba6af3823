from functools import partial
from pathlib import Path

import pytest
from helpers import ilsvrc_trees as trees
from helpers.commands import Command
from helpers.ilsvrc_trees import CLASSES, PICTURES


@pytest.fixture
def score(command: Command) -> Command:
    """``score("key=value", …)``: exit status, what it printed and what it complained."""
    return partial(command, "score")


def percents(printed: str) -> dict[str, tuple[str, str]]:
    """Metric to its percentage and its number of images."""
    rows = [line.split() for line in printed.splitlines() if line.strip().startswith(("cls_", "loc_"))]
    return {row[0]: (row[1], row[-1]) for row in rows if len(row) == 6 and row[3] == "–"}


# Scored by others with the devkit's rule: shared/data/README.md, "Known answers for the metric code".
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cls", "loc", "everything"),
    [("vgg16", "27.05", "54.33", "55.22"), ("alexNet", "41.64", "65.02", "65.70")],
)
def test_published_boxes_have_their_known_errors(
    score: Command, shared: Path, name: str, cls: str, loc: str, everything: str
) -> None:
    predictions = shared / "golden_boxes" / f"{name}.txt"
    status, printed, complaint = score(
        f"predictions={predictions}", f"dataset.ground_truth={shared / 'ground_truth'}"
    )
    assert (status, complaint) == (0, "")
    assert "50000 images" in printed
    assert "1762 of them blacklisted" in printed
    assert percents(printed) == {
        "cls_top1": (cls, "50000"),
        "loc_top1": (loc, "48238"),
        "loc_top1_all": (everything, "50000"),
    }
    assert "blacklist" in printed.split("loc_top1_all")[-1]  # the protocol, in words
    assert "\x1b" not in printed  # plain when piped


def test_a_file_that_is_not_there_is_one_line(score: Command, tmp_path: Path) -> None:
    status, printed, complaint = score(
        f"predictions={tmp_path / 'no.txt'}", f"dataset.ground_truth={tmp_path}"
    )
    assert (status, printed) == (2, "")
    assert complaint.count("\n") == 1
    assert "no.txt: there is no such file" in complaint


@pytest.mark.slow
def test_a_metric_that_boxes_cannot_answer_says_so(score: Command, shared: Path) -> None:
    status, printed, _ = score(
        f"predictions={shared / 'golden_boxes' / 'vgg16.txt'}",
        f"dataset.ground_truth={shared / 'ground_truth'}",
        "metric=[gt_known,localization]",
        "metric.localization.iou=0.7",
    )
    assert status == 0
    assert "gt_known: this file cannot answer it." in printed
    assert "Localization(iou=0.7," in printed


def test_what_is_taken_as_the_devkit_takes_it_is_told_with_its_count(score: Command, tmp_path: Path) -> None:
    trees.kaggle(tmp_path)
    lines = [f"{CLASSES.ilsvrc_ids[picture.label]} 0 0 9.5 9 0 0 0 0 0" for picture in PICTURES]
    (tmp_path / "boxes.txt").write_text("\n".join(lines))
    status, printed, _ = score(f"predictions={tmp_path / 'boxes.txt'}", f"dataset.root={tmp_path}")
    assert status == 0
    assert "4 predictions are zeros or -1 alone, which stand for none, as by the devkit" in printed
    assert "4 boxes have fractional coordinates; nothing is rounded, as by the devkit" in printed
    assert percents(printed)["cls_top1"] == ("0.00", "4")
    csv = [
        "ImageId,PredictionString",
        *(f"{picture.image_id},{picture.label + 1} 0 0 9 9" for picture in PICTURES),
    ]
    (tmp_path / "boxes.csv").write_text("\n".join(csv))
    status, printed, _ = score(f"predictions={tmp_path / 'boxes.csv'}", f"dataset.root={tmp_path}")
    assert percents(printed)["cls_top1"] == ("0.00", "4")


def test_predictions_must_be_named(score: Command, tmp_path: Path) -> None:
    status, _, complaint = score(f"dataset.ground_truth={tmp_path}")
    assert status == 2
    assert complaint.count("\n") == 1
    assert "predictions" in complaint


def test_help_shows_how_to_call_it(score: Command) -> None:
    status, printed, _ = score("--help")
    assert status == 0
    assert "predictions=vgg16.txt" in printed
    assert "dataset.ground_truth=" in printed
