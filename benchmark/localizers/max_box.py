"""The box of the largest segment above a fraction of the map's maximum."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from benchmark.core.options import Fraction, Grid
from benchmark.core.segments import largest_segments
from benchmark.core.types import Box, FloatArray, View
from benchmark.localizers.common.map_box import MapBox

_GRID = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True)
class MaxBox(MapBox):
    """Binarise at a fraction of the maximum, take the largest connected segment, draw its tight box.

    The rule is the paper's (§4.1, threshold 15 %; CAM's text says 20 %). What its words leave open is settled
    here (protocol §1.4 and §9), and a change of any of it raises the version:

    * Negative cells are set to 0, then the map is upsampled to the **original image's pixels**, bilinearly
      with aligned corners. In this order CAM's boxes equal Grad-CAM's: negative cells would otherwise pull
      the interpolated edge of a positive region inward.
    * A pixel belongs to the mask where ``map > threshold * max``, strictly, in float32.
    * Segments are 8-connected; the one with the most pixels is taken, of equal ones the first by
      ``(y0, x0, y1, x1)``.
    * The minimum is not subtracted: the fraction is of the maximum, not of the range.
    * A map without a positive value has no segment: its box is the whole image, marked empty.

    Attributes:
        threshold: Fraction of the maximum, in [0, 1).
        connectivity: 8 or 4.
        grid: Ascending thresholds in [0, 1) at which :meth:`curve` gives boxes.
    """

    threshold: Fraction
    connectivity: Literal[8, 4] = 8
    grid: Grid = field(default=_GRID, kw_only=True)

    def _box(self, pixels: FloatArray, view: View, threshold: float) -> Box | None:
        return self._boxes(pixels, view, [threshold])[0]

    def _boxes(self, pixels: FloatArray, view: View, thresholds: Sequence[float]) -> list[Box | None]:
        highest = pixels.max()
        if highest <= 0:
            return [None] * len(thresholds)
        levels = np.array(thresholds, np.float32) * highest
        found = largest_segments(pixels, levels, self.connectivity).tolist()
        return [Box(*box) if any(box) else None for box in found]
