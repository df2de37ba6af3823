"""Errors over the first guesses of each image."""

import numpy as np

from benchmark.core.types import BoolArray, Records

_DEPTHS = (1, 5)


def top_errors(records: Records, right: BoolArray) -> dict[int, BoolArray]:
    """For each depth n, whether none of an image's first n guesses is right.

    This is the devkit's minimum of the error over the guesses (protocol §5.1).

    Args:
        records: What was guessed.
        right: ``[n, k]`` whether each guess is right.

    Returns:
        Depth to ``[n]``: 1, and 5 where any image has five guesses. An image with fewer is judged by those
        it has, as the devkit does.
    """
    most = int((records.classes >= 0).sum(axis=1).max(initial=0))
    return {n: np.logical_not(right[:, :n].any(axis=1)) for n in _DEPTHS if n <= max(most, 1)}
