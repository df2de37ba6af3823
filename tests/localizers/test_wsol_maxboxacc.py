"""wsolevaluation's MaxBoxAcc and MaxBoxAccV2, held against its own evaluator and a slow count of pixels."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from helpers.drawings import drawn, full

from benchmark.core.types import Box, FloatArray, IntArray, Overlaps, View
from benchmark.localizers.wsol import WsolMaxBoxAcc

SIZE = 224
LEVELS = (np.arange(0, 1, 0.001) * 255).astype(int)  # theirs: int(tau * 255) of 1,000 thresholds


class Scene(NamedTuple):
    """A map, the size of its image, and its ground-truth boxes, half-open in original pixels."""

    heatmap: FloatArray
    view: View
    truth: IntArray


def scenes(seed: int, count: int) -> list[Scene]:
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        cells = rng.standard_normal(((7, 14, 28)[number % 3],) * 2)
        width, height = (int(side) for side in rng.integers(90, 600, 2))
        boxes = []
        for _ in range(rng.integers(1, 4)):
            x, y = int(rng.integers(0, width // 2)), int(rng.integers(0, height // 2))
            right = int(rng.integers(x + width // 4, width))
            bottom = int(rng.integers(y + height // 4, height))
            boxes.append([x, y, right + 1, bottom + 1])
        heatmap = (np.maximum(cells, 0) if number % 2 else cells).astype(np.float32)
        made.append(Scene(heatmap, full(width, height), np.array(boxes, np.int32)))
    return made


def localizer(contours: str) -> WsolMaxBoxAcc:
    return WsolMaxBoxAcc("wsol_maxboxacc", 2, contours=contours)  # type: ignore[arg-type]


def overlaps(contours: str, scene: Scene) -> Overlaps:
    """At each of the 1,000 thresholds."""
    one = localizer(contours)
    found = one.curve_and_overlaps(*scene)[1]
    at_level = dict(zip((int(tau * 255) for tau in one.grid), found, strict=True))
    return np.array([at_level[level] for level in LEVELS])


# Of BoxEvaluator in evaluation.py of clovaai/wsolevaluation, commit 96f4b88, with NumPy 2.4.6 (np.float =
# float) and OpenCV 5.0.0: scenes(0, 60), each map resized to 224 x 224 and normalised as its inference.py
# does, in double precision, given to accumulate(), with cam_threshold_list = np.arange(0, 1, .001) and
# iou_threshold_list = [30, 50, 70].
THEIRS = {
    "largest": {
        0.3: (13555, 31, 138, [27, 27, 28, 24, 18, 18, 6, 0, 0, 0]),
        0.5: (5664, 15, 240, [12, 12, 11, 13, 6, 8, 1, 0, 0, 0]),
        0.7: (60, 1, 255, [0] * 10),
    },
    "all": {
        0.3: (15985, 35, 177, [27, 27, 31, 29, 22, 25, 8, 0, 0, 0]),
        0.5: (6371, 17, 279, [12, 12, 13, 15, 6, 10, 1, 0, 0, 0]),
        0.7: (236, 2, 502, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
    },
}
"""Images right at all thresholds together, at the best one, its number, and at every hundredth."""


@pytest.mark.parametrize("contours", THEIRS)
def test_it_counts_what_wsolevaluations_own_evaluator_counts(contours: str) -> None:
    found = np.array([overlaps(contours, scene) for scene in scenes(0, 60)])
    for iou, expected in THEIRS[contours].items():
        right = (found >= iou).sum(axis=0)
        assert (right.sum(), right.max(), right.argmax(), right[::100].tolist()) == expected


def painted(corners: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Every pixel of an inclusive box, in a frame with room for what reaches beyond 224."""
    canvas = np.zeros((SIZE + 2, SIZE + 2), np.bool_)
    x, y, right, bottom = (int(edge) for edge in corners)
    canvas[y : bottom + 1, x : right + 1] = True
    return canvas


def slowly(scene: Scene, tau: float, every: bool) -> float:
    """By the rule, with pixels counted one by one."""
    resized = cv2.resize(scene.heatmap.astype(np.float64), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    above = resized - resized.min()
    mask = (above / above.max() * 255).astype(np.uint8) > int(tau * 255)
    outlines = cv2.findContours(mask.astype(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]
    ranked = sorted(outlines, key=cv2.contourArea, reverse=True)  # stable: the first of equal ones
    best = 0.0
    for outline in ranked if every else ranked[:1]:
        x, y, width, height = cv2.boundingRect(outline)
        box = painted(np.array([x, y, min(x + width, SIZE - 1), min(y + height, SIZE - 1)]))
        for left, top, right, bottom in scene.truth.tolist():
            side = np.array([scene.view.width, scene.view.height] * 2)
            true = painted((np.array([left, top, right - 1, bottom - 1]) * float(SIZE) / side).astype(int))
            best = max(best, (box & true).sum() / (box | true).sum())
    return best


@pytest.mark.parametrize("contours", ["largest", "all"])
def test_the_overlap_is_that_of_the_pixels_of_the_frame(contours: str) -> None:
    for scene in scenes(1, 3):
        found = overlaps(contours, scene)
        for number in (0, 150, 420, 700, 999):
            assert found[number] == pytest.approx(slowly(scene, number / 1000, contours == "all"), abs=1e-15)


def test_the_grid_holds_the_lowest_of_the_thresholds_of_each_level() -> None:
    grid = np.array(localizer("all").grid)
    assert (grid * 255).astype(int).tolist() == sorted(set(LEVELS)) == list(range(255))
    assert [round(tau * 1000) for tau in grid] == [int(np.argmax(level == LEVELS)) for level in range(255)]


def test_all_contours_count_whatever_their_number() -> None:
    """A chessboard of single pixels, more than any option could name; one of them is the object."""
    heatmap = np.zeros((SIZE, SIZE), np.float32)
    heatmap[::4, ::4] = np.linspace(1, 0.5, 56 * 56).reshape(56, 56)
    heatmap[200:203, 200:203] = 0.5
    truth = np.array([[200, 200, 204, 204]], np.int32)  # a pixel wider and higher, as their boxes are
    assert localizer("all").curve_and_overlaps(heatmap, full(SIZE, SIZE), truth)[1].max() == 1
    assert localizer("largest").curve_and_overlaps(heatmap, full(SIZE, SIZE), truth)[1].max() == 1
    heatmap[8:13, 8:13] = 0.5
    assert localizer("all").curve_and_overlaps(heatmap, full(SIZE, SIZE), truth)[1].max() == 1
    assert localizer("largest").curve_and_overlaps(heatmap, full(SIZE, SIZE), truth)[1].max() == 0


def test_a_constant_map_counts_as_the_corner_s_pixel_and_is_empty() -> None:
    heatmap, view = np.full((7, 7), 0.37, np.float32), full(448, 224)
    found = localizer("all")(heatmap, view)
    assert (found.box, found.empty) == (Box(0, 0, 448, 224), True)
    boxes, counted = localizer("all").curve_and_overlaps(heatmap, view, np.array([[0, 0, 8, 4]], np.int32))
    assert boxes.tolist() == [[0, 0, 448, 224]] * 255
    assert counted.tolist() == [1 / 16] * 255


def test_the_curve_and_the_single_box_are_in_original_pixels() -> None:
    heatmap, view = drawn("....", ".9..", "....", "...."), full(448, 224)
    one = localizer("largest")
    boxes = one.curve_and_overlaps(heatmap, view, np.array([[0, 0, 9, 9]], np.int32))[0]
    assert boxes.tolist() == one.curve(heatmap, view).tolist()
    assert boxes[one.grid.index(0.2)].tolist() == list(one(heatmap, view).box)
    assert one(heatmap, view).box == Box(70, 35, 268, 134)  # twice as wide as high, as the image is


def test_of_a_crop_the_frame_shows_the_region_that_was_seen() -> None:
    heatmap, truth = scenes(2, 1)[0].heatmap, np.array([[10, 20, 90, 70]], np.int32)
    crop = View(400, 300, Box(40, 30, 140, 130))
    shifted = localizer("all").curve_and_overlaps(heatmap, crop, truth + np.array([40, 30, 40, 30], np.int32))
    assert (shifted[1] == localizer("all").curve_and_overlaps(heatmap, full(100, 100), truth)[1]).all()
