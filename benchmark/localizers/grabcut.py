"""Boxes by GrabCut from seeds at quantiles of the map, as published for image-space gradients."""

from dataclasses import dataclass

import cv2
import numpy as np

from benchmark.core.boxes import largest_component
from benchmark.core.heatmaps import in_reach, upsample
from benchmark.core.options import Count, Fraction, Share
from benchmark.core.types import BoolArray, Box, FloatArray, View
from benchmark.localizers.common.grabcut import SeededGrabCut, Trimap


@dataclass(frozen=True)
class GrabCut(SeededGrabCut):
    """Segment the object by its colours, seeded by the most and the least salient pixels; draw the tight box.

    Simonyan et al. 2013 (protocol §3.2, §3.4). What they leave open is settled here, and a change of any of
    it raises the version:

    * Images with a side above ``max_side`` are reduced to it by area averaging, since the time grows steeply
      with the size. Version 1, which is ``grabcut_500``, reduced only what was above 500 pixels (one image of
      ILSVRC in eleven) and went through five iterations; docs/speed.md says what the difference makes.
    * Quantiles are of the map upsampled to those pixels, over the region that the network has seen.
    * Pixels at or above the ``foreground`` quantile are sure foreground. Those at or below the
      ``background`` quantile, and all that the network has not seen, are sure background. Those between are
      probable background.
    * If ties make the quantiles equal (for instance with more than 95 % zeros), background wins, and only
      pixels above that quantile seed the foreground.
    * OpenCV's GrabCut runs on the RGB pixels, and with ``early`` stops when no pixel's label changes. The box
      is that of the largest 8-connected segment of sure and probable foreground.
    * A constant map, and one without a positive value, gives no seeds: the box is the whole image, marked
      empty.

    A box depends neither on the order of the images nor on the number of threads, although GrabCut draws
    random numbers.

    Attributes:
        foreground: Quantile from which pixels are surely foreground, in (background, 1].
        background: Quantile up to which pixels are surely background, in [0, foreground).
        early: Whether to stop after an iteration that changes no pixel's label.
    """

    foreground: Share = 0.95
    background: Fraction = 0.30
    iterations: Count = 3
    max_side: Count | None = 128
    early: bool = True

    def _upsampled(self, heatmap: FloatArray, view: View) -> FloatArray:
        return upsample(in_reach(heatmap), view)

    def _box(self, mask: BoolArray) -> Box | None:
        return largest_component(mask)

    def _seeds(self, pixels: FloatArray) -> Trimap | None:
        if pixels.max() <= 0:
            return None
        low, high = np.quantile(pixels[pixels > -np.inf], [self.background, self.foreground])
        background = pixels <= low
        foreground = ~background & (pixels >= high)
        if not foreground.any():
            return None
        return np.select([background, foreground], [cv2.GC_BGD, cv2.GC_FGD], cv2.GC_PR_BGD).astype(np.uint8)
