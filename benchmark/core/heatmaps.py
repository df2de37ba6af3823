"""From a heatmap of a few cells to a map of the original image's pixels."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmark.core.errors import UserError
from benchmark.core.resampling import cubic_taps
from benchmark.core.types import FloatArray, View

_Taps = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]
ByteArray = npt.NDArray[np.uint8]
"""A map of whole numbers 0…255, ``[h, w]`` uint8."""


def upsample(heatmap: FloatArray, view: View) -> FloatArray:
    """Resample a heatmap to the pixels of the original image.

    Bilinear with corner alignment, ``position = pixel * (cells - 1) / (pixels - 1)``: the first and last
    cells lie on the region's first and last pixels, as in the authors' own code (protocol §1.3, §1.4). Equal
    to ``torch.nn.functional.interpolate(..., mode="bilinear", align_corners=True)``; written out because two
    taps a pixel give the same bits on every machine, whatever BLAS or instruction set it has.

    Args:
        heatmap: ``[h, w]`` float32, of the view's region; of any sign.
        view: How the region lies in the original image.

    Returns:
        ``[view.height, view.width]`` float32. Pixels outside the region are ``-inf``: the model has not seen
        them, so no threshold selects them and none is the maximum.

    Raises:
        UserError: If the heatmap holds NaN or infinity, from which no box follows.
    """
    refuse_nan(heatmap)
    x0, y0, x1, y1 = view.region
    # Columns first: the large step then copies whole rows.
    seen = _interpolate(_interpolate(heatmap.T, x1 - x0).T, y1 - y0)
    return _in_image(seen, view)


def upsample_cubic(heatmap: FloatArray, view: View, sharpness: float = -0.5) -> FloatArray:
    """Resample a heatmap to the pixels of the original image by cubic convolution.

    As :func:`upsample`, save that four taps an axis are used and cells are areas, not points: see
    :func:`cubic`. The result may exceed the heatmap's own range on either side.

    Raises:
        UserError: If the heatmap holds NaN or infinity.
    """
    refuse_nan(heatmap)
    x0, y0, x1, y1 = view.region
    return _in_image(cubic(heatmap, y1 - y0, x1 - x0, sharpness), view)


def cubic(heatmap: FloatArray, height: int, width: int, sharpness: float) -> FloatArray:
    """Cubic convolution to ``[height, width]`` (Keys 1981), with half-pixel centres and a repeated border.

    Pixel ``i`` lies at ``(i + 1/2) cells / pixels - 1/2``; no antialiasing where a map shrinks. Equal to
    OpenCV's ``INTER_CUBIC`` for a sharpness of -0.75 and, growing, to MATLAB's ``imresize`` for -0.5. Written
    out for the same reason as :func:`upsample`. A constant map stays exactly constant.

    Args:
        heatmap: ``[h, w]`` float32.
        height: Rows of the result.
        width: Its columns.
        sharpness: The kernel's slope at distance 1, Keys' ``a``.
    """
    columns = _convolve(heatmap.T, width, sharpness).T
    return _convolve(np.ascontiguousarray(columns), height, sharpness)


def to_bytes(pixels: FloatArray) -> ByteArray:
    """``[H, W]`` as a grey picture: 255 at the maximum, 0 at and below 0, rounded half up.

    Without a positive value, 0 throughout.
    """
    highest = np.float32(pixels.max())
    if highest <= 0:
        return np.zeros(pixels.shape, np.uint8)
    relative = np.maximum(pixels, 0) / highest
    return (relative * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def refuse_nan(heatmap: FloatArray) -> None:
    """Refuse a map from which no box follows.

    Raises:
        UserError: If it holds NaN or infinity.
    """
    if not np.isfinite(heatmap).all():
        raise UserError("a heatmap holds NaN or infinity; run the model in float32 and check its weights")


def peak(pixels: FloatArray) -> tuple[int, int]:
    """``(x, y)`` of the maximum of ``[H, W]``; the first in raster order where several pixels share it."""
    y, x = np.unravel_index(int(pixels.argmax()), pixels.shape)
    return int(x), int(y)


def _in_image(seen: FloatArray, view: View) -> FloatArray:
    """What the region shows, in the original image; ``-inf`` around it."""
    if seen.shape == (view.height, view.width):
        return seen
    x0, y0, x1, y1 = view.region
    pixels = np.full((view.height, view.width), -np.inf, np.float32)
    pixels[y0:y1, x0:x1] = seen
    return pixels


def _interpolate(rows: FloatArray, size: int) -> FloatArray:
    """Resample the first axis to ``size``; ``a + t (b - a)`` keeps a constant map exactly constant."""
    below, above, weight = _taps(len(rows), size)
    low: FloatArray = rows[below]
    return low + weight * (rows[above] - low)


@lru_cache(maxsize=4096)
def _taps(cells: int, pixels: int) -> _Taps:
    """The two cells around each pixel and the upper one's weight; whole numbers decide which cells."""
    position = np.arange(pixels, dtype=np.int64) * (cells - 1)
    below, rest = np.divmod(position, max(pixels - 1, 1))
    above = np.minimum(below + 1, cells - 1)
    weight = (rest / max(pixels - 1, 1)).astype(np.float32)[:, None]
    return below, above, weight


def _convolve(rows: FloatArray, size: int, sharpness: float) -> FloatArray:
    """Resample the first axis to ``size``: ``b + v (a - b) + w (c - b) + z (d - b)``, true to a constant."""
    cells, weights = cubic_taps(len(rows), size, sharpness)
    near: FloatArray = rows[cells[1]]
    found = near.copy()
    for tap in (0, 2, 3):
        found += weights[tap] * (rows[cells[tap]] - near)
    return found
