"""Which images a localizer gets right at each of its thresholds, from a recorded curve."""

import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import hits
from benchmark.core.types import BoolArray, Records

_AT_ONCE = 16  # columns; 50,000 images with a thousand boxes each would not fit into memory


def right_at(records: Records, iou: float) -> tuple[npt.NDArray[np.float64], BoolArray] | None:
    """Where any box of a threshold overlaps any ground-truth box of its image.

    Mostly a threshold has one box. A protocol under which several count says its threshold several times in
    the grid.

    Args:
        records: What was recorded.
        iou: Least overlap of a right box, in (0, 1].

    Returns:
        The thresholds ``[t]``, each once, ascending, and ``[n, t]``; ``None`` where no curve was recorded.

    Raises:
        UserError: If ``iou`` is out of range.
    """
    if records.curve is None or not records.curve.size:
        return None
    columns = records.curve.shape[1]
    parts = [records.curve[:, start : start + _AT_ONCE] for start in range(0, columns, _AT_ONCE)]
    right = np.concatenate([hits(part, records.truth, records.owner, iou) for part in parts], axis=1)
    thresholds, first = np.unique(np.array(records.grid, np.float64), return_index=True)
    return thresholds, np.logical_or.reduceat(right, first, axis=1)
