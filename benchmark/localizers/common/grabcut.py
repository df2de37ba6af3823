"""GrabCut on an image, or on a smaller copy of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import whole
from benchmark.core.errors import UserError
from benchmark.core.heatmaps import peak
from benchmark.core.options import Checked, Count, unfit
from benchmark.core.types import BoolArray, Box, FloatArray, ImageArray, IntArray, LocatedBox, View

Trimap = npt.NDArray[np.uint8]
"""An ``[h, w]`` array of OpenCV's ``GC_BGD``, ``GC_FGD``, ``GC_PR_BGD`` and ``GC_PR_FGD``."""
_UNUSED = (0, 0, 0, 0)  # the box from which GrabCut could start instead of seeds


def segment(image: ImageArray, seeds: Trimap, iterations: int, early: bool = False) -> BoolArray:
    """Run OpenCV's GrabCut from seeds, and return the sure and probable foreground ``[h, w]``.

    GrabCut draws random numbers (k-means). OpenCV's generator belongs to the thread and is seeded before
    every call, so the result depends neither on the order of the images nor on the number of threads.

    Args:
        image: ``[H, W, 3]``, reduced to the seeds' size by area averaging if it differs.
        seeds: ``[h, w]``, with both foreground and background in it, sure or probable; left as they are.
        iterations: Iterations of GrabCut, at least 1.
        early: Whether to stop after an iteration that changes no pixel's label.
    """
    height, width = seeds.shape
    if seeds.shape != image.shape[:2]:
        resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        image = np.asarray(resized, np.uint8)
    found = seeds.copy()
    colours = np.zeros((2, 1, 65))  # the two colour models, for OpenCV to fill
    cv2.setRNGSeed(0)
    mode = cv2.GC_INIT_WITH_MASK
    for _ in range(iterations):
        before = found.copy()
        cv2.grabCut(image, found, _UNUSED, colours[0], colours[1], 1, mode)
        if early and (found == before).all():
            break
        mode = cv2.GC_EVAL  # goes on from labels and colour models, exactly as the iterations of one call do
    return np.isin(found, [cv2.GC_FGD, cv2.GC_PR_FGD])


def shrunk(view: View, max_side: int | None) -> View:
    """Return the view of a copy whose longer side is ``max_side``; the view itself if it is small enough."""
    longer = max(view.width, view.height)
    if max_side is None or longer <= max_side:
        return view
    factor = max_side / longer
    width, height = max(round(view.width * factor), 1), max(round(view.height * factor), 1)
    small = View(width, height, Box(0, 0, width, height))
    return replace(small, region=rescaled(view.region, view, small))


def rescaled(box: Box, of: View, to: View) -> Box:
    """Scale a box from one size of an image to another, rounded outward and cut to the other's region."""
    x0, x1 = box.x0 * to.width // of.width, -(-box.x1 * to.width // of.width)
    y0, y1 = box.y0 * to.height // of.height, -(-box.y1 * to.height // of.height)
    seen = to.region
    return Box(max(x0, seen.x0), max(y0, seen.y0), min(x1, seen.x1), min(y1, seen.y1))


@dataclass(frozen=True)
class SeededGrabCut(Checked, ABC, group="localizer"):
    """A box by GrabCut whose seeds come from a heatmap: what such localizers have in common.

    It works on the original image's pixels, or on a copy whose longer side is ``max_side``, reduced by area
    averaging; a box of the copy is rounded outward to original pixels. Without seeds, or without a segment,
    the box is the whole image, marked empty.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        foreground: Value from which pixels are seeds of the foreground.
        background: Up to where they are seeds of the background, below ``foreground``.
        iterations: Iterations of GrabCut, at least 1.
        max_side: The longer side, in pixels, of the copy on which GrabCut works; ``None`` works on the
            original image itself.
    """

    name: str
    version: int
    foreground: float
    background: float
    iterations: Count
    max_side: Count | None = 500
    early: bool = field(default=False, init=False)  # whether GrabCut stops when no pixel's label changes
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
        pixels = self._upsampled(heatmap, view)
        small = shrunk(view, self.max_side)
        seeds = self._seeds(pixels if small == view else self._upsampled(heatmap, small))
        box = None if seeds is None else self._box(segment(image, seeds, self.iterations, self.early))
        if box is None:
            return LocatedBox(whole(view), peak(pixels), empty=True)
        return LocatedBox(rescaled(box, small, view), peak(pixels), empty=False)

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Return no boxes, ``[0, 4]``: a graph cut from two kinds of seeds has no threshold."""
        return np.empty((0, 4), np.int32)

    @abstractmethod
    def _upsampled(self, heatmap: FloatArray, view: View) -> FloatArray:
        """Return the heatmap in the pixels of a view."""

    @abstractmethod
    def _seeds(self, pixels: FloatArray) -> Trimap | None:
        """Return the seeds as GrabCut's mask, or ``None`` if the map has none to give."""

    @abstractmethod
    def _box(self, mask: BoolArray) -> Box | None:
        """Return the box of a segmentation, ``None`` if there is none."""
