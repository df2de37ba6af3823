"""Resampling of images, one function a rule, in floating point and without rounding to grey levels.

Each axis is resampled by a sparse matrix times the image. The weights are written out here, so they are the
same on every machine, whatever libraries it has.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.core.types import FloatArray, ImageArray


def area_or_aligned(image: ImageArray, height: int, width: int) -> FloatArray:
    """Average over areas along an axis that shrinks; interpolate between aligned corners if it grows.

    This is Torch7's ``image.scale``: ``[H, W, 3]`` uint8 to ``[height, width, 3]`` float32 in 0…255.
    """
    return _separable(image, height, width, aligned=True)


def bilinear(image: ImageArray, height: int, width: int) -> FloatArray:
    """Interpolate between two pixels an axis with half-pixel centres, without antialiasing.

    This is OpenCV's ``INTER_LINEAR``: ``[H, W, 3]`` uint8 to ``[height, width, 3]`` float32 in 0…255.
    """
    return _separable(image, height, width, aligned=False)


def antialiased(image: ImageArray, height: int, width: int) -> FloatArray:
    """Interpolate bilinearly with antialiasing: the kernel is widened as far as an axis shrinks.

    This is the rule of Pillow, torchvision and MATLAB's ``imresize``: ``[H, W, 3]`` uint8 to
    ``[height, width, 3]`` float32.
    """
    import torch
    import torch.nn.functional as F

    channels = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    resized = F.interpolate(channels, (height, width), mode="bilinear", align_corners=False, antialias=True)
    return resized[0].permute(1, 2, 0).numpy()


def cut_edges(start: int, size: int, resized: int, original: int) -> tuple[int, int]:
    """Return an interval of a resized axis on the original one, in whole pixels and inside the image."""
    first = min(round(start * original / resized), original - 1)
    last = min(round((start + size) * original / resized), original)
    return first, max(last, first + 1)


def _separable(image: ImageArray, height: int, width: int, aligned: bool) -> FloatArray:
    rows = _along_first_axis(image.astype(np.float32), height, aligned)
    columns = _along_first_axis(rows.transpose(1, 0, 2), width, aligned)
    return np.ascontiguousarray(columns.transpose(1, 0, 2))


def _along_first_axis(image: FloatArray, size: int, aligned: bool) -> FloatArray:
    """Resample ``[n, m, 3]`` to ``[size, m, 3]``."""
    flat = np.ascontiguousarray(image).reshape(len(image), -1)
    resampled: FloatArray = (_weights(len(image), size, aligned) @ flat).reshape(size, *image.shape[1:])
    return resampled


@lru_cache(maxsize=1024)
def _weights(n: int, size: int, aligned: bool) -> Any:
    """Return the sparse float32 matrix ``[size, n]`` that resamples ``n`` pixels; its rows sum to 1."""
    from scipy.sparse import csr_array  # takes longer to import than a table to print

    if aligned:
        rows = _area(n, size) if size < n else _hats(np.arange(size) * (n - 1) / max(size - 1, 1), n)
    else:
        rows = _hats(((np.arange(size) + 0.5) * n / size - 0.5).clip(0, n - 1), n)
    return csr_array(rows.astype(np.float32))


def _area(n: int, size: int) -> npt.NDArray[np.float64]:
    """Weigh pixel ``j`` by its share of ``[i n / size, (i + 1) n / size)``, which output ``i`` covers."""
    edges = np.arange(size + 1)[:, None] * n / size
    cells = np.arange(n)[None, :]
    overlap = np.minimum(edges[1:], cells + 1) - np.maximum(edges[:-1], cells)
    return np.asarray(np.maximum(overlap, 0) * size / n)


def _hats(places: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.float64]:
    """Weigh ``n`` pixels for linear interpolation at ``places``."""
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(n)[None, :])))


@lru_cache(maxsize=4096)
def cubic_taps(cells: int, pixels: int, sharpness: float) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Return the taps and weights of cubic convolution (Keys 1981).

    Centres are half-pixel and the border is repeated: pixel ``i`` lies at ``(i + 1/2) cells / pixels - 1/2``.
    A map that shrinks is not antialiased.

    Args:
        cells: Number of cells to interpolate between.
        pixels: Number of pixels to make of them.
        sharpness: The kernel's slope at distance 1, Keys' ``a``.

    Returns:
        The four cells around each pixel ``[4, pixels]`` and their weights ``[4, pixels, 1]``.
    """
    # Twice the position in units of 1/(2 pixels), so that whole numbers decide which cells are near.
    position = (2 * np.arange(pixels, dtype=np.int64) + 1) * cells - pixels
    below, rest = np.divmod(position, 2 * pixels)
    t, a = rest / (2 * pixels), sharpness
    far = [a * (s**3 - 5 * s**2 + 8 * s - 4) for s in (1 + t, 2 - t)]
    near = [(a + 2) * s**3 - (a + 3) * s**2 + 1 for s in (t, 1 - t)]
    weights = np.stack([far[0], *near, far[1]]).astype(np.float32)[..., None]
    taps = np.clip(below + np.arange(-1, 3)[:, None], 0, cells - 1)
    return taps, weights
