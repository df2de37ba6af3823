"""The whole image as a square, resampled as the Grad-CAM authors' code does."""

from dataclasses import dataclass

from benchmark.core.options import Checked
from benchmark.core.resampling import area_or_aligned
from benchmark.core.types import Box, FloatArray, ImageArray, View


@dataclass(frozen=True)
class Warp(Checked, group="transform"):
    """The whole image warped to the square, whatever its aspect ratio: one view, nothing cut off.

    Each axis is averaged over areas if it shrinks, and interpolated linearly between aligned corners if it
    grows, as Torch7's ``image.scale`` did for the Grad-CAM authors' code (protocol §1.3). Values are not
    rounded to whole grey levels.
    """

    name: str = "warp"

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        """Resample an RGB image ``[H, W, 3]`` uint8 to ``[size, size, 3]`` float32 in 0…255."""
        height, width = image.shape[:2]
        return area_or_aligned(image, size, size), View(width, height, Box(0, 0, width, height))
