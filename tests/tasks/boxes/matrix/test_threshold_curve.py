"""GT-known error over thresholds, counted image by image."""

import numpy as np
from helpers.random_records import make, overlap, random_boxes

from benchmark.core.types import Records
from benchmark.metrics.max_box_acc import MaxBoxAcc
from benchmark.tasks.boxes.matrix.threshold import ThresholdCurve, curve_of


def counted(records: Records, column: int, iou: float) -> float:
    """Wrong images among those not on the blacklist, with loops."""
    wrong, total = 0, 0
    for row in np.flatnonzero(~records.blacklisted):
        assert records.curve is not None
        box = records.curve[row, column]
        wrong += not any(overlap(box, truth) >= iou for truth in records.truth[records.owner == row])
        total += 1
    return wrong / total


def test_each_point_is_the_error_counted_image_by_image() -> None:
    records = make(seed=5)
    curve = curve_of(records, 0.5)
    assert curve is not None
    assert curve.thresholds.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert np.allclose(curve.errors, [counted(records, column, 0.5) for column in range(4)], atol=1e-12)
    assert curve.n == int((~records.blacklisted).sum())


def test_of_several_boxes_at_one_threshold_the_first_counts() -> None:
    curve = random_boxes(np.random.default_rng(3), 60, 6)
    records = make(seed=5, curve=curve, grid=(0.1, 0.1, 0.1, 0.2, 0.2, 0.2))
    found = curve_of(records, 0.5)
    assert found is not None
    assert found.thresholds.tolist() == [0.1, 0.2]
    assert np.allclose(found.errors, [counted(records, column, 0.5) for column in (0, 3)], atol=1e-12)


def test_overlaps_that_a_localizer_counted_in_its_frame_are_no_gt_known_error() -> None:
    records = make(seed=5, overlaps=np.ones((60, 4)))
    found, expected = curve_of(records, 0.5), curve_of(make(seed=5), 0.5)
    assert found is not None
    assert expected is not None
    assert found.errors.tolist() == expected.errors.tolist()
    assert MaxBoxAcc()(records)["max_box_acc"].value == 1


def test_the_best_threshold_is_the_lowest_of_equal_ones() -> None:
    curve = ThresholdCurve(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.5, 0.25, 0.25, 0.75]), 4)
    assert curve.best == 0.2


def test_without_a_recorded_curve_or_an_image_that_counts_there_is_none() -> None:
    assert curve_of(make(seed=1, curve=None, grid=()), 0.5) is None
    assert curve_of(make(seed=1, blacklisted=np.ones(60, np.bool_)), 0.5) is None
