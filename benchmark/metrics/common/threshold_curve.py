"""The images that a localizer gets right at each of its thresholds, from a recorded curve."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import hits, in_range
from benchmark.core.types import BoolArray, Records

_AT_ONCE = 16  # columns; 50,000 images with a thousand boxes each would not fit into memory


def one_box_each(records: Records) -> Records | None:
    """Return records whose curve has one box at each threshold, the one of a run at this threshold.

    Of several boxes at a threshold (``wsol_pixels_v2``) that is the first; its overlap is that of original
    pixels, whatever the localizer counts itself.

    Args:
        records: Records with a curve over thresholds.

    Returns:
        ``None`` if no curve was recorded.
    """
    if records.curve is None or not records.curve.size:
        return None
    thresholds, first = np.unique(np.array(records.grid, np.float64), return_index=True)
    return replace(records, curve=records.curve[:, first], grid=tuple(thresholds.tolist()), overlaps=None)


def right_at(records: Records, iou: float) -> tuple[npt.NDArray[np.float64], BoolArray] | None:
    """Return, for each image and threshold, whether a box overlaps any ground-truth box of the image.

    Most localizers draw one box at a threshold. One that draws several repeats the threshold in its grid, and
    any of its boxes counts. Where the localizer has counted the overlaps itself, these are taken.

    Args:
        records: Records with a curve over thresholds.
        iou: Least intersection over union of a right box, in (0, 1].

    Returns:
        The distinct thresholds ``[t]``, ascending, and whether each image is right ``[n, t]``; ``None`` if no
        curve was recorded.

    Raises:
        UserError: If ``iou`` is out of range.
    """
    if records.overlaps is not None and records.overlaps.size:
        return np.array(records.grid, np.float64), records.overlaps >= in_range(iou)
    if records.curve is None or not records.curve.size:
        return None
    columns = records.curve.shape[1]
    parts = [records.curve[:, start : start + _AT_ONCE] for start in range(0, columns, _AT_ONCE)]
    right = np.concatenate([hits(part, records.truth, records.owner, iou) for part in parts], axis=1)
    thresholds, first = np.unique(np.array(records.grid, np.float64), return_index=True)
    return thresholds, np.logical_or.reduceat(right, first, axis=1)
