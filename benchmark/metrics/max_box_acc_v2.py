"""Localization accuracy at the best threshold, averaged over several least overlaps."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from benchmark.core.options import Checked, Count, Natural, Share
from benchmark.core.paired import Statistic
from benchmark.core.types import BoolArray, Estimate, Records
from benchmark.metrics.common.best_threshold import best_accuracy, best_statistic
from benchmark.metrics.common.threshold_curve import right_at


@dataclass(frozen=True)
class MaxBoxAccV2(Checked, group="metric.max_box_acc_v2"):
    """``max_box_acc_v2``: the mean over least overlaps of the best **accuracy** over thresholds.

    After Choe et al.'s MaxBoxAccV2 (protocol §5.5): each of ``ious`` has its own best threshold, over all
    images, the blacklisted included. In their code every contour at a threshold counts, and so it does here
    with a localizer that draws them all (``wsol_maxboxacc_v2``); with any other, a threshold has one box. As
    in ``max_box_acc`` the thresholds are chosen on the evaluated images, which biases it upward: compare it
    only with numbers of the same kind, and on few images quote ``max_box_acc_v2_corrected``. Both are left
    out if no curve over thresholds was recorded.

    Attributes:
        ious: Least intersections over union of a right box, each in (0, 1].
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """

    ious: Annotated[tuple[Share, ...], "not empty"] = (0.3, 0.5, 0.7)
    resamples: Count = 1_000
    seed: Natural = 0

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Return the mean and the corrected mean, each with its confidence interval."""
        right = self._right(records)
        if right is None:
            return {}
        apparent, corrected, _ = best_accuracy(right, self.resamples, self.seed)
        return {"max_box_acc_v2": apparent, "max_box_acc_v2_corrected": corrected}

    def statistics(self, records: Records) -> dict[str, Statistic]:
        """Return the mean as a statistic of images, to be compared with another run's."""
        right = self._right(records)
        return {} if right is None else {"max_box_acc_v2": best_statistic(records.image_ids, right)}

    def _right(self, records: Records) -> BoolArray | None:
        """Return ``[n, s, t]`` whether each image is right at each least overlap and threshold."""
        found = [at for iou in self.ious if (at := right_at(records, iou)) is not None]
        return np.stack([of_one for _, of_one in found], axis=1) if found else None
