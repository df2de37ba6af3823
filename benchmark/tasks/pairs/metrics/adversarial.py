"""What an attack does to the network's answer, and what it does to the map of the class that is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.core.boxes import iou
from benchmark.core.options import Count, Positive, Share
from benchmark.core.paired import Statistic
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.metrics.common.ranks import even, spearman
from benchmark.tasks.pairs.statistics import answered, column, image_mean
from benchmark.tasks.pairs.types import Answers, Column, Pairs

_READING = "adversarial"
_GIVES = ("target", "target_sure", "target_before", "class_first", "class_first_before")
_OF_MAPS = ("rank_correlation_clean", "box_right", "box_right_before", "box_kept")
_OF_PEAKS = ("pointing_after", "pointing_before")


@dataclass(frozen=True)
class Adversarial(MapMetric, group="pair_metric.adversarial"):
    """The answer, and the map of the class that is there, before and after an attack towards another class.

    Pairs are those of an image and a class that it holds, without classes of which all objects are difficult
    and without pairs whose class is the target itself. Each number is the mean over the pairs of an image,
    then over the images.

    ==========================  =====================================================================
    ``target``, ``…_before``    the target's probability on the attacked image, on the clean one
    ``target_sure``             share of pairs on whose attacked image it is above ``sure``
    ``class_first``, …          share of pairs whose class has the greatest score
    ``rank_correlation_clean``  Spearman's correlation of the attacked map with the clean one, over the
                                cells of a ``grid`` x ``grid`` grid; 0 where either map is constant
    ``box_right``, …            share of pairs whose box overlaps an object by at least ``iou``
    ``box_kept``                overlap of the attacked map's box with the clean map's
    ``pointing_after``, …       share of maps whose maximum is nearer to the object than ``tolerance``
    ==========================  =====================================================================

    Attributes:
        sure: Probability above which the network is sure of the target.
        grid: Cells along a side; the reading ``summary`` must store them.
        iou: Least intersection over union of a right box.
        tolerance: Distance below which a maximum hits, pixels of the original image.
        reads: Names of the readings whose columns it needs.
        gives: Names of its statistics.
    """

    sure: Share = 0.9999
    grid: Count = 14
    iou: Share = 0.5
    tolerance: Positive = 15.0
    reads: ClassVar[tuple[str, ...]] = ("summary", "box", _READING)
    gives: ClassVar[tuple[str, ...]] = (*_GIVES, *_OF_MAPS, *_OF_PEAKS)

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the numbers above.

        Raises:
            UserError: If the pairs lack the columns of the readings.
        """
        pairs, columns = answers.pairs, answers.pairs.columns
        trials = columns["labelled"] & ~columns["difficult"] & ~column(pairs, "attack_self", _READING)
        after, boxes = column(pairs, "attack_after", _READING), column(pairs, "attacked_box", _READING)
        shares: dict[str, Column] = {
            "target_sure": after > self.sure,
            "class_first": column(pairs, "attack_rank", _READING) == 0,
            "class_first_before": columns["rank"] == 0,
            "box_right": column(pairs, "attacked_box_iou", _READING) >= self.iou,
            "box_right_before": column(pairs, "box_iou", "box") >= self.iou,
            "pointing_after": column(pairs, "attacked_own_distance", _READING) < self.tolerance,
            "pointing_before": column(pairs, "own_distance", "summary") < self.tolerance,
        }
        means: dict[str, Column] = {
            "target": after,
            "target_before": column(pairs, "attack_before", _READING),
            "rank_correlation_clean": self._correlation(pairs),
            "box_kept": iou(boxes, column(pairs, "box", "box")),
        }
        found = {name: image_mean(pairs, values, trials, fraction=True) for name, values in shares.items()}
        found |= {name: image_mean(pairs, values, trials) for name, values in means.items()}
        return answered({name: found[name] for name in self.gives})

    def _correlation(self, pairs: Pairs) -> Column:
        """Return the correlation of each pair's two maps, ``[n]``."""
        name, count = f"grid{self.grid}", len(pairs)
        option = f"reading.summary.grids=[{self.grid}]"
        clean, other = (
            column(pairs, f"{place}{name}", of, option).astype(np.float64).reshape(count, self.grid**2)
            for place, of in (("", "summary"), ("attacked_", _READING))
        )
        flat = even(clean) | even(other)
        flat |= column(pairs, "constant", "summary") | column(pairs, "attacked_constant", _READING)
        values = np.zeros(count)
        values[~flat] = spearman(clean[~flat], other[~flat])
        return values
