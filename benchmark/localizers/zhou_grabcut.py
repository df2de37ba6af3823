"""Boxes by GrabCut from seeds at grey levels of the map, as a helper in CAM's released code does."""

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np

from benchmark.core.boxes import area, by_area, component_boxes, without_edge
from benchmark.core.heatmaps import positive, to_bytes, upsample_cubic
from benchmark.core.options import Count, Natural
from benchmark.core.types import BoolArray, Box, FloatArray, View
from benchmark.localizers.common.grabcut import SeededGrabCut, Trimap


@dataclass(frozen=True)
class ZhouGrabCut(SeededGrabCut):
    """Seed one round of GrabCut by two grey levels of the map; take its segments' largest rectangle.

    Zhou et al. 2016, ``gc.cpp`` of the released code, which their last script does not call (protocol §3.4).
    Pixels are sure background up to ``background``, probable background above it, and probable foreground
    above ``foreground``; none is sure foreground.

    * As for ``cam_dtbox``, ``border`` pixels at the image's edge are taken out of the segmentation, since the
      program is linked to OpenCV 2.4.
    * The map is resized to the image by cubic convolution and made grey as for ``cam_dtbox``: 255 at the
      maximum, 0 at and below 0, whole numbers; their JPEG's noise is not imitated.
    * Of the bounding rectangles of the 8-connected foreground segments with an area above ``least_area``, the
      largest is the box; of equal ones the first by ``(y0, x0, y1, x1)``. Their rectangles around holes,
      which are never larger, are left out.
    * The rectangle itself is taken, ``x … x + width - 1``. (Lines that are commented out in their script
      would add a pixel to width and height.)
    * It works on the original pixels, except that images with a side above ``max_side`` are reduced to it and
      the box is rounded outward. Their code never reduces an image.
    * The box is the whole image, marked empty, if there is no rectangle, or if the seeds are all of one kind,
      from which GrabCut cannot start (a constant map, or one without a positive value).

    OpenCV's random generator is seeded before every call, as for ``simonyan_grabcut``.

    Attributes:
        background: Grey level above which pixels are probable background, in [0, foreground).
        foreground: Grey level above which they are probable foreground, in (background, 255).
        least_area: Area in pixels that a rectangle must exceed, 0 or more.
        border: Pixels at each edge of the image that belong to no segment, 0 or more.
    """

    background: Annotated[float, "[0, 255)"] = 10
    foreground: Annotated[float, "(0, 255)"] = 40
    iterations: Count = 1
    least_area: Natural = 10
    border: Natural = 1

    def _upsampled(self, heatmap: FloatArray, view: View) -> FloatArray:
        return upsample_cubic(positive(heatmap), view)

    def _seeds(self, pixels: FloatArray) -> Trimap | None:
        grey = to_bytes(pixels)
        likely = grey > self.foreground
        if likely.all() or not likely.any():
            return None
        chosen = np.select([likely, grey > self.background], [cv2.GC_PR_FGD, cv2.GC_PR_BGD], cv2.GC_BGD)
        return chosen.astype(np.uint8)

    def _box(self, mask: BoolArray) -> Box | None:
        boxes = component_boxes(without_edge(mask, self.border))
        boxes = by_area(boxes[area(boxes) > self.least_area])
        return Box(*boxes[0].tolist()) if len(boxes) else None
