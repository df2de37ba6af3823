"""A summary of a heatmap: small grids of it, its extremes, and the position of its peak."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.attribution.common.class_activation import accumulator
from benchmark.core.heatmaps import peak, upsample
from benchmark.core.masks import labelled, region
from benchmark.core.options import Checked, Count, unfit
from benchmark.core.types import BoolArray, FloatArray, Model
from benchmark.tasks.pairs.types import Asked, Pair


@dataclass(frozen=True)
class Summary(Checked, group="reading.summary"):
    """The values that rank correlation and the pointing game need of a heatmap, whatever its size.

    ==================  ==============  ==========================================================
    column              type            meaning
    ==================  ==============  ==========================================================
    grid14, …           float32 g x g   the map's averages over the input cut into g x g equal areas
    highest, lowest     float32         of the map, un-normalised
    constant            bool            whether it has one value
    peak                int32, 2        x and y of its maximum, original pixels
    own_distance        float32         from the peak to the class's nearest pixel; 0 inside, inf without one
    other_distance      float32         from the peak to the nearest pixel of the image's other classes
    ==================  ==============  ==========================================================

    A map smaller than the input is first enlarged to it bilinearly with aligned corners, as in the paper's
    code (protocol §1.3). The peak is that of the map enlarged in the same way to the original image, negative
    values included; of equal pixels the first in raster order. Distances are Euclidean between pixels, to
    masks (boxes if a dataset has none), difficult objects included.

    Attributes:
        grids: Numbers of cells along an axis, each from 1 to the input's size.
    """

    name = "summary"
    version = 1
    grids: Annotated[tuple[Count, ...], "not empty"] = (14, 28)

    def check(self, model: Model) -> None:
        """Refuse grids that do not fit the input.

        Raises:
            UserError: If a grid is finer than the input.
        """
        if max(self.grids) > model.input.size:
            raise unfit("reading.summary.grids", self.grids, f"at most {model.input.size}, the input's size")

    @torch.no_grad()
    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return grids ``[N, K, g, g]``, extremes ``[N, K]``, and the map itself for :meth:`finish`."""
        full = asked.maps.detach().float()
        highest, lowest = full.amax((2, 3)), full.amin((2, 3))
        grids = {f"grid{g}": averages(asked.maps, asked.model.input.size, g) for g in self.grids}
        return {**grids, "highest": highest, "lowest": lowest, "constant": highest == lowest, "map": full}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the columns above.

        Raises:
            UserError: If the map holds NaN or infinity.
        """
        at = peak(upsample(values["map"], pair.view))
        others = [label for label in labelled(pair.sample, difficult=True) if label != pair.label]
        shape = pair.view.height, pair.view.width
        return {
            **{name: value for name, value in values.items() if name != "map"},
            "constant": np.bool_(values["constant"]),
            "peak": np.array(at, np.int32),
            "own_distance": np.float32(distance(region(pair.sample, [pair.label], *shape), at)),
            "other_distance": np.float32(distance(region(pair.sample, others, *shape), at)),
        }


def averages(maps: Tensor, size: int, grid: int) -> Tensor:
    """Average maps over equal areas, without making the large ones in between.

    ``G = R M Cᵀ``: along each axis the weights of enlarging and of averaging are multiplied beforehand. Sums
    are taken in the widest float of the device, so that equal values stay equal and zeros exactly zero.

    Args:
        maps: ``[N, K, h, w]`` over an input of ``size`` pixels; an axis of fewer cells is enlarged first.
        size: Side of the input in pixels.
        grid: Number of areas along an axis; they need not end between pixels.

    Returns:
        ``[N, K, grid, grid]`` float32.
    """
    wide = accumulator(maps)
    rows, columns = (_on_device(cells, size, grid, maps.device, wide) for cells in maps.shape[2:])
    with torch.autocast(maps.device.type, enabled=False):
        averaged: Tensor = rows @ maps.detach().to(wide) @ columns.T
    return averaged.float()


def distance(pixels: BoolArray, point: tuple[int, int]) -> float:
    """Return the distance from pixel ``(x, y)`` to a region ``[H, W]``: 0 within, inf if it is empty."""
    x, y = point
    if pixels[y, x]:
        return 0.0
    across, down = (np.arange(side) - at for side, at in zip(pixels.shape[::-1], point, strict=True))
    near = (down**2)[:, None] + across**2
    return float(np.sqrt(near[pixels].min())) if pixels.any() else float("inf")


def weights(cells: int, size: int, grid: int) -> npt.NDArray[np.float64]:
    """Return weights ``[grid, cells]`` by which cells along an axis make areas of ``size`` pixels of input.

    Pixel ``i`` lies at ``i (cells - 1) / (size - 1)`` between the cells around it; area ``a`` covers
    ``[a size / grid, (a + 1) size / grid)``. Both are whole numbers over a common denominator, so that a cell
    that does not reach an area has exactly no weight in it.
    """
    pixels = max(size, cells)  # a map that is not smaller is averaged as it is
    places = np.arange(pixels)[:, None] * (cells - 1) - np.arange(cells) * (pixels - 1)
    enlarge = np.maximum(pixels - 1 - np.abs(places), 0) if pixels > 1 else np.ones((1, 1), np.int64)
    edges, starts = np.arange(grid + 1)[:, None] * pixels, np.arange(pixels) * grid
    shares = np.maximum(np.minimum(edges[1:], starts + grid) - np.maximum(edges[:-1], starts), 0)
    return np.asarray(shares @ enlarge / (pixels * max(pixels - 1, 1)))


@lru_cache(maxsize=256)
def _on_device(cells: int, size: int, grid: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    with torch.inference_mode(False):
        return torch.from_numpy(weights(cells, size, grid)).to(device, dtype)
