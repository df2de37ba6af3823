"""Average precision of a ranking, by the rules of PASCAL VOC.

Source: Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge" (IJCV 2010), §4.2. With the
images ordered by score, and precision ``p`` and recall ``r`` after each of them, the interpolated precision
at ``r`` is ``max p(r')`` over ``r' >= r``, and AP its mean over ``r`` = 0, 0.1, …, 1. The challenges from
2010 on take the area under it instead. Images of equal score enter together: their order does not matter.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_ROUNDING = 1e-9
"""A recall of 3/10 is to reach the level 0.3, whatever its last bit."""


class PrecisionRecall(NamedTuple):
    """Precision and recall after each distinct score, from the best on; ``[t]`` each.

    Attributes:
        precision: Share of positives among the images so far.
        recall: Share of all positives that are among them, ascending.
    """

    precision: Numbers
    recall: Numbers


def curve(scores: npt.ArrayLike, positive: npt.ArrayLike) -> PrecisionRecall:
    """The precision-recall curve of ``[n]`` scores for ``[n]`` truths, of which at least one is true."""
    values, truth = np.asarray(scores, np.float64), np.asarray(positive, np.bool_)
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    found = np.cumsum(truth[order])
    last_of_score = np.append(ranked[1:] != ranked[:-1], True)
    precision = found / np.arange(1, len(ranked) + 1)
    return PrecisionRecall(precision[last_of_score], found[last_of_score] / found[-1])


def voc2007(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """The 11-point interpolated average precision, a fraction.

    >>> round(voc2007([0.9, 0.8, 0.7], [True, False, True]), 4)
    0.8485
    """
    precision, recall = curve(scores, positive)
    levels = np.arange(11) / 10
    best = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(recall, levels - _ROUNDING)  # recall ends at 1, so every level has one
    return float(best[place].mean())


def voc2010(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """The area under the interpolated precision over recall, a fraction.

    >>> round(voc2010([0.9, 0.8, 0.7], [True, False, True]), 4)
    0.8333
    """
    precision, recall = curve(scores, positive)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * best).sum())


class MeanAveragePrecision(NamedTuple):
    """Over the classes of which there is a positive image.

    Attributes:
        map: Mean of the classes' 11-point average precision.
        area: Mean of their areas.
        per_class: ``[C]`` 11-point average precision; NaN for a class without a positive image.
    """

    map: float
    area: float
    per_class: tuple[float, ...]


def mean(scores: Numbers, truth: Numbers) -> MeanAveragePrecision:
    """Mean average precision of ``[n, C]`` scores.

    Args:
        scores: Of each image and class.
        truth: ``[n, C]``: 1 where the image shows the class, 0 where not, negative where the image is left
            out of this class (in VOC: it has difficult objects of it alone).

    Returns:
        NaN throughout where no class has a positive image.
    """
    with_positives = [number for number in range(scores.shape[1]) if (truth[:, number] > 0).any()]
    eleven = np.full(scores.shape[1], np.nan)
    areas: list[float] = []
    for number in with_positives:
        counts = truth[:, number] >= 0
        column, positive = scores[counts, number], truth[counts, number] > 0
        eleven[number] = voc2007(column, positive)
        areas.append(voc2010(column, positive))
    return MeanAveragePrecision(_mean(eleven[with_positives].tolist()), _mean(areas), tuple(eleven.tolist()))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
