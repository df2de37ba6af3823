"""What localizers have in common that draw a box at a threshold of the heatmap alone."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchmark.core.boxes import whole
from benchmark.core.heatmaps import peak, positive, upsample
from benchmark.core.options import Checked
from benchmark.core.types import Box, FloatArray, ImageArray, IntArray, LocatedBox, View


@dataclass(frozen=True)
class MapBox(Checked, ABC, group="localizer"):
    """A box at one threshold, and one at each of a grid; where there is none, the whole image, marked empty.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        grid: Ascending thresholds at which :meth:`curve` gives boxes.
    """

    name: str
    version: int
    grid: tuple[float, ...] = field(default=(), kw_only=True)
    needs_image: ClassVar[bool] = False
    _threshold: ClassVar[str] = "threshold"  # the option that holds it

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None = None) -> LocatedBox:
        """Locate one class by its ``[h, w]`` heatmap alone; the image is not used.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        pixels = self._pixels(heatmap, view)
        top = self._peak(pixels, view)
        box = self._box(pixels, view, getattr(self, self._threshold))
        return LocatedBox(box or whole(view), top, empty=box is None)

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Return boxes ``[T, 4]`` at each threshold of ``grid``, from one upsampling.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        pixels = self._pixels(heatmap, view)
        boxes = [self._box(pixels, view, threshold) or whole(view) for threshold in self.grid]
        return np.array(boxes, np.int32).reshape(-1, 4)

    def _pixels(self, heatmap: FloatArray, view: View) -> FloatArray:
        """Return the map to which thresholds are applied: without negative values, in original pixels."""
        return upsample(positive(heatmap), view)

    def _peak(self, pixels: FloatArray, view: View) -> tuple[int, int]:
        """Return the map's maximum in original pixels, ``(x, y)``."""
        return peak(pixels)

    @abstractmethod
    def _box(self, pixels: FloatArray, view: View, threshold: float) -> Box | None:
        """Return the box at a threshold, in original pixels; ``None`` if there is none."""
