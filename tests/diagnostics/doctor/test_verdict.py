"""When a measured error agrees with a stated one, and what is said of it."""

import numpy as np
import pytest

from benchmark.diagnostics.doctor.model import Accuracy
from benchmark.diagnostics.doctor.passport import Expected
from benchmark.diagnostics.doctor.verdict import AGREES, CONTRADICTS, DOUBTFUL, judge, lines

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
