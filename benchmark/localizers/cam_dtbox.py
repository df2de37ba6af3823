"""The box tool of CAM's released code, which is not what CAM's text says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmark.core.boxes import area, by_area, component_boxes, whole
from benchmark.core.heatmaps import peak, to_bytes, upsample_cubic
from benchmark.core.options import ascending, require, require_count
from benchmark.core.types import BoolArray, Box, FloatArray, ImageArray, IntArray, Localization, View

_GRID = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True)
class CamDtBox:
    """Binarise at three grey levels, shrink each mask by its distance transform, take the largest rectangle.

    Zhou et al. 2016, as released: ``dt_box`` with 20 100 110 and its "bbox1" (protocol §2.3 c, d).

    * The map is resized to the original image by cubic convolution (MATLAB's kernel), divided by its maximum
      and, with ``quantise``, rounded to 8-bit grey levels; negative values are 0. Theirs went through a JPEG
      file in addition, whose noise is not imitated.
    * For each level: pixels strictly above it; their Euclidean distance to the nearest pixel that is not
      (beyond the image there is none), as bytes 0…255 of its maximum; those above ``erosion`` stay. That
      takes thin bridges away. A mask that fills the image stays as it is.
    * Bounding rectangles of the 8-connected segments, cut so that ``margin`` pixels at the right and at the
      bottom stay free; what has no area then is dropped. The largest is the box; of equal ones the first by
      ``(y0, x0, y1, x1)``, where theirs is left to the sorting.
    * Their outlines of holes, and their removal of smaller rectangles that a larger one overlaps by more than
      half, can change the second box and later ones, never the first, and are left out.
    * Their script turns ``x y width height`` into ``x y x+width y+height`` and the devkit reads inclusively,
      so the box is one pixel wider and higher than the rectangle, save at the edge of what was seen.
    * Merging ten crops (absolute values, summed) is a matter of the transform and not done here.
    * A map without a positive value, and one with no rectangle left: the whole image, marked empty.

    The curve is over the **lowest** level, as a fraction of the maximum; of the other levels those above it
    stay.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        levels: Ascending, of 255, in [0, 255).
        erosion: Of 255 of the largest distance, in [0, 255).
        margin: Pixels, 0 or more.
        quantise: Whether to round to 8 bits first.
        grid: Ascending fractions of the maximum in [0, 1) at which :meth:`curve` gives boxes.
    """

    name: str
    version: int
    levels: tuple[float, ...] = (20, 100, 110)
    erosion: float = 10
    margin: int = 5
    quantise: bool = True
    grid: tuple[float, ...] = _GRID
    needs_image: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Refuse options out of range.

        Raises:
            UserError: Naming the option and its range.
        """
        object.__setattr__(self, "levels", ascending("levels", self.levels, _is_grey, "in [0, 255)"))
        require("levels", len(self.levels), lambda count: count > 0, "at least one number")
        require("erosion", self.erosion, _is_grey, "a number in [0, 255)")
        require_count("margin", self.margin, least=0)
        object.__setattr__(self, "grid", ascending("grid", self.grid, _is_fraction, "in [0, 1)"))

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None = None) -> Localization:
        """Locate one class from its ``[h, w]`` heatmap; the image is not looked at.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        pixels = upsample_cubic(np.maximum(heatmap, 0), view)
        grey = self._grey(pixels)
        box = _largest([self._rectangles(grey, level) for level in self.levels], view)
        return Localization(box or whole(view), peak(pixels), empty=box is None)

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Boxes ``[T, 4]`` where each fraction of ``grid`` is the lowest level, from one upsampling.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        grey = self._grey(upsample_cubic(np.maximum(heatmap, 0), view))
        cores = [self._rectangles(grey, level) for level in self.levels]
        boxes = []
        for fraction in self.grid:
            lowest = 255 * fraction
            above = [core for core, level in zip(cores, self.levels, strict=True) if level > lowest]
            boxes.append(_largest([self._rectangles(grey, lowest), *above], view) or whole(view))
        return np.array(boxes, np.int32).reshape(-1, 4)

    def _grey(self, pixels: FloatArray) -> FloatArray:
        """0…255, rounded or not."""
        if self.quantise:
            return to_bytes(pixels).astype(np.float32)
        positive: FloatArray = np.maximum(pixels, 0)
        highest = positive.max()
        if highest > 0:
            positive *= np.float32(255) / highest
        return positive

    def _rectangles(self, grey: FloatArray, level: float) -> IntArray:
        """``[n, 4]`` cut to the margin, each with an area."""
        boxes = component_boxes(_core(grey > np.float32(level), self.erosion))
        height, width = grey.shape
        boxes[:, 2:] = np.minimum(boxes[:, 2:], [width - self.margin, height - self.margin])
        return boxes[area(boxes) > 0]


def _largest(rectangles: Sequence[IntArray], view: View) -> Box | None:
    """The largest of all, one pixel wider and higher where there is one more."""
    ranked = by_area(np.concatenate(rectangles))
    if not len(ranked):
        return None
    x0, y0, x1, y1 = ranked[0].tolist()
    return Box(x0, y0, min(x1 + 1, view.region.x1), min(y1 + 1, view.region.y1))


def _core(mask: BoolArray, erosion: float) -> BoolArray:
    """Where ``round(255 d / max d) > erosion``, ``d`` being the distance to what is not in the mask."""
    if mask.all() or not mask.any():
        return mask
    distance = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    squared = np.rint(np.square(distance, dtype=np.float64))  # whole numbers: a tie is a tie
    core: BoolArray = squared * (2 * 255) ** 2 >= (2 * np.floor(erosion) + 1) ** 2 * squared.max()
    return core


def _is_grey(value: float) -> bool:
    return 0 <= value < 255


def _is_fraction(value: float) -> bool:
    return 0 <= value < 1
