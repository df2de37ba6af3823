"""Average precision of a ranking, by the rules of PASCAL VOC.

Source: Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge" (IJCV 2010), §4.2. With the
images ordered by score, and precision ``p`` and recall ``r`` after each of them, the interpolated precision
at ``r`` is ``max p(r')`` over ``r' >= r``, and AP its mean over ``r`` = 0, 0.1, …, 1. The challenges from
2010 on take the area under it instead. Images of equal score enter together: their order does not matter.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_ROUNDING = 1e-9
"""A recall of 3/10 is to reach the level 0.3, whatever its last bit."""


class AveragePrecision(NamedTuple):
    """Average precision by both rules, fractions.

    Attributes:
        voc2007: Mean of the interpolated precision at eleven levels of recall.
        voc2010: Area under the interpolated precision over recall.
    """

    voc2007: float
    voc2010: float


def interpolated(scores: npt.ArrayLike, positive: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    """Return interpolated precision and recall ``[t]`` after each distinct score, the best first.

    Args:
        scores: ``[n]``.
        positive: ``[n]`` truths, of which at least one is true.
    """
    values, truth = np.asarray(scores, np.float64), np.asarray(positive, np.bool_)
    order = np.argsort(-values, kind="stable")
    ranked, found = values[order], np.cumsum(truth[order])
    last = np.append(ranked[1:] != ranked[:-1], True)  # of several images of one score
    precision = (found / np.arange(1, len(order) + 1))[last]
    return np.maximum.accumulate(precision[::-1])[::-1], found[last] / found[-1]


def average_precision(scores: npt.ArrayLike, positive: npt.ArrayLike) -> AveragePrecision:
    """Return the average precision of ``[n]`` scores for ``[n]`` truths, of which at least one is true.

    >>> [round(value, 4) for value in average_precision([0.9, 0.8, 0.7], [True, False, True])]
    [0.8485, 0.8333]
    """
    precision, recall = interpolated(scores, positive)
    levels = np.arange(11) / 10
    eleven = precision[np.searchsorted(recall, levels - _ROUNDING)]  # recall ends at 1: each level has one
    return AveragePrecision(float(eleven.mean()), float((np.diff(recall, prepend=0.0) * precision).sum()))


def by_class(scores: Numbers, truth: Numbers) -> list[AveragePrecision | None]:
    """Return the average precision of each class; ``None`` for a class without a positive image.

    Args:
        scores: ``[n, C]``.
        truth: ``[n, C]``: 1 where the image shows the class, 0 where not, negative where the image is left
            out of this class (in VOC: its objects of the class are all difficult).
    """
    columns = ((one[known >= 0], known[known >= 0] > 0) for one, known in zip(scores.T, truth.T, strict=True))
    return [average_precision(one, positive) if positive.any() else None for one, positive in columns]
