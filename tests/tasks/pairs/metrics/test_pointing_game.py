"""The pointing game on pairs with the answer beside them."""

import numpy as np
import pytest
from helpers.handmade_pairs import many, number, pairs

from benchmark.tasks.pairs.metrics.pointing_game import PointingGame
from benchmark.tasks.pairs.types import Answers, Pairs

METRIC = PointingGame("pointing_game", 1)


def found(made: Pairs, metric: PointingGame = METRIC) -> dict[str, float]:
    return {name: number(statistic) for name, statistic in metric(Answers(made)).items()}


@pytest.mark.parametrize(
    ("distance", "hit"), [(0, 1), (14.9, 1), (14.999, 1), (15, 0), (15.1, 0), (np.inf, 0)]
)
def test_a_hit_is_nearer_than_fifteen_pixels(distance: float, hit: float) -> None:
    assert found(pairs("a", own_distance=distance))["pointing"] == hit


def test_with_a_tolerance_of_one_pixel_the_maximum_must_lie_inside() -> None:
    made = pairs("ab", own_distance=[0, 1])
    assert found(made, PointingGame("pointing_game", 1, tolerance=1))["pointing"] == 0.5


def test_each_class_weighs_the_same_however_often_it_is_there() -> None:
    # Class 7: 3 of 4 hits; class 9: 0 of 1.
    made = pairs("abccd", label=[7, 7, 7, 9, 7], own_distance=[0, 0, 99, 99, 0])
    numbers = found(made)
    assert numbers["pointing"] == pytest.approx((3 / 4 + 0) / 2)
    assert numbers["pointing_all_pairs"] == pytest.approx(3 / 5)


def test_a_class_of_difficult_objects_alone_and_one_that_is_not_there_do_not_count() -> None:
    made = pairs(
        "abcd",
        label=[1, 1, 2, 3],
        labelled=[True, True, True, False],
        difficult=[False, True, True, False],
        own_distance=[0, 99, 99, np.inf],
    )
    numbers = METRIC(Answers(made))
    assert number(numbers["pointing"]) == 1
    assert numbers["pointing"].image_ids == ("a",)


def test_difficult_pairs_are_small_ones_beside_another_class() -> None:
    made = pairs(
        "abcd",
        share=[0.24, 0.25, 0.24, 0.1],
        classes=[2, 2, 1, 3],
        own_distance=[0, 99, 99, 99],
    )
    statistics = METRIC(Answers(made))
    assert statistics["pointing_difficult"].image_ids == ("a", "d")
    assert number(statistics["pointing_difficult"]) == 0.5
    assert "pointing_difficult" not in METRIC(Answers(pairs("a", own_distance=0)))


def test_chance_is_what_the_class_covers_averaged_over_classes() -> None:
    made = pairs("abc", label=[0, 0, 1], share=[0.2, 0.4, 0.9], own_distance=0)
    assert found(made)["pointing_chance"] == pytest.approx((0.3 + 0.9) / 2)


def test_random_pairs_give_what_a_walk_over_the_classes_gives() -> None:
    made = many(seed=1)
    tried: dict[int, list[bool]] = {}
    for row in range(len(made)):
        if made.columns["labelled"][row] and not made.columns["difficult"][row]:
            hit = bool(made.columns["own_distance"][row] < 15)
            tried.setdefault(int(made.columns["label"][row]), []).append(hit)
    assert found(made)["pointing"] == pytest.approx(np.mean([np.mean(hits) for hits in tried.values()]))
    together = [hit for hits in tried.values() for hit in hits]
    assert found(made)["pointing_all_pairs"] == pytest.approx(np.mean(together))
