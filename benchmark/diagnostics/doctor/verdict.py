"""Whether a measured classification error agrees with the one that a net's passport states."""

from math import sqrt
from typing import NamedTuple

from benchmark.diagnostics.doctor.model import Accuracy
from benchmark.diagnostics.doctor.passport import Expected

AGREES, DOUBTFUL, CONTRADICTS = "agrees", "doubtful", "contradicts"
Z95, Z999 = 1.959964, 3.290527
"""Two-sided normal quantiles."""


class AccuracyVerdict(NamedTuple):
    """What the comparison came to.

    Attributes:
        kind: ``agrees``: the stated errors lie in the measured 95 % intervals, widened by the tolerance.
            ``contradicts``: one lies outside the 99.9 % interval too, so widened. ``doubtful``: between.
        worse: Whether more is wrong than stated.
    """

    kind: str
    worse: bool


def wilson(share: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's (1927) score interval of a fraction observed on ``n >= 1`` images; 95 % by default."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def judge(measured: Accuracy, expected: Expected) -> AccuracyVerdict:
    """Compare both errors with the stated ones."""
    pairs = ((1 - measured.top1, expected.top1), (1 - measured.top5, expected.top5))
    worse = sum(found - stated for found, stated in pairs) > 0

    def within(z: float) -> bool:
        return all(_near(found, stated, measured.n, expected.tolerance, z) for found, stated in pairs)

    return AccuracyVerdict(AGREES if within(Z95) else DOUBTFUL if within(Z999) else CONTRADICTS, worse)


def lines(measured: Accuracy, expected: Expected, verdict: AccuracyVerdict) -> list[str]:
    """The comparison as a person reads it."""
    found = " and ".join(
        f"{name} {100 * error:.2f} % [{100 * low:.1f}, {100 * high:.1f}]"
        for name, error in (("top-1", 1 - measured.top1), ("top-5", 1 - measured.top5))
        for low, high in [wilson(error, measured.n)]
    )
    mean = "mean image" if expected.mean_image else "mean pixel"
    return [
        f"expected    error top-1 {100 * expected.top1:.2f} % and top-5 {100 * expected.top5:.2f} % "
        f"with transform={expected.transform}, {mean} ({expected.source})",
        f"measured    error {found}, 95 % intervals on {measured.n} images",
        f"verdict     {_words(verdict, expected.tolerance)}",
    ]


def _near(found: float, stated: float, n: int, tolerance: float, z: float) -> bool:
    low, high = wilson(found, n, z)
    return low - tolerance <= stated <= high + tolerance


def _words(verdict: AccuracyVerdict, tolerance: float) -> str:
    within = f"{100 * tolerance:g} points beyond chance"
    if verdict.kind == AGREES:
        return f"agrees: weights, class order and preprocessing are the passport's, within {within}"
    direction = (
        "more is wrong than stated: a few points come of preprocessing (transform, mean, model.input.order), "
        "tens of other weights or another class order"
        if verdict.worse
        else "less is wrong than stated: an easier sample, images that the net learned from, or other weights"
    )
    if verdict.kind == DOUBTFUL:
        return f"doubtful, allowing {within}; {direction}; more images tell (images=2000)"
    return f"does not agree, allowing {within}; {direction}"
