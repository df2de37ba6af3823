"""Localization error with the class given, and cheating: each image has the threshold that suits it best."""

from dataclasses import dataclass

from benchmark.core.bootstrap import fractions
from benchmark.core.metric_options import require_bootstrap, require_overlap
from benchmark.core.types import Estimate, Records
from benchmark.metrics.common.threshold_curve import right_at


@dataclass(frozen=True)
class OraclePerImage:
    """``oracle_per_image``: the **error** left where the ground truth itself picks each image's threshold.

    Cheating, and meant as a bound: no localizer that chooses among these boxes, by whatever rule, has a
    ``gt_known`` below it. An image is wrong where none of the boxes of its curve over thresholds overlaps any
    ground-truth box with at least ``iou``. The blacklist is left out, as in ``gt_known``. People have
    published it by mistake (peers.md: wsolevaluation issue 36). Left out where no curve was recorded; with
    another grid it is another number.

    Attributes:
        iou: Least overlap of a right box, in (0, 1].
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """

    iou: float = 0.5
    resamples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse options out of range.

        Raises:
            UserError: Naming the option and its range.
        """
        require_overlap("oracle_per_image", "iou", self.iou)
        require_bootstrap("oracle_per_image", self.resamples, self.seed)

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """The error with its interval."""
        found = right_at(records, self.iou)
        if found is None:
            return {}
        _, right = found
        counted = right[~records.blacklisted]
        return fractions({"oracle_per_image": ~counted.max(axis=1)}, self.resamples, self.seed)
