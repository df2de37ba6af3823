"""The whole image as a square, resampled as many reproductions do."""

from dataclasses import dataclass

from benchmark.core.options import Checked
from benchmark.core.resampling import bilinear
from benchmark.core.types import Box, FloatArray, ImageArray, View


@dataclass(frozen=True)
class WarpBilinear(Checked, group="transform"):
    """The whole image warped to the square by plain bilinear interpolation, without antialiasing.

    It uses half-pixel centres and two pixels an axis, as ``cv2.resize`` with ``INTER_LINEAR`` and
    ``torch.nn.functional.interpolate`` do by default. A large image is thinned out rather than averaged, so
    fine texture is aliased. Values are not rounded to whole grey levels.
    """

    name: str = "warp_bilinear"

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        """Resample an RGB image ``[H, W, 3]`` uint8 to ``[size, size, 3]`` float32 in 0…255."""
        height, width = image.shape[:2]
        return bilinear(image, size, size), View(width, height, Box(0, 0, width, height))
