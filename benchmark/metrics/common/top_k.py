"""Errors over the first predictions of each image."""

import numpy as np

from benchmark.core.types import BoolArray, Records

_DEPTHS = (1, 5)


def top_errors(records: Records, right: BoolArray) -> dict[int, BoolArray]:
    """Return, for each depth k, whether none of an image's first k predictions is right.

    This is the devkit's minimum of the error over the predictions (protocol §5.1).

    Args:
        records: The predictions of n images.
        right: ``[n, k]``, whether each prediction is right.

    Returns:
        Errors ``[n]`` by depth: 1, and 5 if any image has five predictions. An image with fewer is judged by
        those it has, as the devkit does.
    """
    most = int((records.classes >= 0).sum(axis=1).max(initial=0))
    return {n: np.logical_not(right[:, :n].any(axis=1)) for n in _DEPTHS if n <= max(most, 1)}
