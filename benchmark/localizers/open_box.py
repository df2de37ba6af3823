"""The box of a segment above a fraction of the maximum, with an option for all that the paper leaves open."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from PIL import Image

from benchmark.core.boxes import by_area, component_boxes, largest_component, tight
from benchmark.core.heatmaps import peak, positive, upsample, upsample_cubic
from benchmark.core.options import Fraction, Grid
from benchmark.core.types import BoolArray, Box, FloatArray, View
from benchmark.localizers.common.map_box import MapBox


def _half_pixel(heatmap: FloatArray, view: View) -> FloatArray:
    size = (view.width, view.height)
    return np.asarray(Image.fromarray(heatmap).resize(size, Image.Resampling.BILINEAR))


def _cells(heatmap: FloatArray, view: View) -> FloatArray:
    rows = np.arange(view.height) * heatmap.shape[0] // view.height
    columns = np.arange(view.width) * heatmap.shape[1] // view.width
    enlarged: FloatArray = heatmap[rows[:, None], columns]
    return enlarged


def _by_box(mask: BoolArray, connectivity: int) -> Box | None:
    """Return the largest box of any component; of equal ones the first by ``(y0, x0, y1, x1)``."""
    boxes = by_area(component_boxes(mask, connectivity)).tolist()
    return Box(*boxes[0]) if boxes else None


_UPSAMPLINGS: dict[str, Callable[[FloatArray, View], FloatArray]] = {
    "aligned": upsample,
    "half_pixel": _half_pixel,
    "cubic": upsample_cubic,
    "cells": _cells,
}
_COMPONENTS: dict[str, Callable[[BoolArray, int], Box | None]] = {
    "pixels": largest_component,
    "box": _by_box,
    "all": lambda mask, _: tight(mask),
}


@dataclass(frozen=True)
class OpenBox(MapBox):
    """Binarise at a fraction of the maximum and draw a tight box, by the reading that the options choose.

    With its defaults it is the protocol of ``gradcam_15``, box for box. Its options are the readings that the
    paper's words allow (protocol §1.4, §9); ``./scripts/explain-gap`` measures what each changes.

    Attributes:
        threshold: Fraction of the maximum, in [0, 1); pixels strictly above it are kept.
        upsampling: How the map is brought to original pixels before the threshold: ``aligned`` (bilinear,
            corners on corners), ``half_pixel`` (bilinear, cells as areas; antialiased where a map shrinks),
            ``cubic`` (MATLAB's, likewise), ``cells`` (none: each cell is a rectangle).
        component: Which component the box is drawn around: the one with the most ``pixels``, the one with
            the largest ``box``, or ``all`` of them.
        connectivity: 8 or 4.
        grid: Ascending thresholds in [0, 1) at which :meth:`curve` gives boxes.
    """

    threshold: Fraction
    upsampling: Literal["aligned", "half_pixel", "cubic", "cells"] = "aligned"
    component: Literal["pixels", "box", "all"] = "pixels"
    connectivity: Literal[8, 4] = 8
    grid: Grid = field(default=(), kw_only=True)

    def _pixels(self, heatmap: FloatArray, view: View) -> FloatArray:
        """Return the map in original pixels, over the region that the network has seen."""
        x, y, right, bottom = view.region
        seen = View(right - x, bottom - y, Box(0, 0, right - x, bottom - y))
        return _UPSAMPLINGS[self.upsampling](positive(heatmap), seen)

    def _peak(self, pixels: FloatArray, view: View) -> tuple[int, int]:
        left, top = peak(pixels)
        return left + view.region.x0, top + view.region.y0

    def _box(self, pixels: FloatArray, view: View, threshold: float) -> Box | None:
        highest = pixels.max()
        if highest <= 0:
            return None
        box = _COMPONENTS[self.component](pixels > np.float32(threshold) * highest, self.connectivity)
        x, y = view.region[:2]
        return box and Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)
