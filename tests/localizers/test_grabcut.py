from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest

from benchmark.core.boxes import iou
from benchmark.core.errors import UserError
from benchmark.core.types import Box, FloatArray, ImageArray, View
from benchmark.localizers.common.grabcut import segment
from benchmark.localizers.grabcut import GrabCut


def localizer(**options: Any) -> GrabCut:
    return GrabCut("grabcut", 1, **options)


def full(width: int, height: int) -> View:
    return View(width, height, Box(0, 0, width, height))


def scene(box: Box, width: int = 60, height: int = 40, seed: int = 0) -> ImageArray:
    """A reddish object on a bluish ground, both noisy."""
    noise = np.random.default_rng(seed).integers(0, 40, (height, width, 3))
    colours = np.full((height, width, 3), (30, 60, 180))
    colours[box.y0 : box.y1, box.x0 : box.x1] = (200, 80, 30)
    return (colours + noise).astype(np.uint8)


def hill(box: Box, width: int = 60, height: int = 40) -> FloatArray:
    """Highest in the middle of the box, falling off to all sides."""
    rows, columns = np.mgrid[:height, :width]
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    height_map: FloatArray = np.exp(-(((columns - x) / 15) ** 2) - ((rows - y) / 15) ** 2).astype(np.float32)
    return height_map


OBJECT = Box(22, 12, 44, 30)


def test_an_object_of_another_colour_is_found_to_the_pixel_from_its_middle_alone() -> None:
    found = localizer()(hill(OBJECT), full(60, 40), scene(OBJECT))
    assert found.box == OBJECT
    assert found.peak == (33, 21)
    assert not found.empty


def test_the_order_of_the_colour_channels_does_not_matter() -> None:
    image = scene(OBJECT)
    swapped = np.ascontiguousarray(image[..., ::-1])
    assert localizer()(hill(OBJECT), full(60, 40), image) == localizer()(hill(OBJECT), full(60, 40), swapped)


def test_image_and_map_are_left_as_they_were() -> None:
    image, heatmap = scene(OBJECT), hill(OBJECT)
    before = image.copy(), heatmap.copy()
    localizer()(heatmap, full(60, 40), image)
    assert (image == before[0]).all()
    assert (heatmap == before[1]).all()


def test_a_box_depends_neither_on_the_order_nor_on_the_thread() -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (30, 40, 3), dtype=np.uint8) for _ in range(24)]
    maps = [rng.random((5, 5), np.float32) for _ in images]

    def locate(number: int) -> Box:
        return localizer()(maps[number], full(40, 30), images[number]).box

    expected = [locate(number) for number in range(24)]
    order = [*range(24)] * 3
    rng.shuffle(order)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(locate, order))
    assert found == [expected[number] for number in order]
    assert len(set(expected)) > 1  # or the images would prove nothing


def test_opencvs_generator_belongs_to_the_thread() -> None:
    def draw() -> list[int]:
        numbers = np.zeros(4, np.int32)
        cv2.randu(numbers, np.array([0]), np.array([10_000]))
        return [int(n) for n in numbers]

    def disturb() -> None:
        cv2.setRNGSeed(7)
        draw()

    cv2.setRNGSeed(0)
    alone = draw()
    cv2.setRNGSeed(0)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(disturb).result()
    assert draw() == alone


@pytest.fixture
def opencv_threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("opencv_threads")
def test_a_box_does_not_depend_on_opencvs_own_threads() -> None:
    image = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    heatmap = np.random.default_rng(2).random((7, 7), np.float32)
    boxes = set()
    for threads in (1, 2, 4):
        cv2.setNumThreads(threads)
        boxes.add(localizer()(heatmap, full(160, 120), image).box)
    assert len(boxes) == 1


@pytest.mark.parametrize("value", [0.0, -2.0, 3.0])
def test_a_map_that_tells_no_pixel_from_another_gives_the_whole_image_marked_empty(value: float) -> None:
    heatmap = np.full((7, 7), value, np.float32)
    assert localizer()(heatmap, full(60, 40), scene(OBJECT)) == (Box(0, 0, 60, 40), (0, 0), True)


def test_of_a_map_of_mostly_zeros_only_what_exceeds_them_is_foreground() -> None:
    heatmap = np.zeros((40, 60), np.float32)
    heatmap[20:22, 30:33] = [1, 2, 3]
    found = localizer()(heatmap, full(60, 40), scene(OBJECT))
    assert found.box == Box(30, 20, 33, 22)  # ties leave nothing undecided: zeros are sure background
    assert not found.empty


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 2), (1, 9), (9, 1), (2, 2), (3, 3), (10, 10)])
def test_images_of_a_few_pixels_have_boxes_inside(size: tuple[int, int]) -> None:
    width, height = size
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    for cells in (1, 2, 7):
        box = localizer()(rng.random((cells, cells), np.float32), full(width, height), image).box
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height


def test_opencv_is_given_simonyans_seeds_and_the_number_of_iterations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[list[int], int, int]] = []

    def watched(image: Any, mask: Any, rect: Any, back: Any, fore: Any, iterations: int, mode: int) -> None:
        asked.append((mask.ravel().tolist(), iterations, mode))

    monkeypatch.setattr(cv2, "grabCut", watched)
    ramp = np.arange(1, 101, dtype=np.float32)[None]
    localizer(iterations=3, early=False)(ramp, full(100, 1), np.zeros((1, 100, 3), np.uint8))
    seeds = [cv2.GC_BGD] * 30 + [cv2.GC_PR_BGD] * 65 + [cv2.GC_FGD] * 5
    assert asked == [(seeds, 1, cv2.GC_INIT_WITH_MASK), (seeds, 1, cv2.GC_EVAL), (seeds, 1, cv2.GC_EVAL)]
    asked.clear()
    localizer(iterations=3)(ramp, full(100, 1), np.zeros((1, 100, 3), np.uint8))
    assert len(asked) == 1  # no label has changed


def test_iterations_one_by_one_are_those_of_one_call_of_opencv() -> None:
    rng, moved = np.random.default_rng(3), 0
    for _ in range(6):
        coarse = cv2.resize(rng.integers(0, 256, (8, 10, 3), np.uint8), (80, 60))
        image = (coarse + rng.normal(0, 12, coarse.shape)).clip(0, 255).astype(np.uint8)
        seeds = rng.choice([cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_BGD], (60, 80)).astype(np.uint8)
        masks = []
        for iterations in (1, 4):
            masks.append(seeds.copy())
            cv2.setRNGSeed(0)
            models = np.zeros((1, 65)), np.zeros((1, 65))
            cv2.grabCut(image, masks[-1], (0, 0, 0, 0), *models, iterations, cv2.GC_INIT_WITH_MASK)
        assert (segment(image, seeds, 4) == masks[1] % 2).all()
        moved += (masks[0] != masks[1]).any()
    assert moved  # or the later iterations would prove nothing


def test_an_image_of_one_colour_does_not_fail() -> None:
    image = np.full((40, 60, 3), 128, np.uint8)
    box = localizer()(hill(OBJECT), full(60, 40), image).box
    assert iou(np.array(box), np.array(OBJECT)) > 0


@pytest.mark.parametrize("max_side", [None, 50, 31, 30, 7])
def test_what_the_model_has_not_seen_is_never_in_the_box(max_side: int | None) -> None:
    region = Box(11, 0, 50, 40)
    image = np.full((40, 60, 3), 90, np.uint8)  # one colour: only the seeds hold the box back
    found = localizer(max_side=max_side)(np.array([[0, 1], [0, 2]], np.float32), View(60, 40, region), image)
    assert region.x0 <= found.box.x0
    assert found.box.x1 <= region.x1
    assert found.peak == (49, 39)


@pytest.mark.parametrize("max_side", [1, 7, 20, 31, 59])
def test_a_smaller_copy_gives_a_box_in_original_pixels(max_side: int) -> None:
    found = localizer(max_side=max_side)(hill(OBJECT), full(60, 40), scene(OBJECT))
    assert 0 <= found.box.x0 < found.box.x1 <= 60
    assert 0 <= found.box.y0 < found.box.y1 <= 40
    assert found.peak == (33, 21)
    if max_side >= 20:
        assert iou(np.array(found.box), np.array(OBJECT)) > 0.7


def test_an_image_no_larger_than_max_side_is_used_as_it_is() -> None:
    expected = localizer()(hill(OBJECT), full(60, 40), scene(OBJECT))
    assert localizer(max_side=60)(hill(OBJECT), full(60, 40), scene(OBJECT)) == expected


def test_it_has_no_thresholds_and_says_that_it_needs_the_image() -> None:
    assert localizer().grid == ()
    assert localizer().curve(hill(OBJECT), full(60, 40)).shape == (0, 4)
    assert localizer().needs_image
    with pytest.raises(UserError, match="needs the images' pixels"):
        localizer()(hill(OBJECT), full(60, 40), None)


def test_a_map_that_is_not_finite_never_becomes_a_box() -> None:
    with pytest.raises(UserError, match="NaN"):
        localizer()(np.full((2, 2), np.nan, np.float32), full(60, 40), scene(OBJECT))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"foreground": 0.3, "background": 0.3}, "background"),
        ({"foreground": 1.1}, "foreground"),
        ({"background": -0.1}, "background"),
        ({"background": float("nan")}, "background"),
        ({"iterations": 0}, "iterations"),
        ({"iterations": 2.5}, "iterations"),
        ({"max_side": 0}, "max_side"),
        ({"max_side": "big"}, "max_side"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=rf"localizer\.{named}="):
        localizer(**options)
