"""The box tool of CAM's released code, which differs from what CAM's text says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import cv2
import numpy as np

from benchmark.core.boxes import area, by_area, component_boxes, whole, without_edge
from benchmark.core.heatmaps import peak, positive, to_bytes, upsample_cubic
from benchmark.core.options import Checked, Grid, Natural
from benchmark.core.types import BoolArray, Box, FloatArray, ImageArray, IntArray, LocatedBox, View

Grey = Annotated[float, "[0, 255)"]
_GRID = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True)
class CamDtBox(Checked, group="localizer"):
    """Binarise at three grey levels, shrink each mask by its distance transform, take the largest rectangle.

    Zhou et al. 2016, as released: ``dt_box`` with 20 100 110 and its "bbox1" (protocol §2.3 c, d).

    * The map is resized to the original image by cubic convolution (MATLAB's kernel), divided by its maximum
      and, with ``quantise``, rounded to 8-bit grey levels; negative values become 0. The authors' map passed
      through a JPEG file in addition, whose noise is not imitated.
    * For each level, the mask is the pixels strictly above it. Each pixel's Euclidean distance to the nearest
      pixel outside the mask (there is none beyond the image) is scaled to bytes, 255 for the largest, and
      only pixels above ``erosion`` stay. This removes thin bridges. A mask that fills the image is kept.
    * Then ``border`` pixels at the image's edge are taken out of it, as OpenCV's ``findContours`` did before
      3.2 (issue 4374 there): the authors' program, released in April 2016, is linked to OpenCV 2.4. With 0
      the segments reach the edge, as under any OpenCV since.
    * The bounding rectangles of the 8-connected segments are cut so that ``margin`` pixels at the right and
      at the bottom stay free; those without an area are dropped. The largest is the box; of equal ones the
      first by ``(y0, x0, y1, x1)``, where the authors' choice depends on their sorting.
    * Their outlines of holes, and their removal of smaller rectangles that a larger one overlaps by more than
      half, can change the second box and later ones, never the first, and are left out.
    * Their script turns ``x y width height`` into ``x y x+width y+height`` and the devkit reads inclusively,
      so the box is one pixel wider and higher than the rectangle, except at the edge of the seen region.
    * Merging ten crops (absolute values, summed) belongs to the transform and is not done here.
    * If the map has no positive value, or no rectangle is left, the box is the whole image, marked empty.

    The curve varies the **lowest** level, given as a fraction of the maximum; of the other levels those above
    it are kept.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        levels: Ascending grey levels, out of 255, in [0, 255).
        erosion: Distance up to which pixels are removed, out of 255 for the largest, in [0, 255).
        margin: Pixels kept free at the right and at the bottom, 0 or more.
        border: Pixels at each edge of the image that belong to no segment, 0 or more.
        quantise: Whether to round to 8 bits first.
        grid: Ascending fractions of the maximum in [0, 1) at which :meth:`curve` gives boxes.
    """

    name: str
    version: int
    levels: Annotated[tuple[Grey, ...], "ascending", "not empty"] = (20, 100, 110)
    erosion: Grey = 10
    margin: Natural = 5
    border: Natural = 1
    quantise: bool = True
    grid: Grid = _GRID
    needs_image: bool = field(default=False, init=False)

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None = None) -> LocatedBox:
        """Locate one class by its ``[h, w]`` heatmap alone; the image is not used.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        pixels = upsample_cubic(positive(heatmap), view)
        grey = self._grey(pixels)
        box = _largest([self._rectangles(grey, level) for level in self.levels], view)
        return LocatedBox(box or whole(view), peak(pixels), empty=box is None)

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Return boxes ``[T, 4]`` with each fraction of ``grid`` as the lowest level, from one upsampling.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        grey = self._grey(upsample_cubic(positive(heatmap), view))
        cores = [self._rectangles(grey, level) for level in self.levels]
        boxes = []
        for fraction in self.grid:
            lowest = 255 * fraction
            above = [core for core, level in zip(cores, self.levels, strict=True) if level > lowest]
            boxes.append(_largest([self._rectangles(grey, lowest), *above], view) or whole(view))
        return np.array(boxes, np.int32).reshape(-1, 4)

    def _grey(self, pixels: FloatArray) -> FloatArray:
        """Return the map in grey levels 0…255, rounded if ``quantise`` says so."""
        if self.quantise:
            return to_bytes(pixels).astype(np.float32)
        positive: FloatArray = np.maximum(pixels, 0)
        highest = positive.max()
        if highest > 0:
            positive *= np.float32(255) / highest
        return positive

    def _rectangles(self, grey: FloatArray, level: float) -> IntArray:
        """Return the rectangles ``[n, 4]`` of one level, cut to the margin, each with an area."""
        core = _core(grey > np.float32(level), self.erosion)
        boxes = component_boxes(without_edge(core, self.border))
        height, width = grey.shape
        boxes[:, 2:] = np.minimum(boxes[:, 2:], [width - self.margin, height - self.margin])
        return boxes[area(boxes) > 0]


def _largest(rectangles: Sequence[IntArray], view: View) -> Box | None:
    """Return the largest rectangle, one pixel wider and higher where the seen region has one more."""
    ranked = by_area(np.concatenate(rectangles))
    if not len(ranked):
        return None
    x0, y0, x1, y1 = ranked[0].tolist()
    return Box(x0, y0, min(x1 + 1, view.region.x1), min(y1 + 1, view.region.y1))


def _core(mask: BoolArray, erosion: float) -> BoolArray:
    """Return where ``round(255 d / max d) > erosion``, with ``d`` the distance to pixels outside the mask."""
    if mask.all() or not mask.any():
        return mask
    distance = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    squared = np.rint(np.square(distance, dtype=np.float64))  # whole numbers, so that ties are exact
    core: BoolArray = squared * (2 * 255) ** 2 >= (2 * np.floor(erosion) + 1) ** 2 * squared.max()
    return core
