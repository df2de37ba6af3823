"""The in/out ratio: how much more of a map lies inside its target's boxes than outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.core.bootstrap import Numbers
from benchmark.core.options import Natural
from benchmark.core.paired import Statistic
from benchmark.core.types import BoolArray
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import answered, column, image_sums
from benchmark.tasks.pairs.types import Answers, Pairs


@dataclass(frozen=True)
class InOutRatio(MapMetric, group="pair_metric.in_out"):
    """The mean of the map inside the target's boxes, over its mean outside; 1 of a uniform map.

    The Grad-CAM paper's measure of captions (§8.1), of which it states neither how images are averaged nor
    what happens where nothing lies outside. Here the means of all pairs are averaged before they are divided,
    since a single map may have nothing at all outside. Each map weighs the same, whatever its scale. Pairs
    whose objects fill the whole image, or that have none, do not count.

    ==================  =====================================================================
    ``in_out``          of single targets: an answer, a word
    ``in_out_caption``  of whole captions
    ==================  =====================================================================

    Attributes:
        caption: Label of the target that is the whole caption; ``None`` if there is none.
    """

    caption: Natural | None = None
    reads: ClassVar[tuple[str, ...]] = ("in_out",)

    @property
    def gives(self) -> tuple[str, ...]:
        """Return the names of its statistics."""
        return ("in_out",) if self.caption is None else ("in_out_caption", "in_out")

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the ratios.

        Raises:
            UserError: If the pairs lack the columns of the reading ``in_out``.
        """
        pairs = answers.pairs
        whole = pairs.columns["label"] == (-1 if self.caption is None else self.caption)
        found = {"in_out_caption": _ratio(pairs, whole), "in_out": _ratio(pairs, ~whole)}
        return {name: found[name] for name in self.gives if name in answered(found)}


def _ratio(pairs: Pairs, chosen: BoolArray) -> Statistic:
    inside, outside = (column(pairs, name, "in_out").astype(np.float64) for name in ("inside", "outside"))
    kept = chosen & np.isfinite(inside) & np.isfinite(outside)
    values = np.where(kept[:, None], np.stack([inside, outside], axis=1), 0.0)
    return Statistic(*image_sums(pairs, values, kept), _divided)


def _divided(means: Numbers) -> Numbers:
    """Divide the mean inside by the mean outside; inf where nothing lies outside."""
    with np.errstate(divide="ignore", invalid="ignore"):
        divided: Numbers = means[:, 0] / means[:, 1]
    return divided
