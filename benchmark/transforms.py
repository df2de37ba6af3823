"""The geometry of inputs: which part of an image a network sees, and how it is resampled."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.sparse import csr_array
from torch import Tensor

from benchmark.errors import UserError
from benchmark.types import Box, FloatArray, ImageArray, InputFormat, View

_STEPS = {"rgb": 1, "bgr": -1}


@dataclass(frozen=True)
class Warp:
    """The whole image warped to the square, whatever its aspect ratio: one view, nothing cut off.

    Each axis on its own is averaged over areas where it shrinks and interpolated linearly between aligned
    corners where it grows, as Torch7's ``image.scale`` did for the Grad-CAM authors' code (protocol §1.3);
    nothing is rounded to whole grey levels.
    """

    name: str = "warp"

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        """Resample an RGB image ``[H, W, 3]`` uint8 to ``[size, size, 3]`` float32 in 0…255."""
        height, width = image.shape[:2]
        rows = _along_first_axis(image.astype(np.float32), size)
        pixels = _along_first_axis(rows.transpose(1, 0, 2), size).transpose(1, 0, 2)
        return np.ascontiguousarray(pixels), View(width, height, Box(0, 0, width, height))


@dataclass(frozen=True)
class CenterCrop:
    """The centre of the image, as torchvision's reference evaluation cuts it.

    The shorter side is resized to ``resize`` (antialiased bilinear; the longer side keeps the aspect ratio,
    rounded down), then the central square is cut out. The region of the view is the square's rectangle in the
    original image, each edge rounded to the nearest whole pixel and clipped to the image.

    Attributes:
        resize: Shorter side before the cut, pixels; at least the input's size.
    """

    resize: int = 256
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
        resized = _antialiased(image, tall, wide)
        x0, x1 = _edges(left, size, wide, width)
        y0, y1 = _edges(top, size, tall, height)
        pixels = resized[top : top + size, left : left + size]
        return np.ascontiguousarray(pixels), View(width, height, Box(x0, y0, x1, y1))


def to_input(pixels: FloatArray, form: InputFormat) -> Tensor:
    """A network's input from resampled pixels: ``(scale * pixel - mean) / std`` in its channel order.

    Args:
        pixels: ``[S, S, 3]`` RGB in 0…255.
        form: What the network expects.

    Returns:
        ``[3, S, S]`` float32.

    Raises:
        UserError: For a channel order other than ``rgb`` or ``bgr``.
    """
    if form.order not in _STEPS:
        raise UserError(f"model.input.order={form.order}: choose rgb or bgr")
    mean, std = np.asarray(form.mean, np.float32), np.asarray(form.std, np.float32)
    values = (pixels[..., :: _STEPS[form.order]] * np.float32(form.scale) - mean) / std
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))


def _along_first_axis(image: FloatArray, size: int) -> FloatArray:
    """``[n, m, 3]`` resampled to ``[size, m, 3]``."""
    flat = np.ascontiguousarray(image).reshape(len(image), -1)
    resampled: FloatArray = (_weights(len(image), size) @ flat).reshape(size, *image.shape[1:])
    return resampled


@lru_cache(maxsize=1024)
def _weights(n: int, size: int) -> Any:
    """Sparse ``[size, n]`` float32, each row summing to 1: how ``n`` pixels become ``size``."""
    rows = _area(n, size) if size < n else _aligned(n, size)
    return csr_array(rows.astype(np.float32))


def _area(n: int, size: int) -> npt.NDArray[np.float64]:
    """Output ``i`` covers ``[i n / size, (i + 1) n / size)``; the weight of ``j`` is its share of that."""
    edges = np.arange(size + 1)[:, None] * n / size
    cells = np.arange(n)[None, :]
    overlap = np.minimum(edges[1:], cells + 1) - np.maximum(edges[:-1], cells)
    return np.asarray(np.maximum(overlap, 0) * size / n)


def _aligned(n: int, size: int) -> npt.NDArray[np.float64]:
    """Output ``i`` lies at ``i (n - 1) / (size - 1)``; hat functions around each input pixel."""
    places = np.arange(size)[:, None] * (n - 1) / max(size - 1, 1)
    return np.asarray(np.maximum(0, 1 - np.abs(places - np.arange(n)[None, :])))


def _antialiased(image: ImageArray, height: int, width: int) -> FloatArray:
    channels = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    resized = F.interpolate(channels, (height, width), mode="bilinear", align_corners=False, antialias=True)
    return resized[0].permute(1, 2, 0).numpy()


def _edges(start: int, size: int, resized: int, original: int) -> tuple[int, int]:
    """An interval of a resized axis on the original one: whole pixels, at least one, inside the image."""
    first = min(round(start * original / resized), original - 1)
    last = min(round((start + size) * original / resized), original)
    return first, max(last, first + 1)
