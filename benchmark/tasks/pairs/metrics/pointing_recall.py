"""The pointing game with recall, the Grad-CAM paper's variant, in which a map may be rejected."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch

from benchmark.core.bootstrap import Numbers
from benchmark.core.errors import UserError
from benchmark.core.options import Count, Positive
from benchmark.core.paired import Statistic
from benchmark.core.types import BoolArray, Sample
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import answered, column, image_sums, owners, pair_share
from benchmark.tasks.pairs.types import Answers, ClassPolicy, Pairs, Reading

_Halves = npt.NDArray[np.int64]
_GIVES = tuple(f"pointing_recall{suffix}" for suffix in ("", "_best", "_never", "_always"))
_OUTPUTS = 100_000  # more than any network has, so that no policy lacks one


@dataclass(frozen=True)
class PointingRecall(MapMetric, group="pair_metric.pointing_recall"):
    """The share of the five best classes' maps that are right: on an object of the class, or else rejected.

    Source: Grad-CAM paper §4.3 (protocol §7.1). A map is *rejected* if its un-normalised maximum is below a
    threshold. The map of a class that the image holds is right if it is not rejected and its maximum is less
    than ``tolerance`` from an object; the map of any other class is right if it is rejected. All pairs weigh
    the same; those whose objects are all difficult are left out. The paper states neither threshold nor
    tolerance.

    ===========================  =====================================================================
    ``pointing_recall``          with the given threshold; or, if it is ``None``, for either half of the
                                 images (by the sha256 of their names) with the best of the other half
    ``pointing_recall_best``     with the best threshold on these very images: a bound
    ``pointing_recall_never``    if no map is rejected
    ``pointing_recall_always``   if each map is rejected: what is right without looking at a map
    ===========================  =====================================================================

    The thresholds that are tried are quantiles of the maxima, never and always; the lowest of equally good
    ones is taken. The confidence interval of ``pointing_recall`` keeps the chosen thresholds; that of
    ``best`` chooses anew in each resample.

    Attributes:
        tolerance: Distance below which a maximum hits, in pixels of the original image, above 0.
        threshold: Threshold on a map's maximum; ``None`` chooses it on the other half of the images.
        best: Number of best classes.
        quantiles: Number of thresholds that are tried, without never and always.
        gives: Names of its statistics.
    """

    tolerance: Positive = 15.0
    threshold: float | None = None
    best: Count = 5
    quantiles: Count = 51
    gives: ClassVar[tuple[str, ...]] = _GIVES

    def check(self, policy: ClassPolicy, readings: Mapping[str, Reading]) -> None:
        """Refuse a class policy that leaves out one of the best classes, by trying it on an image.

        Raises:
            UserError: If the policy does not choose all of them.
        """
        image = Sample("", None, 0, np.array([[0, 0, 1, 1]], np.int32))
        scores = torch.arange(_OUTPUTS, dtype=torch.float32)[None]
        asked = policy([image], np.arange(_OUTPUTS, dtype=np.int32), scores)
        if not set(range(_OUTPUTS - self.best, _OUTPUTS)) <= set(asked[0].tolist()):
            raise self._unasked(f"classes={policy.name}: ")

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the four shares, without ``pointing_recall`` if one half of the images has none.

        Raises:
            UserError: If the pairs lack the columns of the reading ``summary``, or the best classes.
        """
        pairs = answers.pairs
        near = column(pairs, "own_distance", "summary") < self.tolerance
        highest = column(pairs, "highest", "summary").astype(np.float64)
        counted = self._counted(pairs)
        grid = _grid(highest[counted], self.quantiles)
        right = _right(pairs, near, highest[:, None] >= grid)
        used = self._used(pairs, highest, near, counted)
        fair = counted & ~np.isnan(used)
        return answered(
            {
                "pointing_recall": pair_share(pairs, _right(pairs, near, highest >= used), fair),
                "pointing_recall_best": _best(pairs, right, counted),
                "pointing_recall_never": pair_share(pairs, right[:, 0], counted),
                "pointing_recall_always": pair_share(pairs, right[:, -1], counted),
            }
        )

    def _counted(self, pairs: Pairs) -> BoolArray:
        """Return the pairs of the best classes, ``[n]``, without the difficult ones."""
        columns = pairs.columns
        among: BoolArray = columns["rank"] < self.best
        asked = set(columns["rank"][among].tolist())
        if len(pairs) and (len(asked) < self.best or columns["labelled"][among].all()):
            raise self._unasked()
        return among & ~columns["difficult"]

    def _unasked(self, where: str = "") -> UserError:
        return UserError(
            f"{where}pointing_recall needs the maps of each image's {self.best} best classes, there or not; "
            "choose classes that ask them, or another pair_metric.pointing_recall.best"
        )

    def _used(self, pairs: Pairs, highest: Numbers, near: BoolArray, counted: BoolArray) -> Numbers:
        """Return the threshold of each pair, ``[n]``; NaN if the other half of the images has no pair."""
        if self.threshold is not None:
            return np.full(len(pairs), float(self.threshold))
        halves, used = _halves(pairs), np.full(len(pairs), np.nan)
        for half in (0, 1):
            others = counted & (halves != half)
            if others.any():
                grid = _grid(highest[others], self.quantiles)
                right = _right(pairs, near, highest[:, None] >= grid)[others]
                used[halves == half] = grid[right.mean(axis=0).argmax()]
        return used


def _grid(highest: Numbers, quantiles: int) -> Numbers:
    """Return ascending thresholds ``[t]``: never rejecting, the quantiles of the maxima, always rejecting."""
    inner = np.quantile(highest, np.linspace(0, 1, quantiles)) if len(highest) else np.zeros(0)
    grid: Numbers = np.concatenate([[-np.inf], np.unique(inner), [np.inf]])
    return grid


def _right(pairs: Pairs, near: BoolArray, kept: BoolArray) -> BoolArray:
    """Return whether each map ``[n, …]`` is right, given which ``[n, …]`` are not rejected."""
    shape = (-1,) + (1,) * (kept.ndim - 1)
    there = pairs.columns["labelled"].reshape(shape)
    right: BoolArray = np.where(there, kept & near.reshape(shape), ~kept)
    return right


def _best(pairs: Pairs, right: BoolArray, counted: BoolArray) -> Statistic:
    """Return the best share over the thresholds, from columns ``hits at each, trials``."""
    values = np.concatenate([right, np.ones((len(pairs), 1), np.bool_)], axis=1)
    return Statistic(*image_sums(pairs, values, counted), _highest_share, fraction=True)


def _highest_share(means: Numbers) -> Numbers:
    highest: Numbers = (means[:, :-1] / means[:, -1:]).max(axis=1)
    return highest


def _halves(pairs: Pairs) -> _Halves:
    """Return the half of the images of each pair ``[n]``, 0 or 1: the last bit of the name's sha256."""
    images, owner = owners(pairs)
    bits = [hashlib.sha256(image.encode()).digest()[-1] & 1 for image in images]
    return np.array(bits, np.int64)[owner]
