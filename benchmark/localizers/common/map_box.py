"""What localizers have in common that draw a box at a threshold of the heatmap alone."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchmark.core.boxes import whole
from benchmark.core.heatmaps import peak, positive, upsample
from benchmark.core.options import Checked
from benchmark.core.types import Box, FloatArray, ImageArray, IntArray, LocatedBox, View

_PIXELS_KEPT = 2**18  # of an image; upsampling again takes less than a larger one is worth in memory
_MAPS_KEPT = 6  # five predicted classes and the label's


class _Upsampled(threading.local):
    """The maps of the image at hand in original pixels, each thread's own.

    A class's map is met several times: by its single box and its curve, and again in each row whose maps are
    its scaled copies, as those of CAM are of Grad-CAM's. (A run divides maps by their maximum, so that such
    copies are equal.)
    """

    def __init__(self) -> None:
        self._view: View | None = None
        self._maps: dict[tuple[tuple[int, ...], bytes], FloatArray] = {}

    def of(self, cells: FloatArray, view: View) -> FloatArray:
        """Return :func:`upsample`'s result, which must not be written to."""
        if view.width * view.height > _PIXELS_KEPT:
            return upsample(cells, view)
        key = (cells.shape, cells.tobytes())
        if view != self._view or (key not in self._maps and len(self._maps) == _MAPS_KEPT):
            self._view, self._maps = view, {}
        if key not in self._maps:
            self._maps[key] = upsample(cells, view)
            self._maps[key].flags.writeable = False
        return self._maps[key]


_UPSAMPLED = _Upsampled()


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
        boxes = [box or whole(view) for box in self._boxes(pixels, view, self.grid)]
        return np.array(boxes, np.int32).reshape(-1, 4)

    def _pixels(self, heatmap: FloatArray, view: View) -> FloatArray:
        """Return the map to which thresholds are applied: without negative values, in original pixels."""
        return _UPSAMPLED.of(positive(heatmap), view)

    def _peak(self, pixels: FloatArray, view: View) -> tuple[int, int]:
        """Return the map's maximum in original pixels, ``(x, y)``."""
        return peak(pixels)

    def _boxes(self, pixels: FloatArray, view: View, thresholds: Sequence[float]) -> list[Box | None]:
        """Return :meth:`_box` at each threshold."""
        return [self._box(pixels, view, threshold) for threshold in thresholds]

    @abstractmethod
    def _box(self, pixels: FloatArray, view: View, threshold: float) -> Box | None:
        """Return the box at a threshold, in original pixels; ``None`` if there is none."""
