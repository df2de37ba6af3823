"""When an accuracy is called near chance, and when it is not."""

import pytest
from scipy.stats import binom

from benchmark.diagnostics.doctor.model import Accuracy
from benchmark.diagnostics.doctor.verdict import near_chance


@pytest.mark.parametrize(
    ("measured", "outputs", "wrong"),
    [
        (Accuracy(0.001, 0.005, 200), 1000, True),
        (Accuracy(0.04, 0.1, 2000), 1000, True),  # forty times chance, and no use all the same
        (Accuracy(0.56, 0.8, 200), 1000, False),
        (Accuracy(0.0, 0.0, 5), 1000, False),
        (Accuracy(0.0, 0.0, 20), 1000, True),
        (Accuracy(0.1, 0.3, 200), 20, True),
        (Accuracy(0.4, 0.8, 200), 20, False),
    ],
)
def test_only_an_accuracy_near_chance_on_enough_images_is_a_near_chance(
    measured: Accuracy, outputs: int, wrong: bool
) -> None:
    assert bool(near_chance(measured, outputs)) == wrong


@pytest.mark.parametrize(
    ("top1", "n", "outputs", "wrong"),
    [
        (0.95, 100, 3, False),
        (1.0, 20, 2, False),
        (0.8, 50, 2, False),
        (0.7, 200, 2, False),
        (0.5, 200, 2, True),
        (0.0, 200, 2, True),  # both classes exchanged
        (0.33, 200, 3, True),
        (0.7, 20, 2, False),  # may be chance and may be good: 20 images do not tell
    ],
)
def test_of_few_classes_a_good_net_is_told_from_chance(
    top1: float, n: int, outputs: int, wrong: bool
) -> None:
    assert bool(near_chance(Accuracy(top1, 1.0, n), outputs)) == wrong


@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize("outputs", [2, 3, 5, 20, 1000])
def test_a_net_half_way_from_chance_to_perfection_is_hardly_ever_at_near_chance(n: int, outputs: int) -> None:
    faulty = [k for k in range(n + 1) if near_chance(Accuracy(k / n, 1.0, n), outputs)]
    assert binom(n, (1 + 1 / outputs) / 2).pmf(faulty).sum() < 0.002  # Wilson: 0.0005, approximately


@pytest.mark.parametrize("outputs", [2, 3, 20, 1000])
def test_a_net_that_guesses_is_nearly_always_at_near_chance(outputs: int) -> None:
    faulty = [k for k in range(201) if near_chance(Accuracy(k / 200, 1.0, 200), outputs)]
    assert binom(200, 1 / outputs).pmf(faulty).sum() > 0.99
