"""Mass is a mean over classes of pairs with a region, accuracy a share of pairs."""

import pytest
from helpers.handmade_pairs import number, pairs

from benchmark.tasks.pairs.metrics.region_mass import RegionMass
from benchmark.tasks.pairs.types import Answers


def test_the_numbers_are_those_of_the_pairs_that_count() -> None:
    made = pairs(
        "abcdef",
        label=[0, 0, 0, 1, 1, 1],
        labelled=[True, True, True, True, True, False],
        rank=[0, 1, 0, 0, 1, 0],
        region_share=[0.1, 0.3, 0.0, 0.2, 0.0, 0.9],
        region_mass=[0.5, 0.7, 0.0, 0.2, 0.0, 0.9],
    )
    metric = RegionMass("region_mass", 1, classes=(1,))
    found = {name: number(one) for name, one in metric(Answers(made)).items()}
    assert list(found) == [*metric.gives]
    assert found == pytest.approx(
        {
            "accuracy": 3 / 5,
            "mass": (0.6 + 0.2) / 2,
            "mass_chance": (0.2 + 0.2) / 2,
            "accuracy_with": 2 / 3,
            "accuracy_without": 1 / 2,
            "mass_1": 0.2,
            "accuracy_with_1": 1,
            "accuracy_without_1": 0,
        }
    )
