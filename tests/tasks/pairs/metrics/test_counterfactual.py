"""Peaks on the other class, on images with the answer beside them."""

from typing import Any

import pytest
from helpers.handmade_pairs import number, pairs

from benchmark.core.errors import UserError
from benchmark.tasks.pairs.metrics.counterfactual import Counterfactual
from benchmark.tasks.pairs.types import Answers, Pairs


def found(made: Pairs, limit: int | None = None) -> dict[str, float]:
    statistics = Counterfactual("counterfactual", 1, limit)(Answers(made))
    return {name: number(statistic) for name, statistic in statistics.items()}


def three_images() -> Pairs:
    """``b``: both peaks on the other class; ``a``: one on its own, one where both overlap; ``c``: none."""
    return pairs(
        "bbaacc",
        label=[0, 1] * 3,
        classes=2,
        own_distance=[3, 8, 0, 0, 1, 1],
        other_distance=[0, 0, 0.5, 0, 1, 1],
        share=[0.1, 0.2, 0.3, 0.4, 0.5, 0.1],
        other_share=[0.2, 0.1, 0.4, 0.3, 0.1, 0.5],
    )


def test_by_hand() -> None:
    assert found(three_images()) == pytest.approx(
        {
            "peak_on_own": 2 / 6,
            "peak_on_own_chance": 1.6 / 6,
            "peak_on_other": 3 / 6,
            "peak_on_other_chance": 1.6 / 6,
            "peak_on_other_either": 2 / 3,
            "peak_on_other_either_chance": ((1 - 0.8 * 0.9) + (1 - 0.6 * 0.7) + (1 - 0.9 * 0.5)) / 3,
        }
    )


def test_a_limit_takes_the_first_images_in_stored_order() -> None:
    assert found(three_images(), limit=1)["peak_on_other"] == 1
    assert found(three_images(), limit=2)["peak_on_other"] == 3 / 4
    assert found(three_images(), limit=9) == found(three_images())


def test_images_of_another_number_of_classes_or_without_both_pairs_do_not_count() -> None:
    made = pairs(
        "aabbccdee",
        classes=[3, 3, 2, 2, 2, 2, 2, 2, 2],
        labelled=[True, True, True, True, True, False, True, True, True],
        difficult=[False, False, False, True, False, False, False, False, False],
        own_distance=[5] * 7 + [0, 0],
        other_distance=5,
    )
    assert found(made)["peak_on_own"] == 1
    assert found(pairs("ab", own_distance=0, other_distance=0)) == {}


def test_pairs_of_classes_that_are_not_there_stand_in_no_ones_way() -> None:
    made = pairs(
        "aaa", classes=2, labelled=[True, False, True], own_distance=[0, 9, 9], other_distance=[9, 0, 0]
    )
    assert found(made)["peak_on_own"] == found(made)["peak_on_other"] == 0.5


@pytest.mark.parametrize("limit", [0, -1, 2.5, True])
def test_a_limit_that_is_no_number_of_images_is_refused(limit: Any) -> None:
    with pytest.raises(UserError, match=r"counterfactual\.limit="):
        Counterfactual("counterfactual", 1, limit)
