"""Localization error with the class given."""

from dataclasses import dataclass
from typing import ClassVar

from benchmark.core.bootstrap import fractions
from benchmark.core.boxes import hits
from benchmark.core.paired import Statistic, outcomes
from benchmark.core.types import BoolArray, Estimate, Records
from benchmark.metrics.common.overlap import OverlapMetric


@dataclass(frozen=True)
class GtKnown(OverlapMetric, group="metric.gt_known"):
    """``gt_known``: the **error** of the box of the ground-truth class's own heatmap, whatever was predicted.

    A box is right if it overlaps any ground-truth box with at least ``iou`` (protocol §5.4: 0.5). Blacklisted
    images are left out, as in ``loc_top1``; WSOL papers mostly print the accuracy, one minus this, on all
    images. There is no such number if the run made no heatmap of the ground-truth class.
    """

    needs_curve: ClassVar[bool] = False

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Return the error with its confidence interval."""
        errors = {name: error[~records.blacklisted] for name, error in self.wrong(records).items()}
        return fractions(errors, self.resamples, self.seed)

    def statistics(self, records: Records) -> dict[str, Statistic]:
        """Return the error as a statistic of images, to be compared with another run's."""
        return {
            name: outcomes(records.image_ids, error, ~records.blacklisted)
            for name, error in self.wrong(records).items()
        }

    def wrong(self, records: Records) -> dict[str, BoolArray]:
        """Return ``[n]`` whether each image counts as an error; nothing without such heatmaps."""
        if records.label_boxes is None:
            return {}
        located = hits(records.label_boxes[:, None], records.truth, records.owner, self.iou)[:, 0]
        return {"gt_known": ~located}
