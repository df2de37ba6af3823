"""The boxes of Fong and Vedaldi: threshold the cells, upsample what is left, draw one box around it all."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from PIL import Image

from benchmark.core.boxes import tight
from benchmark.core.heatmaps import ByteArray, peak, positive, upsample
from benchmark.core.options import NonNegative, Share
from benchmark.core.types import BoolArray, Box, FloatArray, View
from benchmark.localizers.common.map_box import MapBox

Unit = Annotated[float, "[0, 1]"]
_TWENTIETHS = tuple(step / 20 for step in range(20))


@dataclass(frozen=True)
class _FongBox(MapBox):
    """The part that the three schemes share; each scheme adds which cells are kept.

    Fong and Vedaldi 2017, by their code (protocol §4.7). What is taken from it, and what is settled here:

    * The threshold acts on the **heatmap's own cells**; those below it are set to 0. Only then is the map
      resized to the image: stretched to 0…255, rounded to bytes, and interpolated by Pillow's bilinear filter
      (half-pixel centres, antialiased where a map shrinks), which is what SciPy's ``imresize`` did for them.
    * The box is tight around **every** pixel above 0: no component is chosen, and since bytes above 0 reach
      almost to the next cell's centre, the box is wider than the cells that were kept.
    * The stretch is from the smallest to the largest value left. So if no cell is set to 0, the lowest cell
      becomes 0, and a constant map vanishes. Their code does the same.
    * Negative cells are set to 0 first; their maps have none.
    * If no pixel is above 0, the box is the whole image, marked empty. (Their code then swaps width and
      height, and their boxes are 1-based, one pixel off the annotations; neither is imitated.)

    Attributes:
        alpha: The threshold; each scheme defines its meaning and range.
        grid: Ascending values of ``alpha`` at which :meth:`curve` gives boxes.
    """

    alpha: float
    _threshold = "alpha"

    def _pixels(self, heatmap: FloatArray, view: View) -> FloatArray:
        return positive(heatmap)

    def _peak(self, cells: FloatArray, view: View) -> tuple[int, int]:
        return peak(upsample(cells, view))

    def _box(self, cells: FloatArray, view: View, alpha: float) -> Box | None:
        kept = _stretched(np.where(self._kept(cells, alpha), cells, np.float32(0)))
        x, y, right, bottom = view.region
        resized = Image.fromarray(kept).resize((right - x, bottom - y), Image.Resampling.BILINEAR)
        box = tight(np.asarray(resized) > 0)
        return box and Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)

    @abstractmethod
    def _kept(self, heatmap: FloatArray, alpha: float) -> BoolArray:
        """Return which cells ``[h, w]`` of a map without negative values are kept."""


@dataclass(frozen=True)
class FongValue(_FongBox):
    """Keep the cells of ``map - min >= alpha * (max - min)``, upsample, draw the tight box of what is left.

    Options, policies and source are those of the three schemes of Fong and Vedaldi 2017: see the module's
    ``_FongBox``. ``alpha`` is in [0, 1]; only cells above 0 can be kept.
    """

    alpha: Unit
    grid: Annotated[tuple[Unit, ...], "ascending"] = field(default=_TWENTIETHS, kw_only=True)

    def _kept(self, heatmap: FloatArray, alpha: float) -> BoolArray:
        above = heatmap - heatmap.min()
        kept: BoolArray = above >= np.float32(alpha) * above.max()
        return kept


@dataclass(frozen=True)
class FongEnergy(_FongBox):
    """Keep the highest cells that hold under ``alpha`` of the sum, upsample, draw the tight box around them.

    Options, policies and source are those of the three schemes of Fong and Vedaldi 2017: see the module's
    ``_FongBox``. ``alpha`` is in (0, 1]. Their code also removes the cell that *reaches* ``alpha``, so a map
    with ``alpha`` of its sum in one cell is empty, and ``alpha`` 1 removes the lowest positive cell. Of equal
    cells all are kept if one is, where their code keeps some, by its sorting. So a constant map vanishes in
    the stretch, as it does under the other schemes.
    """

    alpha: Share
    grid: Annotated[tuple[Share, ...], "ascending"] = field(default=(*_TWENTIETHS[1:], 1.0), kw_only=True)

    def _kept(self, heatmap: FloatArray, alpha: float) -> BoolArray:
        values, counts = np.unique(heatmap.astype(np.float64), return_counts=True)
        sums = np.cumsum((values * counts)[::-1])[::-1]  # of all cells from each value up
        reached = values + np.append(sums[1:], 0)  # with one cell of that value
        kept: BoolArray = np.isin(heatmap, values[reached < alpha * sums[0]])
        return kept


@dataclass(frozen=True)
class FongMean(_FongBox):
    """Keep the cells of ``map >= alpha * mean``, upsample, draw the tight box of what is left.

    Options, policies and source are those of the three schemes of Fong and Vedaldi 2017: see the module's
    ``_FongBox``. ``alpha`` is 0 or more; the default grid is theirs, 0 to 10 in halves.
    """

    alpha: NonNegative
    grid: Annotated[tuple[NonNegative, ...], "ascending"] = field(
        default=tuple(step / 2 for step in range(21)), kw_only=True
    )

    def _kept(self, heatmap: FloatArray, alpha: float) -> BoolArray:
        kept: BoolArray = heatmap >= alpha * heatmap.mean(dtype=np.float64)
        return kept


def _stretched(cells: FloatArray) -> ByteArray:
    """Stretch the range of values to bytes 0…255, rounded half up; a constant map becomes 0."""
    above = (cells - cells.min()).astype(np.float64)
    span = above.max()
    return (above * (255 / span) + 0.5).astype(np.uint8) if span > 0 else np.zeros(cells.shape, np.uint8)
