"""The centre of the resized image, as the package timm evaluates its classifiers."""

from dataclasses import dataclass
from math import floor
from typing import Literal

import numpy as np
from PIL import Image

from benchmark.core.options import Checked, Share
from benchmark.core.resampling import cut_edges
from benchmark.core.types import Box, FloatArray, ImageArray, View

_RULES = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class ResizeCrop(Checked, group="transform"):
    """The centre of the resized image, as the package timm evaluates its classifiers.

    An input of ``S`` pixels is cut from the middle of an image resized to ``floor(S / crop_pct)``, by Pillow
    and to whole grey levels. Source: ``timm.data.transforms_imagenet_eval`` of timm 1.0.

    Attributes:
        crop_pct: Side of the input as a share of the resized image's.
        mode: ``center`` resizes the shorter side and keeps the aspect ratio; ``squash`` resizes both sides.
        interpolation: Pillow's, antialiased.
    """

    crop_pct: Share = 0.875
    mode: Literal["center", "squash"] = "center"
    interpolation: Literal["bilinear", "bicubic"] = "bicubic"
    name: str = "resize_crop"

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        """Cut an RGB image ``[H, W, 3]`` uint8 to ``[size, size, 3]`` float32 in 0…255."""
        height, width = image.shape[:2]
        side = floor(size / self.crop_pct)
        short = min(height, width)
        tall, wide = (side * edge // short if self.mode == "center" else side for edge in (height, width))
        resized = np.array(Image.fromarray(image).resize((wide, tall), _RULES[self.interpolation]))
        top, left = round((tall - size) / 2), round((wide - size) / 2)
        x0, x1 = cut_edges(left, size, wide, width)
        y0, y1 = cut_edges(top, size, tall, height)
        pixels = resized[top : top + size, left : left + size].astype(np.float32)
        return pixels, View(width, height, Box(x0, y0, x1, y1))
