"""Krippendorff's alpha: by how much answers to the same question agree beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Level = Literal["nominal", "interval"]
"""What a difference of two answers weighs: 1, or its square."""


def alpha(units: Sequence[Sequence[float]], level: Level) -> float | None:
    """Return Krippendorff's alpha, 1 - D_o / D_e.

    With ``n_uk`` the number of answers ``k`` to question ``u``, ``n_u`` that of all its answers, and only
    questions of at least two answers counted, ``n`` of them in all:
    ``D_o = Σ_u Σ_kl n_uk n_ul d_kl / (n_u - 1) / n`` and ``D_e = Σ_kl n_k n_l d_kl / (n (n - 1))``.
    Source: Krippendorff, "Content Analysis", chapter on reliability.

    Args:
        units: The answers to each question, as numbers.
        level: ``nominal``: d is 1 where two answers differ; ``interval``: the square of their difference.

    Returns:
        At most 1; 0 by chance. ``None`` where nothing can disagree: fewer than two answers to any question,
        or all answers the same.
    """
    several = [unit for unit in units if len(unit) > 1]
    if not several:
        return None
    values, place = np.unique(np.concatenate(several), return_inverse=True)
    owner = np.repeat(np.arange(len(several)), [len(unit) for unit in several])
    counts = np.zeros((len(several), len(values)))
    np.add.at(counts, (owner, place), 1)
    gaps = values[:, None] - values[None, :]
    apart = (gaps != 0).astype(float) if level == "nominal" else gaps**2
    total, number = counts.sum(axis=0), counts.sum()
    expected = _disagreement(total[None], apart)[0] / (number * (number - 1))
    if expected == 0:
        return None
    observed = (_disagreement(counts, apart) / (counts.sum(axis=1) - 1)).sum() / number
    return float(1 - observed / expected)


def _disagreement(counts: npt.NDArray[Any], apart: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Sum d over the ordered pairs of answers of each row of counts."""
    summed: npt.NDArray[Any] = np.einsum("uk,kl,ul->u", counts, apart, counts)
    return summed
