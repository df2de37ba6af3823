"""From a heatmap of a few cells to a map of the original image's pixels."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmark.errors import UserError
from benchmark.types import FloatArray, View

_Taps = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]


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
    if not np.isfinite(heatmap).all():
        raise UserError("a heatmap holds NaN or infinity; run the model in float32 and check its weights")
    x0, y0, x1, y1 = view.region
    # Columns first: the large step then copies whole rows.
    seen = _interpolate(_interpolate(heatmap.T, x1 - x0).T, y1 - y0)
    if seen.shape == (view.height, view.width):
        return seen
    pixels = np.full((view.height, view.width), -np.inf, np.float32)
    pixels[y0:y1, x0:x1] = seen
    return pixels


def peak(pixels: FloatArray) -> tuple[int, int]:
    """``(x, y)`` of the maximum of ``[H, W]``; the first in raster order where several pixels share it."""
    y, x = np.unravel_index(int(pixels.argmax()), pixels.shape)
    return int(x), int(y)


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
