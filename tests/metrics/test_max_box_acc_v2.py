import numpy as np
import pytest
from helpers.random_records import make, overlap, random_boxes

from benchmark.core.errors import UserError
from benchmark.core.types import Records
from benchmark.metrics.max_box_acc import MaxBoxAcc
from benchmark.metrics.max_box_acc_v2 import MaxBoxAccV2


def slowly(records: Records, iou: float) -> list[float]:
    """The accuracy at each threshold: right where any box of the threshold is."""
    assert records.curve is not None
    accuracies = []
    for threshold in sorted(set(records.grid)):
        right = 0
        for row in range(len(records)):
            truth = records.truth[records.owner == row]
            boxes = [b for b, t in zip(records.curve[row], records.grid, strict=True) if t == threshold]
            right += any(overlap(box, true) >= iou for box in boxes for true in truth)
        accuracies.append(right / len(records))
    return accuracies


def several(seed: int) -> Records:
    """Three boxes at each of four thresholds."""
    rng = np.random.default_rng(seed + 100)
    grid = tuple(tau for tau in (0.1, 0.2, 0.3, 0.4) for _ in range(3))
    return make(seed, curve=random_boxes(rng, 60, 12), grid=grid)


@pytest.mark.parametrize("records", [make(0), make(1), several(0), several(1)])
def test_it_is_the_mean_of_the_best_accuracies_written_out(records: Records) -> None:
    expected = np.mean([max(slowly(records, iou)) for iou in (0.3, 0.5, 0.7)])
    found = MaxBoxAccV2()(records)["max_box_acc_v2"]
    assert found.value == pytest.approx(expected)
    assert found.n == 60
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("seed", range(3))
def test_at_one_overlap_it_is_max_box_acc(seed: int) -> None:
    for records in (make(seed), several(seed)):
        assert MaxBoxAccV2(ious=(0.5,))(records)["max_box_acc_v2"] == MaxBoxAcc()(records)["max_box_acc"]


@pytest.mark.parametrize("seed", range(3))
def test_max_box_acc_too_takes_any_box_of_a_threshold(seed: int) -> None:
    accuracies = slowly(several(seed), 0.5)
    found = MaxBoxAcc()(several(seed))
    assert found["max_box_acc"].value == pytest.approx(max(accuracies))
    assert found["max_box_acc_threshold"].value == (0.1, 0.2, 0.3, 0.4)[int(np.argmax(accuracies))]


def test_long_curves_are_judged_in_parts_without_a_seam() -> None:
    rng = np.random.default_rng(7)
    curve = random_boxes(rng, 20, 50)
    records = make(3, n=20, curve=curve, grid=tuple(step / 50 for step in range(50)))
    expected = np.mean([max(slowly(records, iou)) for iou in (0.3, 0.5, 0.7)])
    assert MaxBoxAccV2()(records)["max_box_acc_v2"].value == pytest.approx(expected)


def test_it_is_left_out_where_no_curve_was_recorded() -> None:
    empty = np.empty((60, 0, 4), np.int32)
    assert MaxBoxAccV2()(make(0, curve=None, grid=())) == {}
    assert MaxBoxAccV2()(make(0, curve=empty, grid=())) == {}
    assert MaxBoxAccV2()(make(0, n=0)) == {}


def test_a_list_without_an_overlap_or_with_one_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"metric\.max_box_acc_v2\.ious=\[\]: must be a list"):
        MaxBoxAccV2(ious=())
    with pytest.raises(UserError, match=r"metric\.max_box_acc_v2\.ious=\[0\.5, 1\.5\]"):
        MaxBoxAccV2(ious=(0.5, 1.5))
