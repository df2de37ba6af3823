import numpy as np
import pytest
from helpers.random_records import make, overlap

from benchmark.core.boxes import hits
from benchmark.metrics.gt_known import GtKnown
from benchmark.metrics.oracle_per_image import OraclePerImage


@pytest.mark.parametrize("seed", range(5))
def test_an_image_is_wrong_where_no_threshold_s_box_is_right(seed: int) -> None:
    records = make(seed)
    assert records.curve is not None
    wrong = []
    for row in np.flatnonzero(~records.blacklisted):
        truth = records.truth[records.owner == row]
        wrong.append(all(overlap(box, true) < 0.5 for box in records.curve[row] for true in truth))
    found = OraclePerImage()(records)["oracle_per_image"]
    assert found.value == pytest.approx(float(np.mean(wrong)))
    assert found.n == len(wrong)


def test_no_choice_among_the_thresholds_has_a_lower_error() -> None:
    records = make(1)
    assert records.curve is not None
    bound = OraclePerImage()(records)["oracle_per_image"].value
    rng = np.random.default_rng(0)
    for _ in range(20):
        chosen = records.curve[np.arange(len(records)), rng.integers(0, 4, len(records))]
        assert GtKnown()(make(1, label_boxes=chosen))["gt_known"].value >= bound
    right = hits(records.curve, records.truth, records.owner)
    best = records.curve[np.arange(len(records)), right.argmax(axis=1)]
    assert GtKnown()(make(1, label_boxes=best))["gt_known"].value == bound


def test_it_is_left_out_where_no_curve_was_recorded() -> None:
    empty = np.empty((60, 0, 4), np.int32)
    assert OraclePerImage()(make(0, curve=None, grid=())) == {}
    assert OraclePerImage()(make(0, curve=empty, grid=())) == {}
    assert OraclePerImage()(make(0, n=0)) == {}
