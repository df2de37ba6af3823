"""ILSVRC localization error: no prediction has both the right class and a right box."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.core.bootstrap import fractions
from benchmark.core.boxes import hits
from benchmark.core.paired import Statistic, outcomes
from benchmark.core.types import BoolArray, Estimate, Records
from benchmark.metrics.common.overlap import OverlapMetric
from benchmark.metrics.common.top_k import top_errors


@dataclass(frozen=True)
class Localization(OverlapMetric, group="metric.localization"):
    """Localization errors ``loc_top1`` and ``loc_top5`` without blacklisted images, ``…_all`` on all images.

    Source: the ILSVRC devkit's ``eval_clsloc.m`` (protocol §5.1). A prediction is right if its class is the
    image's and its own box overlaps **any** ground-truth box with at least ``iou`` (devkit: 0.5); an image is
    right if any of its first n predictions is. The devkit leaves its blacklist out of this average; papers
    differ (on the official set by about 0.9 points), so both are given. The top-5 errors are left out if no
    image has five predictions.
    """

    needs_curve: ClassVar[bool] = False

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Return the errors, each with its confidence interval."""
        errors = self.wrong(records)
        official = {name: error[~records.blacklisted] for name, error in errors.items()}
        everything = {f"{name}_all": error for name, error in errors.items()}
        return fractions(official | everything, self.resamples, self.seed)

    def statistics(self, records: Records) -> dict[str, Statistic]:
        """Return each error as a statistic of images, to be compared with another run's."""
        counted = {"": ~records.blacklisted, "_all": np.ones(len(records), np.bool_)}
        return {
            f"{name}{which}": outcomes(records.image_ids, error, images)
            for name, error in self.wrong(records).items()
            for which, images in counted.items()
        }

    def wrong(self, records: Records) -> dict[str, BoolArray]:
        """Return ``[n]`` whether each image counts as an error, for ``loc_top1`` and ``loc_top5``."""
        located = hits(records.boxes, records.truth, records.owner, self.iou)
        errors = top_errors(records, (records.classes == records.labels[:, None]) & located)
        return {f"loc_top{n}": error for n, error in errors.items()}
