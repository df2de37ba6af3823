"""Boxes by GrabCut from seeds at grey levels of the map, as a helper in CAM's released code does."""

from dataclasses import dataclass, field
from typing import Annotated

import cv2
import numpy as np

from benchmark.core.boxes import area, by_area, component_boxes, whole
from benchmark.core.errors import UserError
from benchmark.core.heatmaps import peak, to_bytes, upsample_cubic
from benchmark.core.options import Checked, Count, Natural, unfit
from benchmark.core.types import Box, FloatArray, ImageArray, IntArray, LocatedBox, View
from benchmark.localizers.common.grabcut import Trimap, rescaled, segment, shrunk


@dataclass(frozen=True)
class ZhouGrabCut(Checked, group="localizer"):
    """Seed one round of GrabCut by two grey levels of the map; take its segments' largest rectangle.

    Zhou et al. 2016, ``gc.cpp`` of the released code, which their last script does not call (protocol §3.4).
    Pixels are sure background up to ``background``, probable background above it, and probable foreground
    above ``foreground``; none is sure foreground.

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
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        background: Grey level above which pixels are probable background, in [0, foreground).
        foreground: Grey level above which they are probable foreground, in (background, 255).
        iterations: Iterations of GrabCut, at least 1.
        least_area: Area in pixels that a rectangle must exceed, 0 or more.
        max_side: The longer side, in pixels, of the copy on which GrabCut works; ``None`` for the original.
    """

    name: str
    version: int
    background: Annotated[float, "[0, 255)"] = 10
    foreground: Annotated[float, "(0, 255)"] = 40
    iterations: Count = 1
    least_area: Natural = 10
    max_side: Count | None = 500
    needs_image: bool = field(default=True, init=False)
    grid: tuple[float, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        """Refuse options out of range.

        Raises:
            UserError: With the option and its range.
        """
        super().__post_init__()
        if self.background >= self.foreground:
            must = f"below localizer.foreground, {self.foreground}"
            raise unfit("localizer.background", self.background, must)

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None) -> LocatedBox:
        """Locate one class by its ``[h, w]`` heatmap and the ``[H, W, 3]`` image.

        Raises:
            UserError: If the heatmap holds NaN or infinity, or the image is not given.
        """
        if image is None:
            raise UserError(f"localizer {self.name} needs the images' pixels; give a dataset with images")
        positive = np.maximum(heatmap, 0)
        pixels = upsample_cubic(positive, view)
        small = shrunk(view, self.max_side)
        seeds = self._seeds(pixels if small == view else upsample_cubic(positive, small))
        box = None if seeds is None else self._largest(image, seeds)
        if box is None:
            return LocatedBox(whole(view), peak(pixels), empty=True)
        return LocatedBox(rescaled(box, small, view), peak(pixels), empty=False)

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Return no boxes, ``[0, 4]``, since two levels and a graph cut are not one threshold."""
        return np.empty((0, 4), np.int32)

    def _seeds(self, pixels: FloatArray) -> Trimap | None:
        """Return the seeds as GrabCut's mask, or ``None`` if foreground or background is missing."""
        grey = to_bytes(pixels)
        likely = grey > self.foreground
        if likely.all() or not likely.any():
            return None
        chosen = np.select([likely, grey > self.background], [cv2.GC_PR_FGD, cv2.GC_PR_BGD], cv2.GC_BGD)
        return chosen.astype(np.uint8)

    def _largest(self, image: ImageArray, seeds: Trimap) -> Box | None:
        boxes = component_boxes(segment(image, seeds, self.iterations))
        boxes = by_area(boxes[area(boxes) > self.least_area])
        return Box(*boxes[0].tolist()) if len(boxes) else None
