"""Resampling of heatmaps to the pixels of the original image, and their peak."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmark.core.errors import UserError
from benchmark.core.resampling import cubic_taps
from benchmark.core.types import FloatArray, View

_Taps = tuple[npt.NDArray[np.intp], FloatArray]
_ROWS_AT_ONCE = 64  # which stay in a core's cache
ByteArray = npt.NDArray[np.uint8]
"""A map of whole numbers 0…255, ``[h, w]`` uint8."""


def upsample(heatmap: FloatArray, view: View) -> FloatArray:
    """Resample a heatmap to the pixels of the original image.

    The interpolation is bilinear with aligned corners, ``position = pixel * (cells - 1) / (pixels - 1)``: the
    first and last cells lie on the region's first and last pixels, as in the authors' own code (protocol
    §1.3, §1.4). It equals ``torch.nn.functional.interpolate(..., mode="bilinear", align_corners=True)``, and
    is written out because two taps a pixel give the same bits on every machine and instruction set.

    Args:
        heatmap: ``[h, w]`` float32, of the view's region; of any sign.
        view: The region's place in the original image.

    Returns:
        ``[view.height, view.width]`` float32. Pixels outside the region are ``-inf``, since the model has not
        seen them: no threshold selects them and none is the maximum.

    Raises:
        UserError: If the heatmap holds NaN or infinity.
    """
    refuse_nan(heatmap)
    x0, y0, x1, y1 = view.region
    # Columns first: the large step then copies whole rows.
    columns = _interpolate(np.ascontiguousarray(heatmap.T), x1 - x0)
    seen = _interpolate(np.ascontiguousarray(columns.T), y1 - y0)
    return _in_image(seen, view)


def upsample_cubic(heatmap: FloatArray, view: View, sharpness: float = -0.5) -> FloatArray:
    """Resample a heatmap to the pixels of the original image by cubic convolution.

    Unlike :func:`upsample` it uses four taps an axis and takes cells as areas, not points: see :func:`cubic`.
    The result may exceed the heatmap's own range on either side.

    Raises:
        UserError: If the heatmap holds NaN or infinity.
    """
    refuse_nan(heatmap)
    x0, y0, x1, y1 = view.region
    return _in_image(cubic(heatmap, y1 - y0, x1 - x0, sharpness), view)


def cubic(heatmap: FloatArray, height: int, width: int, sharpness: float) -> FloatArray:
    """Resample to ``[height, width]`` by cubic convolution (Keys 1981).

    Centres are half-pixel and the border is repeated: pixel ``i`` lies at ``(i + 1/2) cells / pixels - 1/2``.
    A map that shrinks is not antialiased. It equals OpenCV's ``INTER_CUBIC`` for a sharpness of -0.75 and,
    for a map that grows, MATLAB's ``imresize`` for -0.5; it is written out for the same reason as
    :func:`upsample`. A constant map stays exactly constant.

    Args:
        heatmap: ``[h, w]`` float32.
        height: Rows of the result.
        width: Columns of the result.
        sharpness: The kernel's slope at distance 1, Keys' ``a``.
    """
    columns = _convolve(heatmap.T, width, sharpness).T
    return _convolve(np.ascontiguousarray(columns), height, sharpness)


def to_bytes(pixels: FloatArray) -> ByteArray:
    """Convert ``[H, W]`` to grey levels: 255 at the maximum, 0 at and below 0, rounded half up.

    A map without a positive value becomes 0 throughout.
    """
    highest = np.float32(pixels.max())
    if highest <= 0:
        return np.zeros(pixels.shape, np.uint8)
    relative = np.maximum(pixels, 0) / highest
    return (relative * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def in_reach(heatmap: FloatArray) -> FloatArray:
    """Return a heatmap whose values float32 can interpolate: a power of two times the given one.

    Near the ends of float32 differences overflow, or products lose their digits. A map whose greatest
    magnitude lies between 2^-60 and 2^100 is returned as it is; no box depends on a factor.

    Raises:
        UserError: If the heatmap holds NaN or infinity.
    """
    refuse_nan(heatmap)
    greatest = np.abs(heatmap).max(initial=0)
    exponent = int(np.frexp(greatest)[1])
    shift = min(max(exponent, -60), 100) - exponent if greatest else 0
    return np.ldexp(heatmap, shift) if shift else heatmap


def positive(heatmap: FloatArray) -> FloatArray:
    """Return a heatmap with its negative values set to 0, as :func:`in_reach` does.

    Raises:
        UserError: If the heatmap holds NaN or infinity.
    """
    refuse_nan(heatmap)
    return in_reach(np.maximum(heatmap, 0))


def refuse_nan(heatmap: FloatArray) -> None:
    """Refuse a heatmap that holds NaN or infinity, from which no box can be drawn.

    Raises:
        UserError: If it does.
    """
    if not np.isfinite(heatmap).all():
        raise UserError("a heatmap holds NaN or infinity; run the model in float32 and check its weights")


def peak(pixels: FloatArray) -> tuple[int, int]:
    """Return ``(x, y)`` of the maximum of ``[H, W]``; of several equal pixels the first in raster order."""
    y, x = np.unravel_index(int(pixels.argmax()), pixels.shape)
    return int(x), int(y)


def _in_image(seen: FloatArray, view: View) -> FloatArray:
    """Return the region's pixels in a map of the original image, ``-inf`` around them."""
    if seen.shape == (view.height, view.width):
        return seen
    x0, y0, x1, y1 = view.region
    pixels = np.full((view.height, view.width), -np.inf, np.float32)
    pixels[y0:y1, x0:x1] = seen
    return pixels


def _interpolate(rows: FloatArray, size: int) -> FloatArray:
    """Resample the first axis to ``size``; ``a + t (b - a)`` keeps a constant map exactly constant."""
    below, weight = _taps(len(rows), size)
    steps = np.diff(rows, axis=0, append=rows[-1:])
    resampled = np.empty((size, rows.shape[1]), np.float32)
    scratch = np.empty((_ROWS_AT_ONCE, rows.shape[1]), np.float32)
    for start in range(0, size, _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        cells, made = below[part], resampled[part]
        steps.take(cells, axis=0, out=made, mode="clip")  # the mode that writes without a buffer between
        made *= weight[part]
        made += rows.take(cells, axis=0, out=scratch[: len(made)], mode="clip")
    return resampled


@lru_cache(maxsize=4096)
def _taps(cells: int, pixels: int) -> _Taps:
    """Return the cell at or below each pixel, chosen in whole numbers, and the weight of the next one."""
    position = np.arange(pixels, dtype=np.int64) * (cells - 1)
    below, rest = np.divmod(position, max(pixels - 1, 1))
    weight = (rest / max(pixels - 1, 1)).astype(np.float32)[:, None]
    return below, weight


def _convolve(rows: FloatArray, size: int, sharpness: float) -> FloatArray:
    """Resample the first axis by ``b + v (a - b) + w (c - b) + z (d - b)``, exact for a constant map."""
    cells, weights = cubic_taps(len(rows), size, sharpness)
    near: FloatArray = rows[cells[1]]
    found = near.copy()
    for tap in (0, 2, 3):
        found += weights[tap] * (rows[cells[tap]] - near)
    return found
