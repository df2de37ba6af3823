"""Rank correlation of maps, cell by cell."""

import numpy as np
from scipy.stats import rankdata

from benchmark.core.bootstrap import Numbers
from benchmark.core.types import BoolArray

_FLAT = 1e-6


def spearman(left: Numbers, right: Numbers) -> Numbers:
    """Return Spearman's rank correlation of each row of ``[n, m]`` with the same row of the other, ``[n]``.

    Average ranks are multiples of one half, so all but the last line is exact. No row may be constant.
    """
    a, b = (rankdata(values, axis=1) - (values.shape[1] + 1) / 2 for values in (left, right))
    both = np.einsum("nm,nm->n", a, b)
    correlation: Numbers = both / np.sqrt(np.einsum("nm,nm->n", a, a) * np.einsum("nm,nm->n", b, b))
    return correlation


def even(cells: Numbers) -> BoolArray:
    """Return which rows ``[n, m]`` have one value only, ``[n]``; sums of equal numbers differ by rounding."""
    flat: BoolArray = np.ptp(cells, axis=1) <= _FLAT * np.abs(cells).max(axis=1)
    return flat
