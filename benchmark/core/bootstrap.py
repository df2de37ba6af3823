"""Confidence intervals of measured fractions, by the bootstrap over images."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.core.errors import UserError
from benchmark.core.types import BoolArray, Estimate

Numbers = npt.NDArray[np.float64]
UNBOUNDED = (-math.inf, math.inf)
"""The interval of a number from a single image, which says nothing about others; shown as a dash."""

_TAIL = 0.025
_AT_ONCE = 10_000_000  # counts in memory at a time: 80 MB


def bootstrap(
    values: npt.NDArray[Any], reduce: Callable[[Numbers], Numbers], resamples: int, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic of means over images, drawn with replacement.

    The arguments are those of :func:`resampled`.

    Returns:
        The statistic's 2.5 % and 97.5 % quantiles.

    Raises:
        UserError: If the number of resamples is below 1.
    """
    return central(resampled(values, reduce, resamples, seed))


def central(drawn: Numbers) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % quantiles of resampled statistics ``[resamples]``."""
    low, high = np.quantile(drawn, [_TAIL, 1 - _TAIL])
    return float(low), float(high)


def resampled(
    values: npt.NDArray[Any], reduce: Callable[[Numbers], Numbers], resamples: int, seed: int = 0
) -> Numbers:
    """Return a statistic of means over images in each resample of the images, drawn with replacement.

    A resample counts how often each image was drawn, Multinomial(n; 1/n, …, 1/n). Images with equal values
    are interchangeable, and sums of multinomial counts are multinomial, so it is exact, and no approximation,
    to draw how often each *distinct* value occurs. For 0/1 values that is one binomial draw a resample.

    Args:
        values: ``[n]`` or ``[n, t]``, one row an image; booleans or numbers.
        reduce: Maps resampled means ``[resamples, t]`` (``t`` = 1 for ``[n]``) to a statistic
            ``[resamples]``, or to several, ``[resamples, c]``.
        resamples: Number of resamples.
        seed: Seed of the draws. The result does not depend on the order of the images.

    Returns:
        What ``reduce`` returns, of all resamples.

    Raises:
        UserError: If the number of resamples is below 1.
    """
    if resamples < 1:
        raise UserError(f"resamples is {resamples}; it must be at least 1")
    rows, counts = np.unique(values.reshape(len(values), -1), axis=0, return_counts=True)
    rng, numbers = np.random.default_rng(seed), rows.astype(np.float64)
    drawn = []
    for start in range(0, resamples, _AT_ONCE // len(rows) + 1):
        size = min(_AT_ONCE // len(rows) + 1, resamples - start)
        draws = rng.multinomial(len(values), counts / len(values), size)  # in parts, the same draws as in one
        drawn.append(reduce(draws.astype(np.float64) @ numbers / len(values)))
    return np.concatenate(drawn)


def clopper_pearson(n: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the exact 95 % intervals of a fraction observed as 0 of ``n`` and as ``n`` of ``n``.

    In these cases all resamples are alike and the bootstrap interval has no width, which would claim
    certainty. The bounds are those of Clopper and Pearson (1934): (0, 1 - 0.025^(1/n)) and (0.025^(1/n), 1).
    """
    least = float(_TAIL ** (1 / n))
    return (0.0, 1 - least), (least, 1.0)


def bounded(value: float, n: int, interval: tuple[float, float]) -> Estimate:
    """Return an estimate with its bootstrap interval, or the exact one if the fraction is 0 or 1.

    From a single image a fraction between these is a mean over its pairs or thresholds, and the interval is
    0 to 1.
    """
    none, every = clopper_pearson(n)
    between = (0.0, 1.0) if n == 1 else interval
    low, high = none if value == 0 else every if value == 1 else between
    return Estimate(value, low, high, n)


def fractions(
    outcomes: Mapping[str, BoolArray], resamples: int = 10_000, seed: int = 0
) -> dict[str, Estimate]:
    """Return the fractions of true outcomes ``[n]`` with 95 % intervals, leaving out those without images."""
    estimates = {}
    for name, outcome in outcomes.items():
        if len(outcome):
            interval = bootstrap(outcome, lambda means: means[:, 0], resamples, seed)
            estimates[name] = bounded(float(outcome.mean()), len(outcome), interval)
    return estimates
