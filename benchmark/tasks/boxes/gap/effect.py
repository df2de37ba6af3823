"""What one change does to an error, image by image, and how far that can be trusted."""

from dataclasses import dataclass

import numpy as np

from benchmark.core.bootstrap import Numbers, bootstrap, bounded, clopper_pearson
from benchmark.core.types import Estimate
from benchmark.tasks.boxes.gap.scoring import Outcomes


@dataclass(frozen=True)
class Effect:
    """A change of an error.

    Attributes:
        estimate: Error after less error before, its interval by the paired bootstrap over the images.
        worse: Images that were right, or not counted, and are wrong.
        better: Images that were wrong and are right, or not counted.
    """

    estimate: Estimate
    worse: int
    better: int


def effect(before: Outcomes, after: Outcomes, resamples: int, seed: int = 0) -> Effect:
    """The effect of going from one way of counting the same images to another.

    Each resample draws images, not outcomes, and takes both errors of them, also where the two do not count
    the same images. Where no image changes, every resample is alike; the interval then is that of a change
    that was seen in 0 of ``n`` images, in either direction (Clopper and Pearson).

    Args:
        before: Of all images.
        after: Of the same images in the same order.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """
    first, second = (o.wrong & o.counted for o in (before, after))
    n = int((before.counted | after.counted).sum())
    value = after.error - before.error
    columns = (first, before.counted, second, after.counted)
    if (first == second).all() and (before.counted == after.counted).all():
        most = clopper_pearson(n)[0][1]
        low, high = -most, most
    else:
        low, high = bootstrap(np.stack(columns, axis=1), _difference, resamples, seed)
    return Effect(Estimate(value, low, high, n), int((second & ~first).sum()), int((first & ~second).sum()))


def _difference(means: Numbers) -> Numbers:
    """From means of wrong and counted, before and after, to the difference of the two errors."""
    return _share(means[:, 2], means[:, 3]) - _share(means[:, 0], means[:, 1])


def _share(part: Numbers, whole: Numbers) -> Numbers:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def error(found: Outcomes, resamples: int, seed: int = 0) -> Estimate:
    """The error itself, with its interval."""
    wrong = found.wrong[found.counted]
    interval = bootstrap(wrong, lambda means: means[:, 0], resamples, seed)
    return bounded(found.error, len(wrong), interval)
