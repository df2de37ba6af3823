"""Localization error with the class and each image's best threshold given: a bound, not a protocol."""

from dataclasses import dataclass

from benchmark.core.bootstrap import fractions
from benchmark.core.paired import Statistic, outcomes
from benchmark.core.types import Estimate, Records
from benchmark.metrics.common.overlap import OverlapMetric
from benchmark.metrics.common.threshold_curve import right_at


@dataclass(frozen=True)
class OraclePerImage(OverlapMetric, group="metric.oracle_per_image"):
    """``oracle_per_image``: the **error** that remains if the ground truth picks each image's threshold.

    It sees the truth and is meant as a bound: no localizer that chooses among these boxes, by whatever rule,
    has a ``gt_known`` below it. An image is wrong if none of the boxes of its curve over thresholds overlaps
    any ground-truth box with at least ``iou``. Blacklisted images are left out, as in ``gt_known``. It has
    been published by mistake as a localizer's error (wsolevaluation, issue 36). It depends on the grid, and
    is left out if no curve over thresholds was recorded.
    """

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Return the error with its confidence interval."""
        found = right_at(records, self.iou)
        if found is None:
            return {}
        _, right = found
        counted = right[~records.blacklisted]
        return fractions({"oracle_per_image": ~counted.max(axis=1)}, self.resamples, self.seed)

    def statistics(self, records: Records) -> dict[str, Statistic]:
        """Return the error as a statistic of images, to be compared with another run's."""
        found = right_at(records, self.iou)
        if found is None:
            return {}
        wrong = ~found[1].max(axis=1)
        return {"oracle_per_image": outcomes(records.image_ids, wrong, ~records.blacklisted)}
