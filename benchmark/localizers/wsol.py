"""Boxes as wsolevaluation draws them: min-max normalised, in the input's frame, at every threshold."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import by_area, from_frame, outlines, whole
from benchmark.core.heatmaps import ByteArray, cubic, refuse_nan
from benchmark.core.options import require, require_count
from benchmark.core.types import BoolArray, Box, FloatArray, ImageArray, IntArray, Localization, View


@dataclass(frozen=True)
class WsolLargest:
    """Min-max normalise in the input's frame, binarise at a fraction of 255, take the largest contour.

    Choe et al. 2020, wsolevaluation, MaxBoxAcc (protocol §5.5). ``max_box_acc`` on the curve is their number:

    * The map is resized to ``size`` by cubic convolution (OpenCV's kernel), then its minimum is subtracted
      and it is divided by what is then its maximum, and cut to 8 bits. A pixel is in the mask where its byte
      exceeds ``int(tau * 255)``.
    * ``tau`` is 0, ``step``, 2 ``step``, … below 1. Where several give one level, and so one mask, the grid
      holds the lowest of them: the best over it is the best over all.
    * Contours are the outlines of 8-connected segments; the largest encloses the most, measured between the
      centres of its pixels. Of equal ones the larger box, then the first by ``(y0, x0, y1, x1)``, where
      theirs is the first that OpenCV finds. (That of a hole never encloses more than its segment's.)
    * A box is ``x y x+width y+height``, read inclusively and cut to the frame: a pixel wider and higher than
      the contour. Brought to original pixels by the rule by which they bring the annotations to the frame
      (scaled, rounded down); the overlap is then counted in original pixels, where theirs counts the frame's.
    * They know no fixed threshold. The one box that other errors need is at ``threshold``, CAM's 20 %.
    * A constant map: the whole image, marked empty, where theirs is one pixel at the corner. A negative map
      is like any other: all that counts is the range.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        threshold: ``tau`` of the one box, in [0, 1).
        size: Side of the frame, pixels: the network's input.
        step: Between thresholds of the curve, in [0.001, 1).
    """

    name: str
    version: int
    threshold: float = 0.2
    size: int = 224
    step: float = 0.001
    needs_image: bool = field(default=False, init=False)
    grid: tuple[float, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        """Refuse options out of range, and lay out the grid.

        Raises:
            UserError: Naming the option and its range.
        """
        require("threshold", self.threshold, lambda tau: 0 <= tau < 1, "a number in [0, 1)")
        require("step", self.step, lambda step: 0.001 <= step < 1, "a number in [0.001, 1)")
        require_count("size", self.size)
        object.__setattr__(self, "grid", self._grid())

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None = None) -> Localization:
        """Locate one class from its ``[h, w]`` heatmap; the image is not looked at.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        frame = self._frame(heatmap)
        top = self._peak(frame, view)
        if frame is None:
            return Localization(whole(view), top, empty=True)
        largest = _largest(_bytes(frame) > _level(self.threshold))
        return Localization(Box(*self._original(largest, view).tolist()), top, empty=False)

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Boxes ``[T, 4]`` at each threshold of ``grid``; the whole image at all of them for a constant map.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        frame = self._frame(heatmap)
        if frame is None:
            return np.tile(np.array(whole(view), np.int32), (len(self.grid), 1))
        return self._original(self._boxes(_bytes(frame)), view)

    def _boxes(self, grey: ByteArray) -> IntArray:
        """``[T, 4]`` in the frame."""
        return np.stack([_largest(grey > _level(tau)) for tau in self.grid])

    def _grid(self) -> tuple[float, ...]:
        """The lowest threshold of each level."""
        found: dict[int, float] = {}
        for number in range(int(np.ceil(1 / self.step))):
            tau = round(number * self.step, 12)
            if tau < 1:
                found.setdefault(_level(tau), tau)
        return tuple(found.values())

    def _frame(self, heatmap: FloatArray) -> FloatArray | None:
        """``[size, size]`` in 0…1, or ``None`` for a constant map."""
        refuse_nan(heatmap)
        resized = cubic(heatmap, self.size, self.size, -0.75)
        above: FloatArray = resized - resized.min()
        return above / above.max() if above.max() > 0 else None

    def _peak(self, frame: FloatArray | None, view: View) -> tuple[int, int]:
        y, x = (0, 0) if frame is None else np.unravel_index(int(frame.argmax()), frame.shape)
        pixel = from_frame(np.array([x, y, x + 1, y + 1]), self.size, view)
        return int(pixel[0]), int(pixel[1])

    def _original(self, boxes: IntArray, view: View) -> IntArray:
        """Tight boxes ``[..., 4]`` of the frame, a pixel wider and higher, in original pixels."""
        grown = boxes + np.array([0, 0, 1, 1], np.int32)
        return from_frame(np.minimum(grown, self.size), self.size, view)


@dataclass(frozen=True)
class WsolEvery(WsolLargest):
    """Min-max normalise in the input's frame, binarise at a fraction of 255, let every contour count.

    Choe et al. 2020, wsolevaluation, MaxBoxAccV2 (protocol §5.5): as for ``wsol_maxboxacc_v1``, save that an
    image is right at a threshold where the box of **any** contour is, outlines of holes among them.
    ``max_box_acc_v2`` on the curve is their number.

    A curve holds one box an entry. So each threshold stands ``contours`` times in the grid: first with the
    box of ``wsol_maxboxacc_v1``, then with those of the other contours from the largest box down, and the
    first again where there are fewer. Where there are **more**, the smallest are left out, which theirs are
    not; see the yaml for how often that is.

    Attributes:
        contours: Most boxes at a threshold, at least 1.
    """

    contours: int = 8

    def __post_init__(self) -> None:
        """Refuse options out of range, and lay out the grid.

        Raises:
            UserError: Naming the option and its range.
        """
        require_count("contours", self.contours)
        super().__post_init__()

    def _grid(self) -> tuple[float, ...]:
        return tuple(tau for tau in super()._grid() for _ in range(self.contours))

    def _boxes(self, grey: ByteArray) -> IntArray:
        found = [self._outlines(grey > _level(tau)) for tau in self.grid[:: self.contours]]
        return np.concatenate(found)

    def _outlines(self, mask: BoolArray) -> IntArray:
        """``[contours, 4]``."""
        one, boxes = _largest(mask)[None], by_area(outlines(mask))
        boxes = np.concatenate([one, boxes[(boxes != one).any(axis=1)]])[: self.contours]
        return np.concatenate([boxes, np.repeat(one, self.contours - len(boxes), axis=0)])


def _level(tau: float) -> int:
    """The byte that a pixel must exceed."""
    return int(tau * 255)


def _bytes(frame: FloatArray) -> ByteArray:
    return (frame * np.float32(255)).astype(np.uint8)


def _largest(mask: BoolArray) -> IntArray:
    """Tight box ``[4]`` of the segment whose outline encloses the most, in a mask that is not empty.

    An outline encloses at most ``(width - 1) * (height - 1)``. Taken in that order, few have to be drawn.
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
    """Area within the outline of one segment, between the centres of its pixels."""
    (outline, *_), _ = cv2.findContours(segment.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return float(cv2.contourArea(outline))
