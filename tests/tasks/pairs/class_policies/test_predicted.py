"""The network's best outputs, and the two ways of asking for them."""

from typing import Any

import numpy as np
import pytest
import torch

from benchmark.core.errors import UserError
from benchmark.core.types import Objects, Sample
from benchmark.tasks.pairs.class_policies.labelled_and_top5 import LabelledAndTop5
from benchmark.tasks.pairs.class_policies.predicted import Predicted

OUTPUTS = np.array([7, 1, 5], np.int32)
LOGITS = torch.tensor([[0, 5, 1, 4, 2, 3, -1, -2], [-8, -7, -6, -5, -4, -3, -2, -1]], dtype=torch.float32)
BOXES = np.array([[0, 0, 2, 2], [1, 1, 3, 3]], np.int32)
DIFFICULT = Objects(np.array([2, 0], np.int32), BOXES, np.array([True, False]))
SAMPLES = (Sample("a", None, 0, BOXES, objects=DIFFICULT), Sample("b", None, 1, BOXES))


def test_the_best_outputs_are_those_of_a_sort() -> None:
    for count in (1, 3, 8):
        made = Predicted(count=count)(SAMPLES, OUTPUTS, LOGITS)
        assert made.dtype == torch.int64
        assert made.tolist() == (-LOGITS).argsort(1)[:, :count].tolist()


@pytest.mark.parametrize("count", [0, -1, 1.5, True, None])
def test_a_count_that_is_none_is_refused(count: Any) -> None:
    with pytest.raises(UserError, match=r"classes\.count="):
        Predicted(count=count)


def test_more_than_the_outputs_cannot_be_predicted() -> None:
    with pytest.raises(UserError, match=r"classes\.count=9: the model has only 8"):
        Predicted(count=9)(SAMPLES, OUTPUTS, LOGITS)


def test_labelled_classes_difficult_ones_included_stand_before_the_five_best() -> None:
    made = LabelledAndTop5()(SAMPLES, OUTPUTS, LOGITS)
    assert made.dtype == torch.int64
    assert made.tolist() == [[7, 5, 1, 3, 5, 4, 2], [1, -1, 7, 6, 5, 4, 3]]


def test_a_network_of_fewer_than_five_outputs_is_asked_for_all() -> None:
    made = LabelledAndTop5()(SAMPLES, np.array([0, 1, 2], np.int32), LOGITS[:, :3])
    assert made.tolist() == [[0, 2, 1, 2, 0], [1, -1, 2, 1, 0]]
