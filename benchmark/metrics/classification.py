"""Classification error: the ground-truth class is not among the first n predictions."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.core.bootstrap import fractions
from benchmark.core.options import Checked, Count, Natural
from benchmark.core.paired import Statistic, outcomes
from benchmark.core.types import BoolArray, Estimate, Records
from benchmark.metrics.common.top_k import top_errors


@dataclass(frozen=True)
class Classification(Checked, group="metric.classification"):
    """Classification errors ``cls_top1`` and ``cls_top5`` over **all** images, the blacklisted included.

    Source: the ILSVRC devkit (protocol §5.1), whose blacklist is for localization alone. ``cls_top5`` is left
    out if no image has five predictions.

    Attributes:
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """

    resamples: Count = 10_000
    seed: Natural = 0
    needs_curve: ClassVar[bool] = False

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Return the errors, each with its confidence interval."""
        return fractions(self._errors(records), self.resamples, self.seed)

    def statistics(self, records: Records) -> dict[str, Statistic]:
        """Return each error as a statistic of images, to be compared with another run's."""
        everything = np.ones(len(records), np.bool_)
        return {
            name: outcomes(records.image_ids, error, everything)
            for name, error in self._errors(records).items()
        }

    def _errors(self, records: Records) -> dict[str, BoolArray]:
        errors = top_errors(records, records.classes == records.labels[:, None])
        return {f"cls_top{n}": error for n, error in errors.items()}
