"""Numbers that are functions of means over images, and how two of them differ over the same images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.core.bootstrap import UNBOUNDED, Numbers, bootstrap, clopper_pearson
from benchmark.core.types import BoolArray, Estimate

_RESAMPLES = 10_000


@dataclass(frozen=True)
class Statistic:
    """A number that is a function of the images' means, so that images can be drawn with replacement.

    Attributes:
        image_ids: ``[n]`` distinct images.
        values: ``[n, t]`` of each image, float64 or bool.
        reduce: Maps means ``[r, t]`` to the number ``[r]``; for the mean of one column, ``first``.
        fraction: Whether the number is a fraction of n trials, so that 0 and 1 get the exact interval.
    """

    image_ids: tuple[str, ...]
    values: npt.NDArray[Any]
    reduce: Callable[[Numbers], Numbers]
    fraction: bool = False


def first(means: Numbers) -> Numbers:
    """Return the first column's mean: the ``Statistic.reduce`` of one number an image."""
    return means[:, 0]


def outcomes(image_ids: Sequence[str], outcome: BoolArray, counted: BoolArray) -> Statistic:
    """Return the share of true outcomes ``[n]`` among the images ``[n]`` that count."""
    ids = tuple(image for image, kept in zip(image_ids, counted, strict=True) if kept)
    return Statistic(ids, outcome[counted][:, None], first, fraction=True)


class Discordant(NamedTuple):
    """McNemar's test of two yes-or-no outcomes of the same images.

    Attributes:
        first: Images on which the first outcome alone is true.
        second: Images on which the second alone is.
        p: Exact two-sided p-value: how often a fair coin, thrown for each of these images, falls at least as
            unevenly; 1 where there is no such image.
    """

    first: int
    second: int
    p: float


class PairedDifference(NamedTuple):
    """How two numbers differ over the images that both have.

    Attributes:
        estimate: The first less the second, with its paired 95 % bootstrap interval.
        mcnemar: McNemar's test; ``None`` where the two are no shares of yes-or-no outcomes.
    """

    estimate: Estimate
    mcnemar: Discordant | None


def mcnemar(one: BoolArray, other: BoolArray) -> Discordant:
    """Return McNemar's exact test of two outcomes ``[n]``.

    Source: McNemar, Psychometrika 12 (1947), in the exact form: binomial, with probability 1/2.
    """
    from scipy.stats import binomtest  # takes longer to import than a table to print

    alone, others = int((one & ~other).sum()), int((other & ~one).sum())
    return Discordant(
        alone, others, float(binomtest(alone, alone + others).pvalue) if alone + others else 1.0
    )


def paired(one: BoolArray, other: BoolArray) -> Estimate:
    """Return the share of the first outcome less that of the second, with its interval over the images.

    Where no image changes, every resample is alike; the interval then is that of a change that was seen in 0
    of ``n`` images, in either direction (Clopper and Pearson).
    """
    change = one.astype(np.int8) - other.astype(np.int8)
    if change.any():
        interval = bootstrap(change, first, _RESAMPLES)
    else:
        most = clopper_pearson(len(change))[0][1]
        interval = (-most, most)
    return Estimate(float(change.mean()), *interval, len(change))


def common(one: Statistic, other: Statistic) -> tuple[Statistic, Statistic] | None:
    """Return both over the images that both have, in the first one's order; ``None`` if there is none."""
    places = {image: number for number, image in enumerate(other.image_ids)}
    shared = [(n, places[image]) for n, image in enumerate(one.image_ids) if image in places]
    if not shared:
        return None
    ours, theirs = np.array(shared).T
    ids = tuple(one.image_ids[n] for n in ours)
    return (
        Statistic(ids, one.values[ours], one.reduce, one.fraction),
        Statistic(ids, other.values[theirs], other.reduce, other.fraction),
    )


def joined(one: Statistic, other: Statistic) -> Statistic | None:
    """Return the first less the second as one statistic over the images that both have, if there are any."""
    both = common(one, other)
    if both is None:
        return None
    width = one.values.shape[1]

    def reduce(means: Numbers) -> Numbers:
        less: Numbers = one.reduce(means[:, :width]) - other.reduce(means[:, width:])
        return less

    return Statistic(both[0].image_ids, np.concatenate([each.values for each in both], axis=1), reduce)


def compared(one: Statistic, other: Statistic) -> PairedDifference | None:
    """Return by how much the first number exceeds the second over the images that both have, if any."""
    both, whole = common(one, other), joined(one, other)
    if both is None or whole is None:
        return None
    left, right = (each.values for each in both)
    if left.dtype == right.dtype == np.bool_ and left.shape[1] == right.shape[1] == 1:
        return PairedDifference(paired(left[:, 0], right[:, 0]), mcnemar(left[:, 0], right[:, 0]))
    value = float(whole.reduce(whole.values.mean(axis=0, keepdims=True))[0])
    count = len(whole.image_ids)
    ends = bootstrap(whole.values, whole.reduce, _RESAMPLES) if count > 1 else UNBOUNDED
    return PairedDifference(Estimate(value, *ends, count), None)
