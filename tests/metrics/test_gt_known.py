import numpy as np
import pytest
from helpers.random_records import make, overlap

from benchmark.metrics.gt_known import GtKnown


@pytest.mark.parametrize("seed", range(5))
def test_the_error_is_that_of_the_label_box_written_out(seed: int) -> None:
    records = make(seed)
    boxes = records.label_boxes
    assert boxes is not None
    errors = [
        all(overlap(boxes[row], box) < 0.5 for box in records.truth[records.owner == row])
        for row in range(len(records))
        if not records.blacklisted[row]
    ]
    found = GtKnown()(records)["gt_known"]
    assert found.value == pytest.approx(sum(errors) / len(errors))
    assert found.n == len(errors)


def test_predictions_do_not_matter() -> None:
    wrong = make(0, classes=np.full((60, 5), 99, np.int32))
    assert GtKnown()(wrong) == GtKnown()(make(0))


def test_it_is_left_out_without_label_boxes_and_without_images() -> None:
    assert GtKnown()(make(0, label_boxes=None)) == {}
    assert GtKnown()(make(0, blacklisted=np.ones(60, np.bool_))) == {}
