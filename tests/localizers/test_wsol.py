"""The boxes of wsolevaluation in original pixels, with OpenCV's own resize and contours (protocol §5.5)."""

from typing import Any

import cv2
import numpy as np
import pytest
from helpers.drawings import drawn, full, noise, smooth

from benchmark.core.errors import UserError
from benchmark.core.types import Box, FloatArray, View
from benchmark.localizers.wsol import WsolEvery, WsolLargest

SIZE = 40


def largest(**options: Any) -> WsolLargest:
    return WsolLargest("wsol_pixels_v1", 1, **({"size": SIZE} | options))


def every(**options: Any) -> WsolEvery:
    return WsolEvery("wsol_pixels_v2", 2, **({"size": SIZE} | options))


def box_of(heatmap: FloatArray, **options: Any) -> Box:
    side = len(heatmap)
    return largest(size=side, **options)(heatmap, full(side, side)).box


@pytest.mark.parametrize(
    ("heatmap", "threshold", "box"),
    [
        # One pixel wider and higher than the contour.
        (drawn("......", ".99...", ".99...", "......", "......", "......"), 0.5, Box(1, 1, 4, 4)),
        # Read inclusively and cut to the frame.
        (drawn("......", "......", "......", "......", "....99", "....99"), 0.5, Box(4, 4, 6, 6)),
        # The area within the outline wins: 2 x 2 encloses 1, a line of 5 nothing.
        (drawn("99999.", "......", "......", ".99...", ".99...", "......"), 0.5, Box(1, 3, 4, 6)),
        # A ring encloses more than a block of more pixels.
        (drawn("999999", "9....9", "9.99.9", "9.99.9", "9....9", "999999"), 0.5, Box(0, 0, 6, 6)),
        # Of segments that enclose nothing the larger, then the upper one.
        (drawn("......", ".9.99.", "......", ".99...", "......", "......"), 0.5, Box(3, 1, 6, 3)),
        # The minimum is subtracted: 5 of 3…7 is a half, 127 of 255; it must exceed int(0.5 * 255) = 127.
        (drawn("333333", "357533", "333333", "333333", "333333", "333333"), 0.5, Box(2, 1, 4, 3)),
        (drawn("333333", "357533", "333333", "333333", "333333", "333333"), 0.49, Box(1, 1, 5, 3)),
    ],
)
def test_a_drawn_map_gives_the_box_beside_it(heatmap: FloatArray, threshold: float, box: Box) -> None:
    assert box_of(heatmap, threshold=threshold) == box


def test_adding_a_constant_changes_nothing() -> None:
    heatmap = drawn("......", ".123..", ".456..", "......", "......", "......")
    for threshold in (0.1, 0.3, 0.7):
        assert box_of(heatmap - 64, threshold=threshold) == box_of(heatmap, threshold=threshold)


def test_a_negative_map_is_not_empty_and_a_constant_one_is() -> None:
    heatmap = -drawn("123", "456", "789")
    found = largest(size=3)(heatmap, full(30, 30))
    assert not found.empty
    assert found.peak == (0, 0)
    assert largest()(np.full((3, 3), 7, np.float32), full(30, 20)) == (Box(0, 0, 30, 20), (0, 0), True)
    assert every()(np.full((3, 3), 7, np.float32), full(30, 20)).empty


def grey_of(heatmap: FloatArray) -> Any:
    resized = cv2.resize(heatmap.astype(np.float64), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    above = resized - resized.min()
    return (above / above.max() * 255).astype(np.uint8)


def contours(grey: Any, tau: float) -> Any:
    _, mask = cv2.threshold(grey, int(tau * grey.max()), 255, cv2.THRESH_BINARY)
    return cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]


def as_box(contour: Any) -> tuple[int, ...]:
    x, y, width, height = cv2.boundingRect(contour)
    return (x, y, min(x + width, SIZE - 1) + 1, min(y + height, SIZE - 1) + 1)


@pytest.mark.parametrize("seed", range(6))
def test_each_box_is_that_of_a_contour_of_largest_area(seed: int) -> None:
    heatmap = smooth(seed, 9, 9) if seed % 2 else noise(seed, SIZE, SIZE)
    grey = grey_of(heatmap)
    localizer = largest(step=0.05)
    assert localizer.grid == tuple(round(0.05 * step, 2) for step in range(20))
    for tau, box in zip(localizer.grid, localizer.curve(heatmap, full(SIZE, SIZE)).tolist(), strict=True):
        areas: dict[float, set[tuple[int, ...]]] = {}
        for contour in contours(grey, tau):
            areas.setdefault(cv2.contourArea(contour), set()).add(as_box(contour))
        assert tuple(box) in areas[max(areas)]


@pytest.mark.parametrize("seed", range(4))
def test_every_contour_counts_outlines_of_holes_too(seed: int) -> None:
    heatmap = smooth(seed, 9, 9, cells=9) if seed % 2 else noise(seed, SIZE, SIZE)
    grey = grey_of(heatmap)
    localizer = every(step=0.1, contours=400)
    boxes = localizer.curve(heatmap, full(SIZE, SIZE)).reshape(10, 400, 4)
    assert localizer.grid == tuple(round(0.1 * step, 2) for step in range(10) for _ in range(400))
    for step in range(10):
        found = contours(grey, 0.1 * step + 1e-9)
        assert len(found) <= 400  # or the smallest would be missing
        assert {tuple(box) for box in boxes[step].tolist()} == {as_box(contour) for contour in found}


def test_of_more_contours_than_are_kept_the_smallest_are_left_out() -> None:
    heatmap = drawn("99.9..", "99....", "......", "......", "...999", "...999")
    few, more = (every(size=6, step=0.5, contours=count).curve(heatmap, full(6, 6)) for count in (2, 4))
    assert few[:2].tolist() == [[3, 4, 6, 6], [0, 0, 3, 3]]
    assert more[:4].tolist() == [[3, 4, 6, 6], [0, 0, 3, 3], [3, 0, 5, 2], [3, 4, 6, 6]]


def test_the_grid_holds_the_lowest_threshold_of_each_level_and_no_level_is_missing() -> None:
    levels = [int(tau * 255) for tau in largest(step=0.001).grid]
    assert levels == list(range(255))
    assert sorted({int(tau * 255) for tau in np.arange(0, 1, 0.001)}) == levels
    assert largest(step=0.001).grid[:3] == (0.0, 0.004, 0.008)


def test_both_have_the_same_single_box() -> None:
    heatmap = smooth(1, 7, 7)
    assert largest()(heatmap, full(50, 30)) == every()(heatmap, full(50, 30))


@pytest.mark.parametrize("seed", range(4))
def test_the_first_box_of_a_threshold_is_the_single_one_there(seed: int) -> None:
    heatmap = smooth(seed, 9, 9, cells=9) if seed % 2 else noise(seed, SIZE, SIZE)
    single = largest(step=0.1).curve(heatmap, full(SIZE, SIZE))
    assert every(step=0.1).curve(heatmap, full(SIZE, SIZE))[::8].tolist() == single.tolist()


def test_a_wide_line_that_encloses_nothing_does_not_come_first() -> None:
    """Its box of 6 x 1 is larger than that of 2 x 2 pixels, which alone encloses something."""
    heatmap = drawn("999999", "......", ".99...", ".99...", "......", "......")
    assert every(size=6, step=0.5).curve(heatmap, full(6, 6))[:2].tolist() == [[1, 2, 4, 5], [0, 0, 6, 2]]


@pytest.mark.parametrize(
    "view", [full(61, 33), full(SIZE, SIZE), full(7, 200), View(90, 50, Box(20, 0, 70, 50))]
)
def test_original_pixels_are_those_that_fall_into_the_box_as_annotations_do(view: View) -> None:
    x0, y0, x1, y1 = view.region
    heatmap = smooth(3, 9, 9)
    in_frame = as_box(max(contours(grey_of(heatmap), 0.2), key=cv2.contourArea))
    columns = [x for x in range(x0, x1) if in_frame[0] <= SIZE * (x - x0) // (x1 - x0) < in_frame[2]]
    rows = [y for y in range(y0, y1) if in_frame[1] <= SIZE * (y - y0) // (y1 - y0) < in_frame[3]]
    found = largest(threshold=0.2)(heatmap, view).box
    assert found == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"threshold": 1.0}, "threshold"),
        ({"step": 0}, "step"),
        ({"step": 0.0001}, "step"),
        ({"step": 1}, "step"),
        ({"size": 0}, "size"),
        ({"size": 22.5}, "size"),
        ({"contours": 0}, "contours"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=rf"localizer\.{named}="):
        every(**options)
