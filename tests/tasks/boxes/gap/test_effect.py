"""The effect of a change: its size counted by hand, its interval by a slower bootstrap."""

import numpy as np
import pytest

from benchmark.core.types import BoolArray
from benchmark.tasks.boxes.gap.scoring import Outcomes
from benchmark.tasks.boxes.gap.waterfall import effect, error


def bits(text: str) -> BoolArray:
    return np.array([letter == "1" for letter in text])


def of(wrong: str, counted: str = "") -> Outcomes:
    return Outcomes(bits(wrong), bits(counted or "1" * len(wrong)))


def test_an_effect_is_the_difference_of_two_errors_and_counts_the_images_that_turn() -> None:
    found = effect(of("1100000000"), of("0111000000"), 100)
    assert found.estimate.value == pytest.approx(0.1)
    assert (found.worse, found.better, found.estimate.n) == (2, 1, 10)


def test_images_that_are_counted_on_one_side_alone_change_that_side_s_average() -> None:
    found = effect(of("1100", "1011"), of("1100", "1111"), 100)
    assert found.estimate.value == pytest.approx(2 / 4 - 1 / 3)
    assert (found.worse, found.better, found.estimate.n) == (1, 0, 4)


def test_the_interval_is_that_of_resampled_images() -> None:
    rng = np.random.default_rng(3)
    n = 150
    wrong = [rng.random(n) < share for share in (0.5, 0.4)]
    counted = [rng.random(n) < share for share in (0.8, 1.0)]
    before, after = (Outcomes(w, c) for w, c in zip(wrong, counted, strict=True))
    drawn = rng.integers(0, n, (4000, n))
    shares = [(w & c)[drawn].sum(axis=1) / c[drawn].sum(axis=1) for w, c in zip(wrong, counted, strict=True)]
    expected = np.quantile(shares[1] - shares[0], [0.025, 0.975])
    found = effect(before, after, 10_000).estimate
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.012)


def test_pairing_makes_the_interval_of_a_small_change_narrow() -> None:
    wrong = np.arange(400) % 2 == 0
    turned = wrong.copy()
    turned[:4] = True
    found = effect(Outcomes(wrong, np.ones(400, np.bool_)), Outcomes(turned, np.ones(400, np.bool_)), 2000)
    assert found.estimate.high - found.estimate.low < 0.02
    alone = error(Outcomes(turned, np.ones(400, np.bool_)), 2000)
    assert alone.high - alone.low > 0.08


def test_no_change_is_certain_only_as_far_as_the_number_of_images_allows() -> None:
    """A change of 3 % of the images goes unseen in 100 with a probability of 0.97^100 = 4.8 %."""
    found = effect(of("10" * 50), of("10" * 50), 100).estimate
    assert (found.value, found.low) == (0, -found.high)
    assert (1 - found.high) ** 100 == pytest.approx(0.025)
