"""Areas under the curves: the mean over an image's pairs, then over the images."""

import pytest
from helpers.handmade_pairs import number, pairs

from benchmark.tasks.pairs.metrics.deletion_insertion import DeletionInsertion
from benchmark.tasks.pairs.types import Answers

METRIC = DeletionInsertion("deletion_insertion", 1)


def test_an_image_of_many_classes_weighs_as_much_as_one_of_one() -> None:
    made = pairs("aaab", deletion=[0.1, 0.2, 0.3, 0.8], insertion=[1, 0, 0.5, 0.1])
    statistics = METRIC(Answers(made))
    assert list(statistics) == ["deletion", "insertion"]
    assert number(statistics["deletion"]) == pytest.approx((0.2 + 0.8) / 2)
    assert number(statistics["insertion"]) == pytest.approx((0.5 + 0.1) / 2)
    assert not statistics["deletion"].fraction
