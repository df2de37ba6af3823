from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label, regionprops

from benchmark.core.boxes import (
    area,
    by_area,
    component_boxes,
    from_frame,
    from_inclusive,
    hits,
    intersection,
    iou,
    largest_component,
    matches,
    outlines,
    tight,
    to_inclusive,
    whole,
)
from benchmark.core.errors import UserError
from benchmark.core.types import BoolArray, Box, View

SIDE = 12


@st.composite
def boxes(draw: st.DrawFn, side: int = SIDE) -> npt.NDArray[np.int32]:
    x0, x1 = sorted(draw(st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True)))
    y0, y1 = sorted(draw(st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True)))
    return np.array([x0, y0, x1, y1], np.int32)


def painted(box: npt.NDArray[np.int32]) -> BoolArray:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


@given(boxes(), boxes())
def test_area_intersection_and_iou_count_pixels(a: npt.NDArray[np.int32], b: npt.NDArray[np.int32]) -> None:
    one, other = painted(a), painted(b)
    assert area(a) == one.sum()
    assert intersection(a, b) == (one & other).sum()
    assert iou(a, b) == (one & other).sum() / (one | other).sum()


@given(boxes(1000), boxes(1000))
def test_iou_is_symmetric_bounded_and_one_only_for_equal_boxes(
    a: npt.NDArray[np.int32], b: npt.NDArray[np.int32]
) -> None:
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1
    assert (iou(a, b) == 1) == bool((a == b).all())


@given(boxes(40), boxes(40))
def test_iou_is_the_devkits_inclusive_formula(a: npt.NDArray[np.int32], b: npt.NDArray[np.int32]) -> None:
    ax1, ay1, ax2, ay2 = to_inclusive(a).tolist()
    bx1, by1, bx2, by2 = to_inclusive(b).tolist()
    width, height = min(ax2, bx2) - max(ax1, bx1) + 1, min(ay2, by2) - max(ay1, by1) + 1
    shared = width * height if width > 0 and height > 0 else 0
    union = (ax2 - ax1 + 1) * (ay2 - ay1 + 1) + (bx2 - bx1 + 1) * (by2 - by1 + 1) - shared
    assert iou(a, b) == shared / union


@given(boxes(60), boxes(60), st.integers(1, 20))
def test_matches_agrees_with_exact_fractions(
    a: npt.NDArray[np.int32], b: npt.NDArray[np.int32], twentieths: int
) -> None:
    shared = int(intersection(a, b))
    union = int(area(a)) + int(area(b)) - shared
    exact = Fraction(shared, union) >= Fraction(twentieths, 20)
    assert matches(a, b, twentieths / 20) == exact


@pytest.mark.parametrize("tenths", range(1, 11))
@pytest.mark.parametrize("scale", [1, 3, 7, 4000])
def test_an_overlap_of_exactly_the_threshold_matches(tenths: int, scale: int) -> None:
    part, full = np.array([0, 0, tenths, scale]), np.array([0, 0, 10, scale])
    assert matches(part, full, float(f"0.{tenths}") if tenths < 10 else 1.0)
    less = np.array([0, 0, tenths * 1000 - 1, scale])
    assert not matches(less, np.array([0, 0, 10_000, scale]), tenths / 10)


def test_boxes_that_only_touch_share_nothing() -> None:
    a, b = np.array([0, 0, 5, 5]), np.array([5, 0, 9, 5])
    assert intersection(a, b) == 0
    assert iou(a, b) == 0


def test_empty_boxes_have_no_overlap_even_with_themselves() -> None:
    empty = np.array([3, 3, 3, 9])
    assert area(empty) == 0
    assert iou(empty, empty) == 0


def test_areas_beyond_int32_do_not_overflow() -> None:
    huge = np.array([0, 0, 100_000, 100_000], np.int32)
    assert area(huge) == 10**10
    assert iou(huge, huge) == 1


def test_boxes_broadcast_against_each_other() -> None:
    a = np.array([[0, 0, 2, 2], [0, 0, 4, 4], [9, 9, 10, 10]])
    assert iou(a[:, None], a[None]).tolist() == [[1, 0.25, 0], [0.25, 1, 0], [0, 0, 1]]


@given(boxes())
def test_inclusive_and_half_open_are_inverse(box: npt.NDArray[np.int32]) -> None:
    assert (from_inclusive(to_inclusive(box)) == box).all()
    assert (to_inclusive(from_inclusive(box)) == box).all()


def test_one_inclusive_pixel_is_one_pixel() -> None:
    assert from_inclusive(np.array([3, 4, 3, 4])).tolist() == [3, 4, 4, 5]


def test_hits_asks_for_any_box_of_the_same_image() -> None:
    truth = np.array([[0, 0, 4, 4], [10, 10, 14, 14], [0, 0, 4, 4]])
    owner = np.array([0, 0, 2], np.int32)
    guess = np.array([[0, 0, 4, 4], [10, 10, 14, 14], [0, 0, 2, 3]])
    found = hits(np.stack([guess] * 3), truth, owner)
    assert found.tolist() == [[True, True, False], [False] * 3, [True, False, False]]


@pytest.mark.parametrize("threshold", [0, -0.5, 1.5, float("nan")])
def test_an_overlap_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(UserError, match="iou is"):
        hits(np.zeros((1, 1, 4), np.int32), np.zeros((1, 4), np.int32), np.zeros(1, np.int32), threshold)


def drawn(*rows: str) -> BoolArray:
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_diagonal_neighbours_touch_only_under_eight_connectivity() -> None:
    mask = drawn("##...", "..#..", "...##", "...##")
    assert largest_component(mask, 8) == Box(0, 0, 5, 4)
    assert largest_component(mask, 4) == Box(3, 2, 5, 4)


def test_largest_means_pixels_not_extent() -> None:
    mask = drawn("#######", ".......", "###....", "###....", "###....")
    assert largest_component(mask) == Box(0, 2, 3, 5)


@pytest.mark.parametrize(
    ("mask", "box"),
    [
        (drawn("..##", "##..", "...."), Box(2, 0, 4, 1)),  # y0 first
        (drawn("#.##", "#...", "...."), Box(0, 0, 1, 2)),  # then x0
        (drawn(".#.#", ".#.#", "...."), Box(1, 0, 2, 2)),
        (drawn("....", "...#", ".#.."), Box(3, 1, 4, 2)),
    ],
)
def test_of_equal_components_the_first_by_y0_x0_is_taken(mask: BoolArray, box: Box) -> None:
    assert largest_component(mask, 4) == box


def test_equal_components_that_start_alike_are_told_apart_by_where_they_end() -> None:
    mask = drawn("#.#", "..#", "###", "...")  # the single pixel lies inside the hook's box
    mirrored = drawn(".##.", "#..#", "#..#", ".##.")
    assert largest_component(mask, 4) == Box(0, 0, 3, 3)
    assert largest_component(mirrored, 4) == Box(1, 0, 3, 1)


def test_an_empty_mask_has_no_component_and_a_full_one_is_all() -> None:
    assert largest_component(np.zeros((3, 4), np.bool_)) is None
    assert largest_component(np.ones((3, 4), np.bool_)) == Box(0, 0, 4, 3)
    assert largest_component(np.ones((1, 1), np.bool_)) == Box(0, 0, 1, 1)


@given(arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14))), st.sampled_from([4, 8]))
def test_the_largest_component_is_scikit_images(mask: BoolArray, connectivity: int) -> None:
    labels = label(mask, connectivity=1 if connectivity == 4 else 2)  # type: ignore[no-untyped-call]
    regions = regionprops(labels)  # type: ignore[no-untyped-call]
    ranked = sorted(regions, key=lambda region: (-region.area, region.bbox[0], region.bbox[1], region.bbox))
    expected = None
    if ranked:
        y0, x0, y1, x1 = ranked[0].bbox
        expected = Box(x0, y0, x1, y1)
    assert largest_component(mask, connectivity) == expected


def test_a_mask_that_is_a_view_of_another_is_read_rightly() -> None:
    big = np.zeros((6, 6), np.bool_)
    big[::2, ::2] = True
    assert largest_component(big[::2, ::2]) == Box(0, 0, 3, 3)


def test_the_whole_image_is_its_size_whatever_the_region() -> None:
    assert whole(View(7, 5, Box(1, 1, 3, 3))) == Box(0, 0, 7, 5)


MASKS = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@given(MASKS)
def test_a_tight_box_holds_every_true_pixel_and_no_empty_edge(mask: BoolArray) -> None:
    ys, xs = np.nonzero(mask)
    expected = Box(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) if len(xs) else None
    assert tight(mask) == expected


@given(MASKS, st.sampled_from([4, 8]))
def test_component_boxes_are_those_of_scikit_image(mask: BoolArray, connectivity: int) -> None:
    labels = label(mask, connectivity=connectivity // 4)  # type: ignore[no-untyped-call]
    regions = [region.bbox for region in regionprops(labels)]  # type: ignore[no-untyped-call]
    expected = sorted([x0, y0, x1, y1] for y0, x0, y1, x1 in regions)
    assert sorted(component_boxes(mask, connectivity).tolist()) == expected


@given(MASKS)
def test_outlines_are_those_that_opencv_traces(mask: BoolArray) -> None:
    traced = cv2.findContours(mask.astype(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]
    rectangles = [cv2.boundingRect(outline) for outline in traced]
    assert sorted(outlines(mask).tolist()) == sorted([x, y, x + w, y + h] for x, y, w, h in rectangles)


@given(st.lists(boxes(), min_size=1, max_size=6))
def test_ranked_by_area_the_first_of_equal_ones_is_the_upper_left(some: list[npt.NDArray[np.int32]]) -> None:
    ranked = by_area(np.array(some)).tolist()
    keys = [(-(x1 - x0) * (y1 - y0), y0, x0, y1, x1) for x0, y0, x1, y1 in ranked]
    assert keys == sorted(keys)
    assert sorted(ranked) == sorted(box.tolist() for box in some)


@given(boxes(), st.integers(1, 40), st.integers(1, 40), st.integers(0, 5))
def test_a_frames_box_holds_the_pixels_that_scaled_and_rounded_down_lie_in_it(
    box: npt.NDArray[np.int32], width: int, height: int, shift: int
) -> None:
    view = View(width + 9, height + 9, Box(shift, shift, shift + width, shift + height))
    x0, y0, x1, y1 = from_frame(box, SIDE, view).tolist()
    columns = [x for x in range(width) if box[0] <= SIDE * x // width < box[2]]
    rows = [y for y in range(height) if box[1] <= SIDE * y // height < box[3]]
    assert shift <= x0 < x1 <= shift + width
    assert shift <= y0 < y1 <= shift + height
    if columns:
        assert (x0, x1) == (shift + columns[0], shift + columns[-1] + 1)
    if rows:
        assert (y0, y1) == (shift + rows[0], shift + rows[-1] + 1)
