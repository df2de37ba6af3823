"""Boxes by GrabCut from seeds at quantiles of the map, as published for image-space gradients."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmark.core.boxes import largest_component, whole
from benchmark.core.errors import UserError
from benchmark.core.heatmaps import peak, upsample
from benchmark.core.options import Checked, Count, Fraction, Share, unfit
from benchmark.core.types import FloatArray, ImageArray, IntArray, LocatedBox, View
from benchmark.localizers.common.grabcut import Trimap, rescaled, segment, shrunk


@dataclass(frozen=True)
class GrabCut(Checked, group="localizer"):
    """Segment the object by its colours, seeded by the most and the least salient pixels; draw the tight box.

    Simonyan et al. 2013 (protocol §3.2, §3.4). What they leave open is settled here, and a change of any of
    it raises the version:

    * It works on the **original image's pixels**, except that images with a side above ``max_side`` (one in
      eleven of ILSVRC's) are reduced to it by area averaging, since the time grows steeply with the size.
    * Quantiles are of the map upsampled to those pixels, over the region that the network has seen.
    * Pixels at or above the ``foreground`` quantile are sure foreground. Those at or below the
      ``background`` quantile, and all that the network has not seen, are sure background. Those between are
      probable background.
    * If ties make the quantiles equal (for instance with more than 95 % zeros), background wins, and only
      pixels above that quantile seed the foreground.
    * OpenCV's GrabCut runs on the RGB pixels; the box is that of the largest 8-connected segment of sure and
      probable foreground.
    * A constant map, and one without a positive value, gives no seeds: the box is the whole image, marked
      empty.

    A box depends neither on the order of the images nor on the number of threads, although GrabCut draws
    random numbers.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        foreground: Quantile from which pixels are surely foreground, in (background, 1].
        background: Quantile up to which pixels are surely background, in [0, foreground).
        iterations: Iterations of GrabCut, at least 1.
        max_side: The longer side, in pixels, of the copy on which GrabCut works; its box is rounded outward
            to original pixels. ``None`` works on the original image itself.
    """

    name: str
    version: int
    foreground: Share = 0.95
    background: Fraction = 0.30
    iterations: Count = 5
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
        pixels = upsample(heatmap, view)
        small = shrunk(view, self.max_side)
        seeds = self._seeds(pixels if small == view else upsample(heatmap, small))
        box = None if seeds is None else largest_component(segment(image, seeds, self.iterations))
        if box is None:
            return LocatedBox(whole(view), peak(pixels), empty=True)
        return LocatedBox(rescaled(box, small, view), peak(pixels), empty=False)

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Return no boxes, ``[0, 4]``, since GrabCut has no threshold."""
        return np.empty((0, 4), np.int32)

    def _seeds(self, pixels: FloatArray) -> Trimap | None:
        """Return the seeds as GrabCut's mask, or ``None`` if the map has none to give."""
        if pixels.max() <= 0:
            return None
        low, high = np.quantile(pixels[pixels > -np.inf], [self.background, self.foreground])
        background = pixels <= low
        foreground = ~background & (pixels >= high)
        if not foreground.any():
            return None
        return np.select([background, foreground], [cv2.GC_BGD, cv2.GC_FGD], cv2.GC_PR_BGD).astype(np.uint8)
