"""The centre of the image, as torchvision's reference evaluation cuts it."""

from dataclasses import dataclass

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count
from benchmark.core.resampling import antialiased, cut_edges
from benchmark.core.types import Box, FloatArray, ImageArray, View


@dataclass(frozen=True)
class CenterCrop(Checked, group="transform"):
    """The centre of the image, as torchvision's reference evaluation cuts it.

    The shorter side is resized to ``resize`` (antialiased bilinear; the longer side keeps the aspect ratio,
    rounded down), then the central square is cut out. The region of the view is the square's rectangle in the
    original image, each edge rounded to the nearest whole pixel and clipped to the image.

    Attributes:
        resize: Shorter side before the cut, pixels; at least the input's size.
    """

    resize: Count = 256
    name: str = "center_crop"

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        """Cut an RGB image ``[H, W, 3]`` uint8 to ``[size, size, 3]`` float32 in 0…255.

        Raises:
            UserError: If ``resize`` is smaller than ``size``.
        """
        if self.resize < size:
            raise UserError(f"transform.resize={self.resize}: the input is {size} pixels wide; set {size} up")
        height, width = image.shape[:2]
        short = min(height, width)
        tall, wide = self.resize * height // short, self.resize * width // short
        top, left = round((tall - size) / 2), round((wide - size) / 2)
        resized = antialiased(image, tall, wide)
        x0, x1 = cut_edges(left, size, wide, width)
        y0, y1 = cut_edges(top, size, tall, height)
        pixels = resized[top : top + size, left : left + size]
        return np.ascontiguousarray(pixels), View(width, height, Box(x0, y0, x1, y1))
