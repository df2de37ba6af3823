"""Boxes as wsolevaluation draws them: min-max normalised, in the input's frame, at every threshold."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import by_area, from_frame, outlines, whole
from benchmark.core.heatmaps import ByteArray, cubic, refuse_nan
from benchmark.core.options import Checked, Count, Fraction
from benchmark.core.types import BoolArray, Box, FloatArray, ImageArray, IntArray, LocatedBox, View


@dataclass(frozen=True)
class WsolLargest(Checked, group="localizer"):
    """Min-max normalise in the input's frame, binarise at a fraction of 255, take the largest contour.

    Choe et al. 2020, wsolevaluation (protocol §5.5). The metric ``max_box_acc`` on the curve is their
    MaxBoxAcc:

    * The map is resized to ``size`` by cubic convolution (OpenCV's kernel), then its minimum is subtracted
      and it is divided by what is then its maximum, and cut to 8 bits. A pixel is in the mask where its byte
      exceeds ``int(tau * 255)``.
    * ``tau`` is 0, ``step``, 2 ``step``, … below 1. If several give the same level, and so the same mask, the
      grid holds only the lowest of them, which leaves the best over the grid unchanged.
    * Contours are the outlines of 8-connected segments; the largest encloses the greatest area, measured
      between the centres of its pixels. Of equal ones the larger box is taken, then the first by
      ``(y0, x0, y1, x1)``; their code takes the first that OpenCV finds. (The outline of a hole never
      encloses more than that of its segment.)
    * A box is ``x y x+width y+height``, read inclusively and cut to the frame: a pixel wider and higher than
      the contour. It is brought to original pixels by the rule by which their code brings the annotations to
      the frame (scaled, rounded down); the overlap is then measured in original pixels, theirs in the frame.
    * They have no fixed threshold. The one box that other errors need is drawn at ``threshold``, CAM's 20 %.
    * A constant map gives the whole image, marked empty, where theirs is one pixel at the corner. Negative
      maps need no special treatment, since only the range counts.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        threshold: ``tau`` of the single box, in [0, 1).
        size: Side of the frame in pixels: that of the network's input.
        step: Distance between thresholds of the curve, in [0.001, 1).
    """

    name: str
    version: int
    threshold: Fraction = 0.2
    size: Count = 224
    step: Annotated[float, "[0.001, 1)"] = 0.001
    needs_image: bool = field(default=False, init=False)
    grid: tuple[float, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        """Refuse options out of range, and lay out the grid.

        Raises:
            UserError: With the option and its range.
        """
        super().__post_init__()
        object.__setattr__(self, "grid", self._grid())

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None = None) -> LocatedBox:
        """Locate one class by its ``[h, w]`` heatmap alone; the image is not used.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        frame = self._frame(heatmap)
        top = self._peak(frame, view)
        if frame is None:
            return LocatedBox(whole(view), top, empty=True)
        largest = _largest(_bytes(frame) > _level(self.threshold))
        return LocatedBox(Box(*self._original(largest, view).tolist()), top, empty=False)

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Return boxes ``[T, 4]`` at each threshold of ``grid``; for a constant map, the whole image.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        frame = self._frame(heatmap)
        if frame is None:
            return np.tile(np.array(whole(view), np.int32), (len(self.grid), 1))
        return self._original(self._boxes(_bytes(frame)), view)

    def _boxes(self, grey: ByteArray) -> IntArray:
        """Return boxes ``[T, 4]`` in the frame."""
        return np.stack([_largest(grey > _level(tau)) for tau in self.grid])

    def _grid(self) -> tuple[float, ...]:
        """Return the lowest threshold of each grey level."""
        found: dict[int, float] = {}
        for number in range(int(np.ceil(1 / self.step))):
            tau = round(number * self.step, 12)
            if tau < 1:
                found.setdefault(_level(tau), tau)
        return tuple(found.values())

    def _frame(self, heatmap: FloatArray) -> FloatArray | None:
        """Return the map ``[size, size]`` in 0…1, or ``None`` if it is constant."""
        refuse_nan(heatmap)
        resized = cubic(heatmap, self.size, self.size, -0.75)
        above: FloatArray = resized - resized.min()
        return above / above.max() if above.max() > 0 else None

    def _peak(self, frame: FloatArray | None, view: View) -> tuple[int, int]:
        y, x = (0, 0) if frame is None else np.unravel_index(int(frame.argmax()), frame.shape)
        pixel = from_frame(np.array([x, y, x + 1, y + 1]), self.size, view)
        return int(pixel[0]), int(pixel[1])

    def _original(self, boxes: IntArray, view: View) -> IntArray:
        """Bring tight boxes ``[..., 4]`` of the frame, made a pixel wider and higher, to original pixels."""
        grown = boxes + np.array([0, 0, 1, 1], np.int32)
        return from_frame(np.minimum(grown, self.size), self.size, view)


@dataclass(frozen=True)
class WsolEvery(WsolLargest):
    """Min-max normalise in the input's frame, binarise at a fraction of 255, let every contour count.

    Choe et al. 2020, wsolevaluation (protocol §5.5): as ``wsol_maxboxacc_v1``, except that an image is right
    at a threshold if the box of **any** contour is, outlines of holes included. The metric
    ``max_box_acc_v2`` on the curve is their MaxBoxAccV2.

    A curve holds one box an entry, so each threshold stands ``contours`` times in the grid: first with the
    box of ``wsol_maxboxacc_v1``, then with those of the other contours from the largest box down. If there
    are fewer contours the first box is repeated; if there are **more**, the smallest are left out, unlike in
    their code. ``conf/localizer/wsol_maxboxacc_v2.yaml`` says how often that happens.

    Attributes:
        contours: Number of boxes at each threshold, at least 1.
    """

    contours: Count = 8

    def _grid(self) -> tuple[float, ...]:
        return tuple(tau for tau in super()._grid() for _ in range(self.contours))

    def _boxes(self, grey: ByteArray) -> IntArray:
        found = [self._outlines(grey > _level(tau)) for tau in self.grid[:: self.contours]]
        return np.concatenate(found)

    def _outlines(self, mask: BoolArray) -> IntArray:
        """Return the boxes ``[contours, 4]`` of a mask, the largest contour's first."""
        one, boxes = _largest(mask)[None], by_area(outlines(mask))
        boxes = np.concatenate([one, boxes[(boxes != one).any(axis=1)]])[: self.contours]
        return np.concatenate([boxes, np.repeat(one, self.contours - len(boxes), axis=0)])


def _level(tau: float) -> int:
    """Return the byte that a pixel must exceed."""
    return int(tau * 255)


def _bytes(frame: FloatArray) -> ByteArray:
    return (frame * np.float32(255)).astype(np.uint8)


def _largest(mask: BoolArray) -> IntArray:
    """Return the tight box ``[4]`` of the segment whose outline encloses most, in a mask that is not empty.

    An outline encloses at most ``(width - 1) * (height - 1)``, so segments are tried in that order and few
    outlines have to be drawn.
    """
    _, labels, components, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    x, y, width, height, _ = components[1:].T.astype(np.int64)
    most = (width - 1) * (height - 1)
    order = np.lexsort((x + width, y + height, x, y, -width * height, -most))
    best, enclosed = order[0], -1.0
    for one in order:
        if most[one] <= enclosed:
            break
        cut = labels[y[one] : y[one] + height[one], x[one] : x[one] + width[one]] == one + 1
        area = _enclosed(cut)
        if area > enclosed:
            best, enclosed = one, area
    return np.array([x[best], y[best], x[best] + width[best], y[best] + height[best]], np.int32)


def _enclosed(segment: npt.NDArray[Any]) -> float:
    """Return the area within the outline of one segment, between the centres of its pixels."""
    (outline, *_), _ = cv2.findContours(segment.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return float(cv2.contourArea(outline))
