from typing import Any

import cv2
import numpy as np
import pytest
from helpers.drawings import drawn, full, native, noise, smooth
from scipy.spatial.distance import cdist

from benchmark.core.errors import UserError
from benchmark.core.heatmaps import upsample_cubic
from benchmark.core.types import BoolArray, Box, FloatArray
from benchmark.localizers.cam_dtbox import CamDtBox


def localizer(**options: Any) -> CamDtBox:
    return CamDtBox("cam_dtbox", 1, **options)


def box_of(heatmap: FloatArray, **options: Any) -> Box:
    return localizer(**options)(heatmap, native(heatmap)).box


DOTS = ".........."


@pytest.mark.parametrize(
    ("heatmap", "options", "box"),
    [
        # One pixel wider and higher than the segment.
        (drawn(DOTS, "..99......", "..99......", DOTS, DOTS), {"margin": 0}, Box(2, 1, 5, 4)),
        # OpenCV 2.4 cleared a pixel at each edge before it traced; newer ones do not.
        (drawn("999.......", "999.......", "999.......", DOTS), {"margin": 0}, Box(1, 1, 4, 4)),
        (drawn("999.......", "999.......", "999.......", DOTS), {"margin": 0, "border": 0}, Box(0, 0, 4, 4)),
        (drawn(".......999", DOTS, DOTS), {"margin": 0, "border": 2}, Box(0, 0, 10, 3)),
        # The larger rectangle wins, not the more pixels: a cross of five against six in a row.
        (drawn(DOTS, "..9.......", ".999.9999.", "..9.......", DOTS), {"margin": 0}, Box(1, 1, 5, 5)),
        # 1 of 9 is 28 of 255: above the lowest level, not above the others.
        (drawn(DOTS, ".9111.....", DOTS), {"margin": 0}, Box(1, 1, 6, 3)),
        (drawn(DOTS, ".9111.....", DOTS), {"margin": 0, "levels": [28]}, Box(1, 1, 3, 3)),
        # Cut five pixels before the right and the lower edge.
        (np.ones((8, 10), np.float32), {}, Box(1, 1, 6, 4)),
        (np.ones((8, 10), np.float32), {"margin": 2}, Box(1, 1, 9, 7)),
    ],
)
def test_a_drawn_map_gives_the_box_beside_it(heatmap: FloatArray, options: dict[str, Any], box: Box) -> None:
    assert box_of(heatmap, **options) == box


def test_thin_bridges_fall_to_the_distance_transform() -> None:
    heatmap = np.zeros((80, 160), np.float32)
    heatmap[10:70, 10:70] = 1  # reaches 30 pixels deep
    heatmap[40, 70:120] = 1  # 1 deep: 8.5 of 255
    heatmap[20:60, 120:150] = 1
    assert box_of(heatmap) == Box(11, 11, 71, 70)  # so does the rim, save where the bridge meets it
    assert box_of(heatmap, erosion=8) == Box(10, 10, 151, 71)


def test_an_image_smaller_than_the_margin_has_no_box() -> None:
    found = localizer()(drawn("9999", "9999"), full(5, 40))
    assert (found.box, found.empty) == (Box(0, 0, 5, 40), True)


def test_rounding_to_grey_levels_is_an_option() -> None:
    heatmap = np.zeros((6, 12), np.float32)
    heatmap[2, 2], heatmap[2, 3] = 1, 20.4 / 255
    assert box_of(heatmap, quantise=False, margin=0).x1 == 5
    assert box_of(heatmap, margin=0).x1 == 4


def test_adding_a_constant_changes_the_box() -> None:
    heatmap = np.zeros((20, 30), np.float32)
    heatmap[5:9, 5:9] = 1
    assert box_of(heatmap) == Box(5, 5, 10, 10)
    assert box_of(heatmap + 1) == Box(1, 1, 26, 16)


def eroded(mask: BoolArray) -> BoolArray:
    """Every distance from every pixel to every other; bytes of the largest; above 10."""
    if mask.all() or not mask.any():
        return mask
    outside = np.argwhere(~mask)
    distance = np.zeros(mask.shape)
    distance[mask] = cdist(np.argwhere(mask), outside).min(axis=1)
    kept: BoolArray = (distance * 255 / distance.max() + 0.5).astype(int) > 10
    return kept


def big_overlap(a: list[int], b: list[int]) -> bool:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0) > max(a[2] * a[3], b[2] * b[3]) // 2


def slowly(grey: FloatArray, border: int = 1) -> tuple[int, ...]:
    """The whole tool as protocol §2.3 d tells it: outlines of holes, ranking, merging; then its first box."""
    height, width = grey.shape
    rectangles = []
    for level in (20, 100, 110):
        mask = eroded(grey > level).astype(np.uint8)
        for edge in range(border):  # what findContours of OpenCV 2.4 began with
            mask[[edge, -1 - edge]] = 0
            mask[:, [edge, -1 - edge]] = 0
        for outline in cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0]:
            x, y, w, h = cv2.boundingRect(outline)
            if x < width - 5 and y < height - 5:
                rectangles.append([x, y, min(w, width - x - 5), min(h, height - y - 5)])
    ranked = sorted(rectangles, key=lambda r: (-r[2] * r[3], r[1], r[0], r[1] + r[3]))
    left: list[list[int]] = []
    for one in ranked:
        if not any(big_overlap(larger, one) for larger in left):
            left.append(one)
    if not left:
        return (0, 0, width, height)
    x, y, w, h = left[0]
    return (x, y, x + w + 1, y + h + 1)


@pytest.mark.parametrize("seed", range(16))
def test_it_is_the_tool_written_out_with_holes_and_merging(seed: int) -> None:
    heatmap = smooth(seed, 34, 45, cells=6) if seed % 2 else noise(seed, 24, 31)
    grey = np.floor(heatmap / heatmap.max() * np.float32(255) + np.float32(0.5))
    assert box_of(heatmap) == slowly(grey)
    assert box_of(heatmap, border=0) == slowly(grey, border=0)


def test_the_map_is_enlarged_before_it_is_made_grey() -> None:
    heatmap = smooth(3, 7, 7)
    pixels = np.maximum(upsample_cubic(heatmap, full(64, 48)), 0)
    grey = np.floor(pixels / pixels.max() * np.float32(255) + np.float32(0.5))
    assert localizer()(heatmap, full(64, 48)).box == slowly(grey)


def test_the_curve_is_over_the_lowest_level() -> None:
    heatmap, view = smooth(1, 14, 14), full(64, 48)
    boxes = localizer(grid=(0.2, 0.4, 0.41, 0.6)).curve(heatmap, view)
    levels = ([51, 100, 110], [102, 110], [255 * 0.41, 110], [153])
    assert boxes.tolist() == [list(localizer(levels=some)(heatmap, view).box) for some in levels]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"levels": [100, 20]}, "levels"),
        ({"levels": [20, 255]}, "levels"),
        ({"levels": []}, "levels"),
        ({"erosion": -1}, "erosion"),
        ({"erosion": 255}, "erosion"),
        ({"margin": -1}, "margin"),
        ({"margin": 2.5}, "margin"),
        ({"border": -1}, "border"),
        ({"grid": [0.5, 1.0]}, "grid"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=rf"localizer\.{named}="):
        localizer(**options)
