"""Baseline boxes that ignore the map, which any protocol must beat."""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from benchmark.core.options import Share
from benchmark.core.types import Box, FloatArray, IntArray, View
from benchmark.localizers.common.map_box import MapBox

_GRID = tuple(step / 20 for step in range(1, 21))


@dataclass(frozen=True)
class CenterBox(MapBox):
    """A box in the middle of the image, whatever the map: a baseline; with fraction 1 the whole image.

    Baselines of protocol §0 and §5.3. Their sources leave the rounding open, and a pixel moves the error of
    the smaller boxes by half a point. The rule here gives all five of their numbers to the digit: with
    ``m = (1 - fraction) / 2`` in double precision the corners are ``m * side`` and ``(1 - m) * side``,
    rounded down, the second read inclusively and cut to the image. So the box is up to a pixel larger than
    its fraction, and 0.8 of 500 pixels begins at 49, since ``m`` is slightly below 0.1.

    The box is centred in the whole image, not in the part that a crop shows. No box is marked empty, since no
    map is needed. The peak is that of the map, negative cells set to 0, upsampled as ``gradcam_15`` does.

    Attributes:
        fraction: Length of the box as a fraction of the image's side, for both sides, in (0, 1].
        grid: Ascending fractions in (0, 1] at which :meth:`curve` gives boxes.
    """

    fraction: Share
    grid: Annotated[tuple[Share, ...], "ascending"] = field(default=_GRID, kw_only=True)
    _threshold = "fraction"

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Return boxes ``[T, 4]`` at each fraction of ``grid``."""
        return np.array([_centered(view, fraction) for fraction in self.grid], np.int32).reshape(-1, 4)

    def _box(self, pixels: FloatArray, view: View, threshold: float) -> Box:
        return _centered(view, threshold)


def _centered(view: View, fraction: float) -> Box:
    (x0, x1), (y0, y1) = _middle(view.width, fraction), _middle(view.height, fraction)
    return Box(x0, y0, x1, y1)


def _middle(side: int, fraction: float) -> tuple[int, int]:
    margin = (1 - fraction) / 2
    return int(margin * side), min(int((1 - margin) * side) + 1, side)
