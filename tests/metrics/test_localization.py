from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers.random_records import make, overlap

from benchmark.core.boxes import hits
from benchmark.core.errors import UserError
from benchmark.core.types import BoolArray, Records
from benchmark.datasets.ilsvrc import load, load_classes
from benchmark.datasets.ilsvrc.submission import read
from benchmark.metrics.localization import Localization


def slowly(records: Records, depth: int, blacklist: bool) -> tuple[float, int]:
    """``eval_clsloc.m`` as it reads: two nested minima and a maximum, image by image."""
    errors = []
    for row in range(len(records)):
        if blacklist and records.blacklisted[row]:
            continue
        best = 1
        for guess in range(depth):
            label_error = int(records.classes[row, guess] != records.labels[row])
            box_error = 1
            for box in records.truth[records.owner == row]:
                box_error = min(box_error, int(overlap(records.boxes[row, guess], box) < 0.5))
            best = min(best, max(label_error, box_error))
        errors.append(best)
    return sum(errors) / len(errors), len(errors)


@pytest.mark.parametrize("seed", range(5))
def test_errors_are_the_devkits_rule_written_out(seed: int) -> None:
    records = make(seed)
    errors = Localization()(records)
    assert set(errors) == {"loc_top1", "loc_top5", "loc_top1_all", "loc_top5_all"}
    for name, estimate in errors.items():
        value, n = slowly(records, int(name[7]), not name.endswith("_all"))
        assert estimate.value == pytest.approx(value)
        assert estimate.n == n
        assert 0 < estimate.value < 1  # or the test would be empty
        assert estimate.low <= estimate.value <= estimate.high


def one(boxes: list[list[int]], truth: list[list[int]], classes: list[int]) -> Records:
    """A single image of class 3."""
    columns = {
        "labels": np.array([3], np.int32),
        "blacklisted": np.zeros(1, np.bool_),
        "boxes": np.array([boxes], np.int32),
        "truth": np.array(truth, np.int32),
        "owner": np.zeros(len(truth), np.int32),
        "classes": np.array([classes], np.int32),
    }
    return make(0, n=1, k=len(classes), **columns)


def test_an_overlap_of_exactly_one_half_is_right() -> None:
    assert Localization()(one([[0, 0, 10, 5]], [[0, 0, 10, 10]], [3]))["loc_top1"].value == 0
    assert Localization()(one([[0, 0, 10, 4]], [[0, 0, 10, 10]], [3]))["loc_top1"].value == 1


def test_any_ground_truth_box_will_do() -> None:
    records = one([[50, 50, 60, 60]], [[0, 0, 9, 9], [50, 50, 60, 60]], [3])
    assert Localization()(records)["loc_top1"].value == 0


def test_class_and_box_must_be_right_in_the_same_guess() -> None:
    right, wrong = [0, 0, 10, 10], [50, 50, 60, 60]
    crossed = one([right, wrong, wrong, wrong, wrong], [right], [4, 3, 5, 6, 7])
    assert Localization()(crossed)["loc_top5"].value == 1
    second = one([wrong, right, wrong, wrong, wrong], [right], [4, 3, 5, 6, 7])
    assert Localization()(second)["loc_top1"].value == 1
    assert Localization()(second)["loc_top5"].value == 0


def test_an_image_without_a_ground_truth_box_is_wrong() -> None:
    records = make(0, truth=np.empty((0, 4), np.int32), owner=np.empty(0, np.int32))
    assert Localization()(records)["loc_top5_all"].value == 1


def test_where_all_images_are_blacklisted_only_all_images_have_an_error() -> None:
    errors = Localization()(make(0, blacklisted=np.ones(60, np.bool_)))
    assert set(errors) == {"loc_top1_all", "loc_top5_all"}


def test_top5_is_left_out_where_there_is_one_guess_an_image() -> None:
    assert set(Localization()(make(0, k=1))) == {"loc_top1", "loc_top1_all"}


def test_a_stricter_overlap_never_lowers_the_error() -> None:
    errors = [Localization(iou)(make(1))["loc_top5"].value for iou in (0.3, 0.5, 0.7, 1.0)]
    assert errors == sorted(errors)
    with pytest.raises(UserError, match="iou=0"):
        Localization(0)


Numbers = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Records]:
    dataset: Any = load(ground_truth=str(shared / "ground_truth"))
    ids = load_classes().ilsvrc_ids
    return {
        name: read(shared / "golden_boxes" / f"{name}.txt", dataset, ids).records
        for name in ("alexNet", "vgg16")
    }


def overlaps(records: Records, one: int) -> Numbers:
    """IoU of the first guess with each ground-truth box, inclusive pixels counted with ``+ one``."""
    guess = (records.boxes[records.owner, 0] - [0, 0, 1, 1]).astype(np.float64)
    truth = (records.truth - [0, 0, 1, 1]).astype(np.float64)
    low = np.maximum(guess[:, :2], truth[:, :2])
    high = np.minimum(guess[:, 2:], truth[:, 2:])
    shared = np.maximum(high - low + one, 0).prod(axis=1)
    areas = [(boxes[:, 2:] - boxes[:, :2] + one).prod(axis=1) for boxes in (guess, truth)]
    return np.asarray(shared / (areas[0] + areas[1] - shared), np.float64)


def error(records: Records, right: BoolArray) -> float:
    """Percent of the 48,238 images whose class is wrong or none of whose ground-truth boxes is right."""
    located = np.zeros(len(records), np.bool_)
    located[records.owner[right]] = True
    located &= records.classes[:, 0] == records.labels
    return round(100 * float(1 - located[~records.blacklisted].mean()), 2)


# shared/data/README.md, "Known answers": devkit, strict, without + 1, first box only. What a slip would give.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "known"),
    [("alexNet", (65.02, 65.02, 65.15, 66.02)), ("vgg16", (54.33, 54.33, 54.44, 55.63))],
)
def test_published_boxes_have_their_known_error_and_slips_theirs(
    golden: dict[str, Records], name: str, known: tuple[float, ...]
) -> None:
    records = golden[name]
    assert round(100 * Localization(resamples=1)(records)["loc_top1"].value, 2) == known[0]
    first = np.diff(records.owner, prepend=-1) > 0
    inclusive = overlaps(records, 1)
    rules = (inclusive >= 0.5, inclusive > 0.5, overlaps(records, 0) >= 0.5, first & (inclusive >= 0.5))
    assert tuple(error(records, right) for right in rules) == known


@pytest.mark.slow
def test_a_box_over_the_whole_image_is_right_for_41_47_percent(golden: dict[str, Records]) -> None:
    records = golden["vgg16"]
    full = np.concatenate([np.zeros_like(records.sizes), records.sizes], axis=1)[:, None]
    right = hits(full, records.truth, records.owner)[:, 0]
    assert round(100 * float(right[~records.blacklisted].mean()), 2) == 41.47
