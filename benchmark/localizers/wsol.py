"""Boxes as wsolevaluation draws them: min-max normalised, in the input's frame, at every threshold.

``WsolMaxBoxAcc`` is their whole rule. ``WsolLargest`` and ``WsolEvery`` draw their boxes and count overlap in
original pixels, as every other localizer does.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import by_area, from_frame, iou, outlines, to_frame, whole
from benchmark.core.heatmaps import ByteArray, cubic, in_reach, refuse_nan
from benchmark.core.options import Checked, Count, Fraction
from benchmark.core.types import (
    BoolArray,
    Box,
    FloatArray,
    ImageArray,
    IntArray,
    LocatedBox,
    Overlaps,
    View,
)

_Frame = npt.NDArray[np.floating[Any]]
_GROWN = np.array([0, 0, 1, 1], np.int32)


@dataclass(frozen=True)
class WsolLargest(Checked, group="localizer"):
    """Min-max normalise in the input's frame, binarise at a fraction of 255, take the largest contour.

    Choe et al. 2020, wsolevaluation (protocol §5.5), except that overlap is counted in original pixels;
    ``WsolMaxBoxAcc`` is their own count.

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
      the frame (scaled, rounded down).
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
        largest = self._single(_bytes(frame) > _level(self.threshold))
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
        return np.stack([self._single(grey > _level(tau)) for tau in self.grid])

    def _single(self, mask: BoolArray) -> IntArray:
        """Return the one box ``[4]`` of a mask that is not empty."""
        return _largest(mask)

    def _grid(self) -> tuple[float, ...]:
        """Return the lowest threshold of each grey level."""
        found: dict[int, float] = {}
        for number in range(int(np.ceil(1 / self.step))):
            tau = round(number * self.step, 12)
            if tau < 1:
                found.setdefault(_level(tau), tau)
        return tuple(found.values())

    def _frame(self, heatmap: FloatArray) -> _Frame | None:
        """Return the map ``[size, size]`` in 0…1, or ``None`` if it is constant."""
        resized = cubic(in_reach(heatmap), self.size, self.size, -0.75)
        above: FloatArray = resized - resized.min()
        return above / above.max() if above.max() > 0 else None

    def _peak(self, frame: _Frame | None, view: View) -> tuple[int, int]:
        y, x = (0, 0) if frame is None else np.unravel_index(int(frame.argmax()), frame.shape)
        pixel = from_frame(np.array([x, y, x + 1, y + 1]), self.size, view)
        return int(pixel[0]), int(pixel[1])

    def _original(self, boxes: IntArray, view: View) -> IntArray:
        """Bring tight boxes ``[..., 4]`` of the frame, made a pixel wider and higher, to original pixels."""
        return from_frame(np.minimum(boxes + _GROWN, self.size), self.size, view)


@dataclass(frozen=True)
class WsolEvery(WsolLargest):
    """Min-max normalise in the input's frame, binarise at a fraction of 255, let every contour count.

    Choe et al. 2020, wsolevaluation (protocol §5.5): as ``wsol_pixels_v1``, except that an image is right
    at a threshold if the box of **any** contour is, outlines of holes included.

    A curve holds one box an entry, so each threshold stands ``contours`` times in the grid: first with the
    box of ``wsol_pixels_v1``, then with those of the other contours from the largest box down. If there
    are fewer contours the first box is repeated; if there are **more**, the smallest are left out, unlike in
    their code. ``conf/localizer/wsol_pixels_v2.yaml`` says how often that happens.

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


@dataclass(frozen=True)
class WsolMaxBoxAcc(WsolLargest):
    """Min-max normalise in the input's frame, binarise at a fraction of 255, count overlap in that frame.

    Choe et al. 2020, wsolevaluation (protocol §5.5), to the last image at every threshold: ``max_box_acc`` on
    it is their MaxBoxAcc, and ``max_box_acc_v2`` with all contours is their MaxBoxAccV2.

    * The map is resized to ``size`` by OpenCV's ``INTER_CUBIC`` in double precision, its minimum is
      subtracted, it is divided by what is then its maximum, and 255 times it is cut to 8 bits. A pixel is in
      the mask where its byte exceeds ``int(tau * 255)``.
    * Contours are OpenCV's (``RETR_TREE``), outlines of holes included. With ``contours: largest`` the one
      that encloses the greatest area counts, of equal ones the first that OpenCV lists; with ``all`` an image
      is right at a threshold if any contour's box is.
    * A box is ``x y x+width y+height``, read inclusively and cut to the frame.
    * The corners of a ground-truth box, inclusive, are scaled to the frame and rounded down. The overlap is
      that of inclusive boxes **in the frame**; the greatest with any ground-truth box counts.
    * ``tau`` is 0, 0.001, … 0.999. These 1,000 thresholds fall on 255 levels, and the grid holds the lowest
      of each, which leaves the accuracy at every threshold as it is.
    * The box of a constant map is the corner's one pixel, as theirs is.

    What they have not: the boxes in original pixels, for metrics that need one box (drawn at ``threshold``)
    and for pictures, where a constant map gives the whole image, marked empty; and maps of a crop, whose
    frame shows the region that the network has seen, into which ground-truth boxes are scaled, uncut.

    Attributes:
        contours: Whether the ``largest`` contour of a threshold counts (MaxBoxAcc) or ``all`` do (V2).
    """

    contours: Literal["largest", "all"] = "largest"

    def curve_and_overlaps(
        self, heatmap: FloatArray, view: View, truth: IntArray
    ) -> tuple[IntArray, Overlaps]:
        """Return :meth:`curve`, and at each threshold the greatest overlap in the frame.

        Args:
            heatmap: ``[h, w]``, of any sign.
            view: The region's place in the original image.
            truth: ``[m, 4]`` ground-truth boxes in original pixels.

        Raises:
            UserError: If the heatmap holds NaN or infinity.
        """
        frame, seen = self._frame(heatmap), to_frame(truth, self.size, view)
        if frame is None:
            return self.curve(heatmap, view), np.full(len(self.grid), _greatest(_GROWN[None], seen)[0])
        grey = _bytes(frame)
        found = [_contour_boxes(grey > _level(tau)) for tau in self.grid]
        largest = np.stack([boxes[0] for boxes in found])
        counted = found if self.contours == "all" else largest[:, None]
        overlaps = _greatest(np.minimum(np.concatenate(counted) + _GROWN, self.size), seen)
        starts = np.cumsum([0, *(len(boxes) for boxes in counted[:-1])])
        return self._original(largest, view), np.maximum.reduceat(overlaps, starts)

    def _single(self, mask: BoolArray) -> IntArray:
        largest: IntArray = _contour_boxes(mask)[0]
        return largest

    def _frame(self, heatmap: FloatArray) -> _Frame | None:
        refuse_nan(heatmap)
        if heatmap.min() == heatmap.max():
            return None
        side = (self.size, self.size)
        resized = cv2.resize(heatmap.astype(np.float64), side, interpolation=cv2.INTER_CUBIC)
        above: _Frame = resized - resized.min()
        return above / above.max() if above.max() > 0 else None


def _contour_boxes(mask: BoolArray) -> IntArray:
    """Return the tight boxes ``[n, 4]`` of OpenCV's contours, that of the greatest area first."""
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    boxes = np.array([cv2.boundingRect(contour) for contour in contours], np.int32)
    boxes[:, 2:] += boxes[:, :2]
    largest = int(np.argmax([cv2.contourArea(contour) for contour in contours]))
    boxes[[0, largest]] = boxes[[largest, 0]]
    return boxes


def _greatest(boxes: IntArray, truth: IntArray) -> Overlaps:
    """Return the greatest overlap ``[n]`` of each box with any ground-truth box; 0 without one."""
    greatest = np.zeros(len(boxes))
    for one in truth:
        np.maximum(greatest, iou(boxes, one), out=greatest)
    return greatest


def _level(tau: float) -> int:
    """Return the byte that a pixel must exceed."""
    return int(tau * 255)


def _bytes(frame: _Frame) -> ByteArray:
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
