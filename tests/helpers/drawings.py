"""Maps drawn by hand, and the views in which they are looked at."""

import numpy as np

from benchmark.core.types import Box, FloatArray, ImageArray, View


def full(width: int, height: int) -> View:
    """The whole image as the network saw it."""
    return View(width, height, Box(0, 0, width, height))


def native(heatmap: FloatArray) -> View:
    """The view in which every cell is one pixel."""
    return full(heatmap.shape[1], heatmap.shape[0])


def drawn(*rows: str) -> FloatArray:
    """One digit a cell; a dot is zero."""
    return np.array([[0 if cell == "." else int(cell) for cell in row] for row in rows], np.float32)


def smooth(seed: int, height: int, width: int, cells: int = 5) -> FloatArray:
    """A few random hills, cut off below zero in about half of the cells."""
    rng = np.random.default_rng(seed)
    rows, columns = np.linspace(0, cells - 1, height), np.linspace(0, cells - 1, width)
    coarse = rng.standard_normal((cells, cells))
    narrow = np.stack([np.interp(columns, range(cells), row) for row in coarse])
    wide = np.stack([np.interp(rows, range(cells), column) for column in narrow.T], axis=1)
    hills: FloatArray = np.maximum(wide, 0).astype(np.float32)
    return hills


def noise(seed: int, height: int, width: int) -> FloatArray:
    """Every cell on its own, few of them high: as a gradient at the input looks."""
    values: FloatArray = np.random.default_rng(seed).random((height, width), np.float32) ** 4
    return values


def picture(seed: int, width: int, height: int) -> ImageArray:
    """Colours at random."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
