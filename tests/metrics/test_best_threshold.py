"""What choosing the threshold on the scored images is worth, and what is left of it after the correction."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from helpers.random_records import make

from benchmark.core.types import BoolArray, Estimate
from benchmark.metrics.common.best_threshold import best_accuracy
from benchmark.metrics.max_box_acc import MaxBoxAcc
from benchmark.metrics.max_box_acc_v2 import MaxBoxAccV2


def population() -> BoolArray:
    """20,000 images, 20 thresholds: each image right in an interval of its own, three in four at any."""
    rng = np.random.default_rng(1)
    centre, reach = rng.beta(2, 3, 20_000), 0.6 * rng.random(20_000)
    near: npt.NDArray[Any] = np.abs(np.arange(20) / 20 - centre[:, None]) < reach[:, None]
    return near & (rng.random(20_000) < 0.75)[:, None]


class Found(NamedTuple):
    """Of an estimate: its mean deviation from the truth in points, and the intervals in % that hold it."""

    bias: float
    covered: float
    above: float


def simulated(images: int, draws: int, resamples: int) -> dict[str, Found]:
    """Estimates on that many images, held against the best accuracy of the whole population."""
    every, rng = population(), np.random.default_rng(5)
    truth = every.mean(axis=0).max()
    kinds: dict[str, list[Estimate]] = {"apparent": [], "corrected": []}
    for number in range(draws):
        drawn = every[rng.integers(0, len(every), images)]
        apparent, corrected, _ = best_accuracy(drawn[:, None], resamples, number)
        kinds["apparent"].append(apparent)
        kinds["corrected"].append(corrected)
    found = {}
    for kind, estimates in kinds.items():
        value, low, high, _ = np.array(estimates).T
        held = (low <= truth) & (truth <= high)
        found[kind] = Found(100 * (value.mean() - truth), 100 * held.mean(), 100 * (low > truth).mean())
    return found


def test_the_best_threshold_s_accuracy_is_biased_and_the_corrected_one_is_not() -> None:
    found = simulated(images=150, draws=800, resamples=250)
    assert found["apparent"].bias > 1
    assert found["apparent"].above > 5  # where 2.5 would be honest
    assert abs(found["corrected"].bias) < 0.6
    assert 93 <= found["corrected"].covered <= 97


@pytest.mark.slow
@pytest.mark.parametrize("images", [50, 150, 500])
def test_the_corrected_interval_holds_the_truth_at_any_number_of_images(images: int) -> None:
    found = simulated(images, draws=1000, resamples=1000)
    print(images, found)  # the figures of docs/protocols.md
    assert abs(found["corrected"].bias) < abs(found["apparent"].bias) / 2
    assert 92.5 <= found["corrected"].covered <= 97


def slowly(right: BoolArray, seed: int) -> float:
    """Efron's optimism, image by image: the best threshold of a resample, there and on all images."""
    rng, n = np.random.default_rng(seed), len(right)
    optimism = []
    for _ in range(4_000):
        drawn = right[rng.integers(0, n, n)]
        gains = []
        for setting in range(right.shape[1]):
            accuracies = drawn[:, setting].mean(axis=0)
            best = int(np.argmax(accuracies))
            gains.append(accuracies[best] - right[:, setting, best].mean())
        optimism.append(np.mean(gains))
    return float(np.mean(optimism))


@pytest.mark.parametrize("settings", [1, 3])
def test_what_is_taken_off_is_the_optimism_written_out(settings: int) -> None:
    right = np.random.default_rng(settings).random((40, settings, 6)) < 0.4
    found = best_accuracy(right, 4_000, 0)
    assert found.apparent.value == pytest.approx(right.mean(axis=0).max(axis=1).mean())
    expected = found.apparent.value - slowly(right, 1)
    assert found.corrected.value == pytest.approx(expected, abs=0.004)  # twice three standard errors
    assert found.corrected.low < found.corrected.value < found.corrected.high


@pytest.mark.parametrize(("value", "low", "high"), [(False, 0, 0.09), (True, 0.91, 1)])
def test_where_all_thresholds_agree_nothing_is_taken_off(value: bool, low: float, high: float) -> None:
    apparent, corrected, _ = best_accuracy(np.full((40, 2, 5), value), 100, 0)
    assert corrected == apparent
    assert corrected[:3] == pytest.approx((float(value), low, high), abs=0.003)


def test_it_stands_beside_both_metrics_and_does_not_depend_on_the_order_of_images() -> None:
    records = make(0)
    both = {**MaxBoxAcc()(records), **MaxBoxAccV2()(records)}
    assert {"max_box_acc_corrected", "max_box_acc_v2_corrected"} < set(both)
    assert both["max_box_acc_corrected"].value < both["max_box_acc"].value
    right = np.random.default_rng(0).random((60, 2, 7)) < 0.5
    assert best_accuracy(right, 200, 0)[:2] == best_accuracy(right[::-1], 200, 0)[:2]
