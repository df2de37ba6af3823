"""How far a map is from an oracle's."""

import torch
from torch import Tensor


def relative_error(measured: Tensor, wanted: Tensor) -> float:
    """Of the worst map: its largest difference, over the largest magnitude in the oracle's map.

    A map that is all zero must be met exactly, else the error is infinite; of all-zero maps alone it is NaN.
    """
    difference, scale = (x.abs().flatten(2).amax(2) for x in (measured - wanted, wanted))
    if not bool((scale > 0).any()):
        return float("nan")
    return float(torch.where(difference == 0, 0.0, difference / scale).max())
