"""GT-known error at every threshold, and the best of them."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmark.core.types import Records
from benchmark.metrics.common.threshold_curve import right_at


@dataclass(frozen=True)
class Curve:
    """GT-known error over a protocol's thresholds.

    Attributes:
        thresholds: ``[t]`` ascending.
        errors: ``[t]`` fractions: what ``gt_known`` would be with each of them.
        n: Images that each is an average over.
    """

    thresholds: npt.NDArray[np.float64]
    errors: npt.NDArray[np.float64]
    n: int

    @property
    def best(self) -> float:
        """The threshold of the least error, the lowest of equal ones."""
        return float(self.thresholds[self.errors.argmin()])


def curve_of(records: Records, iou: float) -> Curve | None:
    """The curve of recorded boxes, blacklist left out; ``None`` where none is recorded, or no image counts.

    Of several boxes at one threshold (``wsol_maxboxacc_v2``) the first counts, as at a fixed one.

    Args:
        records: What was recorded.
        iou: Least overlap of a right box, in (0, 1].
    """
    if records.curve is None:
        return None
    thresholds, first = np.unique(np.array(records.grid, np.float64), return_index=True)
    one_each = replace(records, curve=records.curve[:, first], grid=tuple(thresholds.tolist()))
    found = right_at(one_each, iou)
    counted = ~records.blacklisted
    if found is None or not counted.any():
        return None
    wrong = np.logical_not(found[1][counted])
    return Curve(thresholds, wrong.mean(axis=0), len(wrong))
