"""Arithmetic on half-open boxes, in whole pixels and without rounding; boxes of others may have fractions.

The ILSVRC devkit counts inclusive pixels (``x2 - x1 + 1``); on half-open boxes that is plain ``x1 - x0``, so
the overlap below is the devkit's own (protocol §5.1).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.core.errors import UserError
from benchmark.core.types import BoolArray, Box, FloatBoxes, IntArray, View

_Boxes = npt.NDArray[np.integer[Any]] | FloatBoxes
_Counts = npt.NDArray[np.int64] | npt.NDArray[np.float64]
_INCLUSIVE = np.array([0, 0, 1, 1], np.int32)


def area(boxes: _Boxes) -> _Counts:
    """Count the pixels of each box, ``[...]`` from ``[..., 4]``; 0 without width or height.

    The count is int64, or float64 of boxes with fractions.
    """
    wide = boxes.astype(np.result_type(boxes, np.int64))
    return _positive(wide[..., 2] - wide[..., 0]) * _positive(wide[..., 3] - wide[..., 1])


def intersection(a: _Boxes, b: _Boxes) -> _Counts:
    """Count the pixels that lie in both boxes, as :func:`area`; ``a`` and ``b`` ``[..., 4]`` broadcast."""
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., 2:], b[..., 2:])
    return area(np.concatenate([low, high], axis=-1))


def iou(a: _Boxes, b: _Boxes) -> npt.NDArray[np.float64]:
    """Return the intersection over union in [0, 1]; 0 for boxes without a common pixel.

    Args:
        a: ``[..., 4]`` boxes.
        b: ``[..., 4]`` boxes, broadcast against ``a``.
    """
    shared = intersection(a, b)
    union = area(a) + area(b) - shared
    overlap: npt.NDArray[np.float64] = shared / np.maximum(union, 1)
    return overlap


def matches(a: _Boxes, b: _Boxes, threshold: float = 0.5) -> BoolArray:
    """Return whether two boxes overlap by at least ``threshold``: ``IoU >= threshold`` (devkit: 0.5).

    The comparison is exact, also at equality and for thresholds such as 0.3 that no double holds: both counts
    are whole numbers and IEEE division rounds correctly, so a quotient that *is* 3/10 becomes the same double
    as ``0.3``; any other quotient is at least 1/(10 · union) away, far more than rounding.
    """
    return iou(a, b) >= threshold


def hits(boxes: _Boxes, truth: _Boxes, owner: IntArray, threshold: float = 0.5) -> BoolArray:
    """Return whether each box matches any ground-truth box of its image.

    Args:
        boxes: ``[n, k, 4]``, ``k`` boxes for each of ``n`` images.
        truth: ``[m, 4]`` ground-truth boxes of all images.
        owner: ``[m]`` row of the image that each ground-truth box belongs to.
        threshold: Least IoU.

    Returns:
        ``[n, k]``; false throughout for an image without a ground-truth box.

    Raises:
        UserError: If the threshold is not in (0, 1].
    """
    in_range(threshold)
    found = np.zeros(boxes.shape[:2], np.bool_)
    one, column = np.nonzero(matches(boxes[owner], truth[:, None], threshold))
    found[owner[one], column] = True
    return found


def in_range(threshold: float) -> float:
    """Return a least IoU as it is.

    Raises:
        UserError: If it is not in (0, 1].
    """
    if not 0 < threshold <= 1:
        raise UserError(f"iou is {threshold}; it must be in (0, 1]")
    return threshold


def from_inclusive(boxes: _Boxes) -> IntArray:
    """Return half-open boxes ``[..., 4]`` from ILSVRC's 0-based inclusive ``xmin ymin xmax ymax``."""
    return boxes.astype(np.int32) + _INCLUSIVE


def to_inclusive(boxes: _Boxes) -> IntArray:
    """Return 0-based inclusive boxes from half-open ones: the inverse of :func:`from_inclusive`."""
    return boxes.astype(np.int32) - _INCLUSIVE


def whole(view: View) -> Box:
    """Return the box of all pixels of an image."""
    return Box(0, 0, view.width, view.height)


def largest_component(mask: BoolArray, connectivity: int = 8) -> Box | None:
    """Return the tight box of a mask's largest connected component, by pixel count.

    Of components of equal size the one whose box comes first by ``(y0, x0, y1, x1)`` is taken.

    Args:
        mask: ``[h, w]``.
        connectivity: 8 if diagonal neighbours are connected, 4 if not.

    Returns:
        The box in the mask's own pixels, or ``None`` if the mask is empty.
    """
    components = _components(mask, connectivity)
    x, y, width, height, pixels = components.T
    if not len(pixels):
        return None
    best = np.lexsort((x + width, y + height, x, y, -pixels))[0]
    return Box(int(x[best]), int(y[best]), int(x[best] + width[best]), int(y[best] + height[best]))


def tight(mask: BoolArray) -> Box | None:
    """Return the tight box of all true pixels of ``[h, w]``, connected or not; ``None`` without any."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def component_boxes(mask: BoolArray, connectivity: int = 8) -> IntArray:
    """Return tight boxes ``[n, 4]`` of all connected components of ``[h, w]``, in no particular order."""
    components = _components(mask, connectivity)
    corner, size = components[:, :2], components[:, 2:4]
    return np.concatenate([corner, corner + size], axis=1).astype(np.int32)


def without_edge(mask: BoolArray, border: int) -> BoolArray:
    """Return a mask ``[h, w]`` without the ``border`` pixels at each edge.

    With 1 this is what OpenCV's ``findContours`` did to its input before 3.2 (issue 4374 of opencv/opencv,
    mended by pull request 7516), so that no contour reached the edge.
    """
    height, width = mask.shape
    inner = np.s_[border : max(height - border, 0), border : max(width - border, 0)]
    kept = np.zeros_like(mask)
    kept[inner] = mask[inner]
    return kept


def outlines(mask: BoolArray) -> IntArray:
    """Return tight boxes ``[n, 4]`` of all outlines of ``[h, w]``: 8-connected components and their holes.

    A hole is a 4-connected part of the background that does not touch the border. Its outline runs over the
    pixels around it, as OpenCV's ``findContours`` traces it.
    """
    height, width = mask.shape
    gaps = component_boxes(~mask, connectivity=4)
    inside = (gaps[:, :2] > 0).all(axis=1) & (gaps[:, 2:] < [width, height]).all(axis=1)
    return np.concatenate([component_boxes(mask), gaps[inside] + np.array([-1, -1, 1, 1], np.int32)])


def by_area(boxes: IntArray) -> IntArray:
    """Sort boxes ``[n, 4]`` by area, the largest first; equal ones by ``(y0, x0, y1, x1)``."""
    x0, y0, x1, y1 = boxes.T
    ordered: IntArray = boxes[np.lexsort((x1, y1, x0, y0, -area(boxes)))]
    return ordered


def from_frame(box: _Boxes, size: int, view: View) -> IntArray:
    """Bring boxes of a square, to which the view's region was warped, to original pixels.

    A pixel of the region is in the box if its coordinate, scaled to the square and rounded down, is:
    ``floor(size * x / width)``. So a box of the square and the resulting original box hold the same pixels of
    an image, whatever its aspect ratio.

    Args:
        box: ``[..., 4]`` half-open and not empty, in a square of ``size`` pixels a side.
        size: Side of the square.
        view: The region that the square shows.

    Returns:
        ``[..., 4]``; at least one pixel wide and high, even if the image has fewer pixels than the square.
    """
    x, y, right, bottom = view.region
    wide = np.array([right - x, bottom - y] * 2, np.int64)
    scaled = -(-box.astype(np.int64) * wide // size)  # the least x with floor(size x / width) >= edge
    low = np.minimum(scaled[..., :2], wide[:2] - 1)
    high = np.maximum(scaled[..., 2:], low + 1)
    corner = np.array([x, y, x, y], np.int64)
    return (np.concatenate([low, high], axis=-1) + corner).astype(np.int32)


def to_frame(boxes: _Boxes, size: int, view: View) -> IntArray:
    """Bring boxes of original pixels to a square to which the view's region was warped.

    The first and the last pixel of a box are scaled and rounded down, as wsolevaluation does with the
    annotations; a box that leaves the region is not cut.

    Args:
        boxes: ``[..., 4]`` half-open, in original pixels.
        size: Side of the square.
        view: The region that the square shows.

    Returns:
        ``[..., 4]`` half-open, at least one pixel wide and high.
    """
    x, y, right, bottom = view.region
    inclusive = boxes.astype(np.int64) - _INCLUSIVE - np.array([x, y, x, y])
    return from_inclusive(inclusive * size // np.array([right - x, bottom - y] * 2))


def _positive(lengths: _Counts) -> _Counts:
    return np.maximum(lengths, 0)


def _components(mask: BoolArray, connectivity: int) -> npt.NDArray[np.int32]:
    """List ``x y width height pixels`` of each connected component, the background left out."""
    import cv2  # here, since scoring stored boxes does without it

    _, _, found, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=connectivity)
    return found[1:].astype(np.int32)
