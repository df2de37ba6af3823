"""When a measured error agrees with a stated one, and when an accuracy is near chance."""

import numpy as np
import pytest
from scipy.stats import binom

from benchmark.diagnostics.doctor.model import Accuracy
from benchmark.diagnostics.doctor.passport import Expected
from benchmark.diagnostics.doctor.verdict import AGREES, CONTRADICTS, DOUBTFUL, judge, lines, near_chance

EXPECTED = Expected("ilsvrc_val", "warp", 0.30, 0.10, "somebody", 0.01)


@pytest.mark.parametrize(
    ("top1", "top5", "n", "kind"),
    [
        (0.70, 0.90, 500, AGREES),
        (0.665, 0.89, 500, AGREES),  # chance and the tolerance cover 3.5 points
        (0.64, 0.89, 500, DOUBTFUL),
        (0.55, 0.80, 500, CONTRADICTS),
        (0.70, 0.80, 500, CONTRADICTS),  # by the top five alone
        (0.82, 0.97, 500, CONTRADICTS),  # better than stated is suspicious as well
        (0.55, 0.80, 20, AGREES),  # twenty images tell nothing
        (0.685, 0.89, 50_000, DOUBTFUL),  # all images: what counts is the tolerance
        (0.69, 0.895, 50_000, AGREES),
    ],
)
def test_an_error_is_judged_by_its_interval_and_the_tolerance(
    top1: float, top5: float, n: int, kind: str
) -> None:
    assert judge(Accuracy(top1, top5, n), EXPECTED) == kind


def test_a_sound_net_is_seldom_doubted_and_a_net_ten_points_worse_seldom_passes() -> None:
    rng = np.random.default_rng(0)

    def kinds(top1: float, top5: float) -> list[str]:
        best = rng.random((2000, 500))
        first, fifth = (best < top1).mean(1), (best < top5).mean(1)
        pairs = zip(first.tolist(), fifth.tolist(), strict=True)
        return [judge(Accuracy(a, b, 500), EXPECTED) for a, b in pairs]

    sound, ill = kinds(0.70, 0.90), kinds(0.60, 0.83)
    assert sound.count(AGREES) / 2000 > 0.95
    assert sound.count(CONTRADICTS) <= 1
    assert ill.count(AGREES) / 2000 < 0.02


def test_the_words_hold_both_errors_the_intervals_and_the_suspicion() -> None:
    measured = Accuracy(0.55, 0.80, 500)
    said = "\n".join(lines(measured, EXPECTED))
    for words in (
        "top-1 30.00 %",
        "top-1 45.00 % [40.7, 49.4]",
        "on 500 images",
        "does not agree",
        "1 points",
    ):
        assert words in said
    assert "more is wrong than stated" in said
    better = Accuracy(0.82, 0.97, 500)
    assert "less is wrong" in "\n".join(lines(better, EXPECTED))


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
