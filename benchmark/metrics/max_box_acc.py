"""Localization accuracy at the threshold that suits the evaluated images best."""

from dataclasses import dataclass

from benchmark.core.bootstrap import central
from benchmark.core.options import Count
from benchmark.core.paired import Statistic
from benchmark.core.types import Estimate, Records
from benchmark.metrics.common.best_threshold import best_accuracy, best_statistic
from benchmark.metrics.common.overlap import OverlapMetric
from benchmark.metrics.common.threshold_curve import right_at


@dataclass(frozen=True)
class MaxBoxAcc(OverlapMetric, group="metric.max_box_acc"):
    """``max_box_acc``: the best **accuracy** over the localizer's grid of thresholds, the class given.

    After Choe et al. 2020 (protocol §5.5), for any localizer; their own MaxBoxAcc is this with the localizer
    ``wsol_maxboxacc_v1``. All images count, the blacklisted included, as in their code. The threshold is
    chosen **on the evaluated images themselves**, so the number is what a localizer could reach, not what it
    would: compare it only with numbers of the same kind. It is biased upward, on 150 images by one to two
    points (docs/protocols.md); its interval, of the maximum taken anew in each resample, is biased with it.

    ``max_box_acc_corrected`` is the same without the optimism of that choice: quote it on few images.

    ``max_box_acc_threshold`` is the best threshold, the lowest of equal ones. Its confidence interval holds
    the thresholds that were best in 95 % of the resamples. All are left out if no curve over thresholds was
    recorded.
    """

    resamples: Count = 1_000

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Return the best accuracy, the corrected one and the threshold, each with its interval."""
        found = right_at(records, self.iou)
        if found is None:
            return {}
        grid, right = found
        means, n = right.mean(axis=0), len(records)
        apparent, corrected, chosen = best_accuracy(right[:, None], self.resamples, self.seed)
        where = central(grid[chosen[:, 0]])
        return {
            "max_box_acc": apparent,
            "max_box_acc_corrected": corrected,
            "max_box_acc_threshold": Estimate(float(grid[means.argmax()]), *where, n),
        }

    def statistics(self, records: Records) -> dict[str, Statistic]:
        """Return the best accuracy as a statistic of images, to be compared with another run's."""
        found = right_at(records, self.iou)
        return {} if found is None else {"max_box_acc": best_statistic(records.image_ids, found[1][:, None])}
