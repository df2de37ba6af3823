"""Paired differences, and McNemar's test against a second derivation."""

from itertools import product
from math import comb

import numpy as np
import pytest

from benchmark.core.bootstrap import Numbers
from benchmark.core.paired import Statistic, compared, first, mcnemar, outcomes


@pytest.mark.parametrize(("alone", "others"), [(0, 0), (5, 0), (3, 9), (12, 4), (7, 7)])
def test_mcnemars_p_is_that_of_all_ways_to_throw_a_coin(alone: int, others: int) -> None:
    one = np.array([True] * alone + [False] * others + [True, False])
    other = np.array([False] * alone + [True] * others + [True, False])
    found = mcnemar(one, other)
    n, uneven = alone + others, max(alone, others)
    ways = sum(comb(n, heads) for heads in range(n + 1) if max(heads, n - heads) >= uneven)
    assert found[:2] == (alone, others)
    assert found.p == pytest.approx(ways / 2**n)


def test_only_images_that_both_have_are_compared_whatever_their_order() -> None:
    one = outcomes(["a", "b", "c", "x"], np.array([True, False, True, True]), np.ones(4, np.bool_))
    other = outcomes(
        ["c", "y", "b", "a"], np.array([False, True, False, True]), np.array([True, True, True, False])
    )
    found = compared(one, other)  # of b and c
    assert found is not None
    assert found.mcnemar is not None
    assert (found.estimate.value, found.estimate.n, found.mcnemar[:2]) == (0.5, 2, (1, 0))
    assert compared(one, outcomes(["z"], np.array([True]), np.array([True]))) is None


def test_a_maximum_over_columns_is_compared_by_drawing_images_with_both_runs_values() -> None:
    def most(means: Numbers) -> Numbers:
        found: Numbers = means.max(axis=1)
        return found

    values = np.array(list(product([False, True], repeat=2)) * 3)
    one = Statistic(tuple(map(str, range(12))), values, most)
    same = compared(one, one)
    assert same is not None
    assert (same.estimate[:3], same.mcnemar) == ((0.0, 0.0, 0.0), None)
    low = Statistic(one.image_ids, np.zeros((12, 1)), first)
    apart = compared(one, low)
    assert apart is not None
    assert apart.estimate.value == 0.5
    assert apart.estimate.low < 0.5 < apart.estimate.high
