"""Options of the metrics that count a box as right from a least overlap on."""

from dataclasses import dataclass

from benchmark.core.options import Checked, Count, Natural, Share


@dataclass(frozen=True)
class OverlapMetric(Checked):
    """A metric of boxes with bootstrap confidence intervals.

    Attributes:
        iou: Least intersection over union of a right box, in (0, 1].
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """

    iou: Share = 0.5
    resamples: Count = 10_000
    seed: Natural = 0
