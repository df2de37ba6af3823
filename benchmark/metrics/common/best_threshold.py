"""The best accuracy over thresholds, and what is left of it once the choice of the threshold is paid for."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.core.bootstrap import Numbers, bounded, central, resampled
from benchmark.core.paired import Statistic
from benchmark.core.types import BoolArray, Estimate


class BestAccuracy(NamedTuple):
    """The best accuracy over thresholds.

    Attributes:
        apparent: At the threshold that is best on the very images that are scored, chosen anew in each
            resample. It is biased upward, the more the fewer images there are.
        corrected: The same without the optimism of that choice.
        chosen: ``[resamples, s]`` index of the threshold that is best in each resample, in each setting.
    """

    apparent: Estimate
    corrected: Estimate
    chosen: npt.NDArray[np.intp]


def best_accuracy(right: BoolArray, resamples: int, seed: int) -> BestAccuracy:
    """Return the mean over settings of the best accuracy over thresholds, as found and corrected.

    The optimism is Efron's (1983): in each resample of the images the best threshold is chosen anew, and its
    accuracy in the resample is compared with its accuracy on the images themselves; the mean difference is
    taken off the apparent accuracy. The interval of the corrected accuracy is the bootstrap's at the chosen
    threshold, moved by the same amount: the maximum over each resample would be optimistic twice.

    Args:
        right: ``[n, s, t]`` whether each image is right in each setting at each threshold.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    n, settings, thresholds = right.shape
    means = right.mean(axis=0)
    chosen, every = means.argmax(axis=1), np.arange(settings)

    def look(drawn: Numbers) -> Numbers:
        """Return each resample's best accuracy, optimism, accuracy at the chosen thresholds, own choices."""
        drawn = drawn.reshape(-1, settings, thresholds)
        best, anew = drawn.max(axis=2).mean(axis=1), drawn.argmax(axis=2)
        elsewhere = means[every, anew].mean(axis=1)
        return np.column_stack([best, best - elsewhere, drawn[:, every, chosen].mean(axis=1), anew])

    best, optimism, fixed, *anew = resampled(right.reshape(n, -1), look, resamples, seed).T
    apparent = bounded(float(means.max(axis=1).mean()), n, central(best))
    at_chosen = np.array(bounded(apparent.value, n, central(fixed))[:3])
    value, low, high = np.clip(at_chosen - optimism.mean(), 0, 1).tolist()
    return BestAccuracy(apparent, Estimate(value, low, high, n), np.stack(anew, axis=1).astype(np.intp))


def best_statistic(image_ids: tuple[str, ...], right: BoolArray) -> Statistic:
    """Return the mean over settings of the best accuracy, chosen anew in each resample of the images.

    Args:
        image_ids: Identifiers of the n images.
        right: ``[n, s, t]`` whether each image is right in each setting at each threshold.
    """
    n, settings, thresholds = right.shape

    def best(means: Numbers) -> Numbers:
        found: Numbers = means.reshape(-1, settings, thresholds).max(axis=2).mean(axis=1)
        return found

    return Statistic(image_ids, right.reshape(n, -1), best)
