"""Ten crops of the warped image, whose heatmaps are merged into one as in CAM's released code."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count
from benchmark.core.resampling import antialiased, cubic_taps
from benchmark.core.types import Box, FloatArray, ImageArray, View

_SHARPNESS = -0.5  # Keys' a, as MATLAB's imresize has it


@dataclass(frozen=True)
class TenCrop(Checked, group="transform"):
    """Four corners, the centre and their mirror images of the image warped to a square canvas.

    The whole image is warped to ``canvas`` (antialiased bilinear, as MATLAB's ``imresize``) and cut into ten
    squares of the input's size (Zhou et al., ``prepare_image.m``; protocol §2.3 a). Class scores are the mean
    of the ten probabilities. Each crop's map is resized to the crop (cubic convolution, Keys' a = -1/2),
    mirrored back and added to the canvas where the crop was cut (``mergeTenCrop.m``; §2.3 b). The merged map
    is the whole image's.

    **Absolute values** are added, as in that code: strongly negative evidence makes the merged map bright.
    For a map without negative values, as Grad-CAM's, this is the plain sum. The sum is not divided by the
    number of crops that show a pixel, so the middle, shown by all ten, is brighter than a corner, shown by
    two.

    Attributes:
        canvas: Side of the warped image, pixels; at least the input's size.
        absolute: Whether to add absolute values, as published, or the maps as they are.
    """

    canvas: Count = 256
    absolute: bool = True
    name: str = "ten_crop"

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        """Cut an RGB image ``[H, W, 3]`` uint8 to ``[10, size, size, 3]`` float32 in 0…255.

        Raises:
            UserError: If the canvas is smaller than ``size``.
        """
        height, width = image.shape[:2]
        warped = antialiased(image, self.canvas, self.canvas)
        return self.cut(warped, size), View(width, height, Box(0, 0, width, height))

    def cut(self, picture: FloatArray, size: int) -> FloatArray:
        """Cut a picture ``[canvas, canvas, 3]`` into crops ``[10, size, size, 3]``, the last five mirrored.

        Raises:
            UserError: If ``size`` exceeds the canvas, or the picture (a mean image) is not of its size.
        """
        if len(picture) != self.canvas:
            raise UserError(
                f"model.input.mean_image: {len(picture)} pixels wide, the crops are cut from {self.canvas}; "
                f"give the net's own mean image, or transform.canvas={len(picture)}"
            )
        crops = [picture[top : top + size, left : left + size] for top, left in self._corners(size)]
        return np.stack([*crops, *(crop[:, ::-1] for crop in crops)])

    def merge(self, maps: Tensor, size: int) -> Tensor:
        """Merge the heatmaps of the crops ``[N, 10, K, h, w]`` into ``[N, K, canvas, canvas]``."""
        images, _, classes, _, _ = maps.shape
        canvas = maps.new_zeros(images, classes, self.canvas, self.canvas)
        corners = self._corners(size)
        for number, (top, left) in enumerate([*corners, *corners]):
            crop = _resized(maps[:, number], size)
            crop = crop.flip(-1) if number >= len(corners) else crop
            canvas[..., top : top + size, left : left + size] += crop.abs() if self.absolute else crop
        return canvas

    def _corners(self, size: int) -> list[tuple[int, int]]:
        """Return the top and left edges of the five squares, the centre last."""
        rest = self.canvas - size
        if rest < 0:
            raise UserError(f"transform.canvas={self.canvas}: the input is {size} pixels wide; set {size} up")
        middle = (rest + 1) // 2  # rounded up, as in prepare_image.m
        return [(0, 0), (0, rest), (rest, 0), (rest, rest), (middle, middle)]


def _resized(maps: Tensor, size: int) -> Tensor:
    """Resize ``[N, K, h, w]`` to ``[N, K, size, size]``, to the same bits whatever else is in the batch."""
    for axis in (-2, -1):
        if maps.shape[axis] != size:
            maps = _convolved(maps.transpose(axis, -1), size).transpose(axis, -1)
    return maps


def _convolved(maps: Tensor, size: int) -> Tensor:
    """Resample the last axis by ``b + v (a - b) + w (c - b) + z (d - b)``, which keeps a constant exactly."""
    cells, weights = _taps(maps.shape[-1], size, maps.device, maps.dtype)
    near = maps[..., cells[1]]
    return near + sum(weights[tap] * (maps[..., cells[tap]] - near) for tap in (0, 2, 3))


@lru_cache(maxsize=64)
def _taps(cells: int, size: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the taps and weights, kept on the device so that no batch has to wait for a copy."""
    taps, weights = cubic_taps(cells, size, _SHARPNESS)
    return torch.from_numpy(taps).to(device), torch.from_numpy(weights[..., 0]).to(device, dtype)
