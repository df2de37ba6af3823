"""The pointing game: whether a map's maximum lies on an object of its class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.core.options import Natural, Positive
from benchmark.core.paired import Statistic
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import answered, class_mean, column, pair_share
from benchmark.tasks.pairs.types import Answers

_SMALL = 0.25
_GIVES = ("pointing", "pointing_difficult", "pointing_all_pairs", "pointing_chance")


@dataclass(frozen=True)
class PointingGame(MapMetric, group="pair_metric.pointing_game"):
    """The share of maps whose maximum lies on an object of their class, or less than the tolerance from one.

    Source: Zhang et al. (Excitation Backprop, IJCV 2018), by its authors' code and TorchRay (protocol §7.1).
    The pairs are those of an image and a class that it holds, without classes of which all objects are
    difficult; if one is not, all objects of the class count. Distances are in pixels of the original image,
    from the maximum (the first of equal ones) to an object's nearest pixel. A constant map points at the
    first pixel that the network has seen, and so mostly misses.

    ======================  ==========================================================================
    ``pointing``            hits / trials of each class, averaged over the classes
    ``pointing_difficult``  the same over pairs of which the class covers less than a quarter of the
                            image and the image holds another class too
    ``pointing_all_pairs``  hits / trials over all pairs, in which frequent classes weigh more
    ``pointing_chance``     ``pointing`` of a random pixel of the image, without a tolerance: the share
                            that the class covers; the tolerance would add to it
    ======================  ==========================================================================

    The difficult pairs follow the authors' rule; their released lists may differ in single pairs, for
    instance since overlapping objects are counted once here.

    Attributes:
        tolerance: Distance below which a maximum hits, in pixels, above 0; with 1 only the object's own
            pixels count.
        leave_out: Labels that do not count, such as a caption as a whole beside its words.
        gives: Names of its statistics.
    """

    tolerance: Positive = 15.0
    leave_out: tuple[Natural, ...] = ()
    gives: ClassVar[tuple[str, ...]] = _GIVES

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the four shares.

        Raises:
            UserError: If the pairs lack the columns of the reading ``summary``.
        """
        pairs, columns = answers.pairs, answers.pairs.columns
        hits = column(pairs, "own_distance", "summary") < self.tolerance
        trials = columns["labelled"] & ~columns["difficult"] & ~np.isin(columns["label"], self.leave_out)
        hard = trials & (columns["share"] < _SMALL) & (columns["classes"] > 1)
        return answered(
            {
                "pointing": class_mean(pairs, hits, trials),
                "pointing_difficult": class_mean(pairs, hits, hard),
                "pointing_all_pairs": pair_share(pairs, hits, trials),
                "pointing_chance": class_mean(pairs, columns["share"], trials, fraction=False),
            }
        )
