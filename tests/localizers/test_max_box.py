from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label, regionprops

from benchmark.core.errors import UserError
from benchmark.core.heatmaps import upsample
from benchmark.core.types import Box, FloatArray, View
from benchmark.localizers.common import map_box
from benchmark.localizers.max_box import MaxBox


def localizer(threshold: float = 0.15, **options: Any) -> MaxBox:
    return MaxBox("max_box", 1, threshold, **options)


def full(width: int, height: int) -> View:
    return View(width, height, Box(0, 0, width, height))


def native(heatmap: FloatArray) -> View:
    """The view in which every cell is one pixel."""
    return full(heatmap.shape[1], heatmap.shape[0])


def drawn(*rows: str) -> FloatArray:
    """One digit a pixel; a dot is zero."""
    return np.array([[0 if cell == "." else int(cell) for cell in row] for row in rows], np.float32)


def box_of(heatmap: FloatArray, threshold: float, **options: Any) -> Box:
    return localizer(threshold, **options)(heatmap, native(heatmap)).box


@pytest.mark.parametrize(
    ("heatmap", "threshold", "box"),
    [
        (drawn("......", ".1892.", ".1782.", "......"), 0.5, Box(2, 1, 4, 3)),
        (drawn("......", ".1892.", ".1782.", "......"), 0.0, Box(1, 1, 5, 3)),
        (drawn("9.....", "......", "...44.", "...44."), 0.4, Box(3, 2, 5, 4)),  # larger beats brighter
        (drawn("9.....", "......", "...44.", "...44."), 0.5, Box(0, 0, 1, 1)),
        (drawn(".....", "..9..", "....."), 0.15, Box(2, 1, 3, 2)),
        (drawn("9999", "9999"), 0.95, Box(0, 0, 4, 2)),
        (drawn("...9", "9..."), 0.15, Box(3, 0, 4, 1)),  # equal sizes: the upper one
        (drawn("9..9", "...."), 0.15, Box(0, 0, 1, 1)),  # then the left one
    ],
)
def test_a_drawn_map_gives_the_box_beside_it(heatmap: FloatArray, threshold: float, box: Box) -> None:
    assert box_of(heatmap, threshold) == box


def test_a_pixel_at_the_threshold_is_left_out_and_the_next_number_is_in() -> None:
    level = np.float32(0.15)
    heatmap = np.array([[1, level, 0], [0, 0, 0]], np.float32)
    assert box_of(heatmap, 0.15) == Box(0, 0, 1, 1)
    heatmap[0, 1] = np.nextafter(level, np.float32(1))
    assert box_of(heatmap, 0.15) == Box(0, 0, 2, 1)


def test_diagonal_pixels_touch_only_under_eight_connectivity() -> None:
    heatmap = drawn("99...", "..9..", "...99")
    assert box_of(heatmap, 0.15) == Box(0, 0, 5, 3)
    assert box_of(heatmap, 0.15, connectivity=4) == Box(0, 0, 2, 1)


def test_negative_values_stay_out_of_the_box_but_do_not_shift_it() -> None:
    heatmap = np.array([[-50, -50, -50], [-50, 4, 1], [-50, -50, -50]], np.float32)
    assert box_of(heatmap, 0.15) == Box(1, 1, 3, 2)
    assert box_of(heatmap, 0.5) == Box(1, 1, 2, 2)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_map_without_a_positive_value_gives_the_whole_image_marked_empty(value: float) -> None:
    heatmap = np.full((7, 7), value, np.float32)
    found = localizer()(heatmap, full(31, 17))
    assert found == (Box(0, 0, 31, 17), (0, 0), True)
    assert (localizer().curve(heatmap, full(31, 17)) == [0, 0, 31, 17]).all()


def test_a_positive_map_is_not_empty_and_says_where_its_peak_is() -> None:
    heatmap = drawn("...", "..5", "...")
    assert localizer()(heatmap, native(heatmap)) == (Box(2, 1, 3, 2), (2, 1), False)


def test_the_smallest_float_is_no_reason_to_fail() -> None:
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[1, 1] = np.float32(1e-45)
    assert box_of(heatmap, 0.95) in (Box(1, 1, 2, 2), Box(0, 0, 4, 4))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_map_that_is_not_finite_never_becomes_a_box(bad: float) -> None:
    heatmap = np.array([[1, bad]], np.float32)
    with pytest.raises(UserError, match="NaN"):
        localizer()(heatmap, native(heatmap))
    with pytest.raises(UserError, match="NaN"):
        localizer().curve(heatmap, native(heatmap))


def test_a_constant_map_fills_the_image_without_being_empty() -> None:
    found = localizer()(np.ones((14, 14), np.float32), full(50, 37))
    assert found.box == Box(0, 0, 50, 37)
    assert not found.empty


def test_a_centre_crop_keeps_the_box_inside_its_region() -> None:
    view = View(20, 10, Box(5, 0, 15, 10))
    assert localizer()(np.ones((4, 4), np.float32), view).box == view.region
    corner = np.zeros((10, 10), np.float32)
    corner[9, 9] = 1
    assert localizer()(corner, view) == (Box(14, 9, 15, 10), (14, 9), False)


def test_the_threshold_acts_after_the_upsampling_not_before() -> None:
    # From 1 at the left to 0 at the right over 11 pixels: 1, .9, …, 0; above .5 lie five of them.
    assert localizer(0.5)(np.array([[1, 0]], np.float32), full(11, 3)).box == Box(0, 0, 5, 3)


def test_one_pixel_images_and_lines_have_boxes() -> None:
    heatmap = drawn("12", "34")
    assert localizer()(heatmap, full(1, 1)).box == Box(0, 0, 1, 1)
    assert localizer(0.9)(heatmap, full(1, 9)).box == Box(0, 7, 1, 9)  # 1, 1.25, …, 2.75, 3


MAPS = arrays(
    np.float32,
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
    elements=st.integers(-8, 64).map(lambda n: n / 8),
)


@given(MAPS, st.integers(-20, 20), st.sampled_from([0.0, 0.15, 0.5, 0.8]))
def test_a_positive_factor_changes_no_box(heatmap: FloatArray, power: int, threshold: float) -> None:
    view = full(23, 17)
    assert localizer(threshold)(heatmap * 2.0**power, view) == localizer(threshold)(heatmap, view)


def test_subtracting_the_minimum_changes_the_box() -> None:
    heatmap = drawn("2222", "2392", "2222")
    assert box_of(heatmap, 0.15) == Box(0, 0, 4, 3)
    assert box_of(heatmap - heatmap.min(), 0.15) == Box(2, 1, 3, 2)


@given(MAPS, st.sampled_from([0.0, 0.15, 0.5, 0.8]), st.sampled_from([4, 8]))
def test_the_box_is_that_of_scikit_images_largest_region(
    heatmap: FloatArray, threshold: float, connectivity: int
) -> None:
    mask = heatmap > np.float32(threshold) * heatmap.max()
    labels = label(mask, connectivity=1 if connectivity == 4 else 2)  # type: ignore[no-untyped-call]
    regions = regionprops(labels)  # type: ignore[no-untyped-call]
    found = localizer(threshold, connectivity=connectivity)(heatmap, native(heatmap))
    assert found.empty == (heatmap.max() <= 0)
    if not found.empty:
        y0, x0, y1, x1 = min(regions, key=lambda region: (-region.area, *region.bbox)).bbox
        assert found.box == Box(x0, y0, x1, y1)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 1))
def test_around_a_single_peak_a_higher_threshold_gives_a_box_inside(x: float, y: float, slope: float) -> None:
    rows, columns = np.mgrid[:14, :14] / 13
    heatmap = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / slope).astype(np.float32)
    boxes = localizer().curve(heatmap, full(60, 40))
    assert (np.diff(boxes[:, :2], axis=0) >= 0).all()
    assert (np.diff(boxes[:, 2:], axis=0) <= 0).all()


@given(MAPS)
def test_the_curve_holds_the_box_of_each_threshold(heatmap: FloatArray) -> None:
    view = full(31, 22)
    grid = (0.0, 0.15, 0.4, 0.9)
    boxes = localizer(grid=grid).curve(heatmap, view)
    assert boxes.dtype == np.int32
    assert boxes.tolist() == [list(localizer(threshold)(heatmap, view).box) for threshold in grid]


def test_a_map_is_upsampled_once_for_its_box_its_curve_and_other_thresholds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    def counted(heatmap: FloatArray, view: View) -> FloatArray:
        asked.append(heatmap.tobytes())
        return upsample(heatmap, view)

    monkeypatch.setattr(map_box, "upsample", counted)
    maps, view = np.random.default_rng(5).standard_normal((6, 7, 7)).astype(np.float32), full(29, 19)
    for strict in (0.2, 0.6):
        for heatmap in maps:
            localizer(strict)(heatmap, view)
            localizer(strict).curve(np.maximum(heatmap, 0), view)
    assert len(asked) == len(set(asked)) == 6
    localizer()(maps[0], full(29, 20))  # another image
    assert len(asked) == 7


def test_the_default_grid_is_every_five_percent() -> None:
    assert localizer().grid == tuple(float(f"{0.05 * step:.2f}") for step in range(1, 20))
    assert localizer(grid=[0.1, 0.2]).grid == (0.1, 0.2)
    assert localizer(grid=()).curve(drawn("1"), full(2, 2)).shape == (0, 4)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"threshold": 1.0}, "threshold"),
        ({"threshold": -0.1}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": "0.2"}, "threshold"),
        ({"connectivity": 6}, "connectivity"),
        ({"grid": (0.2, 0.1)}, "grid"),
        ({"grid": (0.1, 0.1)}, "grid"),
        ({"grid": (0.5, 1.0)}, "grid"),
        ({"grid": ("a",)}, "grid"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=rf"localizer\.{named}="):
        localizer(**options)
