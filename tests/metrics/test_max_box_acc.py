import numpy as np
import pytest
from helpers.random_records import make, overlap

from benchmark.core.types import Records
from benchmark.metrics.max_box_acc import MaxBoxAcc


def slowly(records: Records) -> list[float]:
    assert records.curve is not None
    accuracies = []
    for step in range(len(records.grid)):
        right = 0
        for row in range(len(records)):
            truth = records.truth[records.owner == row]
            right += any(overlap(records.curve[row, step], box) >= 0.5 for box in truth)
        accuracies.append(right / len(records))
    return accuracies


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_best_of_the_accuracies_written_out(seed: int) -> None:
    records = make(seed)
    expected = slowly(records)
    found = MaxBoxAcc()(records)
    assert found["max_box_acc"].value == pytest.approx(max(expected))
    assert found["max_box_acc"].n == 60
    assert found["max_box_acc_threshold"].value == records.grid[int(np.argmax(expected))]


def test_of_equally_good_thresholds_the_lowest_is_named() -> None:
    same = np.repeat(make(0).curve[:, :1], 4, axis=1)  # type: ignore[index]
    found = MaxBoxAcc()(make(0, curve=same))["max_box_acc_threshold"]
    assert (found.value, found.low, found.high) == (0.1, 0.1, 0.1)


def test_the_threshold_s_interval_spans_what_was_best_in_resamples() -> None:
    found = MaxBoxAcc()(make(0))["max_box_acc_threshold"]
    assert found.low <= found.value <= found.high
    assert {found.low, found.high} <= {0.1, 0.2, 0.3, 0.4}


def test_it_is_left_out_where_no_curve_was_recorded() -> None:
    empty = np.empty((60, 0, 4), np.int32)
    assert MaxBoxAcc()(make(0, curve=None, grid=())) == {}
    assert MaxBoxAcc()(make(0, curve=empty, grid=())) == {}
    assert MaxBoxAcc()(make(0, n=0)) == {}
