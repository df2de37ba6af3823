"""Peaks on images of two classes: whether a map of one has its peak on an object of the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.core.options import Count
from benchmark.core.paired import Statistic, first
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import Owner, answered, column, owners
from benchmark.tasks.pairs.types import Answers, Column, Pairs

_PEAKS = ("peak_on_own", "peak_on_other", "peak_on_other_either")
_GIVES = (*_PEAKS, *(f"{name}_chance" for name in _PEAKS))


@dataclass(frozen=True)
class Counterfactual(MapMetric, group="pair_metric.counterfactual"):
    """The share of images of two classes on which the map of one class has its peak on the other.

    A counterfactual map shows what lowers the score of its class (protocol §7.5), and should peak on the
    other class; any other map should peak on its own. Only images that hold exactly two classes count, with
    maps of both and neither of them difficult throughout. An object is its mask, or its box if it has none.
    Objects of the two classes may overlap; a peak there counts as on both. A constant map has its peak at the
    first pixel that the network has seen.

    =========================  =======================================================================
    ``peak_on_other``          share of the pairs, two an image, whose peak is inside the other class
    ``peak_on_own``            share of them whose peak is inside their own
    ``peak_on_other_either``   share of the images of which at least one of both pairs is on the other
    ``…_chance``               the same of a random pixel of the image; for ``either``, of two drawn
                               independently: 1 - (1 - a) (1 - b)
    =========================  =======================================================================

    Attributes:
        limit: Number of these images to use, the first in stored order; ``None`` for all.
        gives: Names of its statistics.
    """

    limit: Count | None = None
    gives: ClassVar[tuple[str, ...]] = _GIVES

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the three shares, and what chance would give of each.

        Raises:
            UserError: If the pairs lack the columns of the reading ``summary``.
        """
        pairs = answers.pairs
        inside = {w: column(pairs, f"{w}_distance", "summary") == 0 for w in ("own", "other")}
        chance = {"own": pairs.columns["share"], "other": pairs.columns["other_share"]}
        images, rows = self._rows(pairs)
        found = {}
        for which in ("own", "other"):
            found[f"peak_on_{which}"] = inside[which][rows].mean(axis=1)
            found[f"peak_on_{which}_chance"] = chance[which][rows].mean(axis=1)
        found["peak_on_other_either"] = _either(inside["other"][rows])
        found["peak_on_other_either_chance"] = _either(chance["other"][rows])
        return answered(
            {
                name: Statistic(
                    images, values[:, None].astype(np.float64), first, not name.endswith("chance")
                )
                for name, values in found.items()
            }
        )

    def _rows(self, pairs: Pairs) -> tuple[tuple[str, ...], Owner]:
        """Return the images that count, and the rows ``[images, 2]`` of their pairs."""
        images, owner = owners(pairs)
        columns = pairs.columns
        asked = columns["labelled"] & ~columns["difficult"] & (columns["classes"] == 2)
        counts = np.bincount(owner[asked], minlength=len(images))
        kept = np.flatnonzero(counts == 2)[: self.limit]
        rows = np.flatnonzero(asked & np.isin(owner, kept))
        in_order = rows[np.argsort(owner[rows], kind="stable")]
        return tuple(images[place] for place in kept), in_order.reshape(-1, 2)


def _either(chances: Column) -> Column:
    """Return the probability that at least one of two independent events happens, ``[n]`` of ``[n, 2]``."""
    either: Column = 1 - (1 - chances.astype(np.float64)).prod(axis=1)
    return either
