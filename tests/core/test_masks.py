"""Objects, classes and pixels of images made by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask

from benchmark.core.masks import labelled, objects_of, region
from benchmark.core.types import BoolArray, Objects, Sample

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # pycocotools' own

WIDTH, HEIGHT = 9, 7
BOXES = [[0, 0, 2, 3], [1, 2, 5, 4], [8, 6, 9, 7], [0, 0, 9, 1]]


def objects(classes: list[int], difficult: list[bool] | None = None) -> Objects:
    """One object of each class, in ``BOXES`` one after the other."""
    hard = np.array([False] * len(classes) if difficult is None else difficult, np.bool_)
    boxes = np.array(BOXES[: len(classes)], np.int32).reshape(-1, 4)
    return Objects(np.array(classes, np.int32), boxes, hard)


def sample(held: Objects | None, label: int = 4) -> Sample:
    return Sample("image", Path("image.jpg"), label, np.array(BOXES[:2], np.int32), objects=held)


def pixel_by_pixel(held: Objects, classes: set[int]) -> BoolArray:
    rows = list(zip(held.classes.tolist(), held.boxes.tolist(), strict=True))
    inside = [
        [
            any(c in classes and x0 <= x < x1 and y0 <= y < y1 for c, (x0, y0, x1, y1) in rows)
            for x in range(WIDTH)
        ]
        for y in range(HEIGHT)
    ]
    return np.array(inside)


def outline(pixels: npt.NDArray[Any]) -> dict[str, Any]:
    runs: dict[str, Any] = mask.encode(np.asfortranarray(pixels, np.uint8))
    return runs


def test_an_image_of_one_class_holds_its_boxes_as_objects_of_its_label() -> None:
    found = objects_of(sample(None))
    assert found.classes.tolist() == [4, 4]
    assert found.boxes.tolist() == BOXES[:2]
    assert found.difficult.tolist() == [False, False]
    assert found.masks is None
    assert found.classes.dtype == np.int32
    assert labelled(sample(None)) == labelled(sample(None), difficult=True) == [4]


def test_its_region_is_the_union_of_its_boxes_and_of_other_classes_nothing() -> None:
    expected = pixel_by_pixel(objects([4, 4]), {4})
    np.testing.assert_array_equal(region(sample(None), [4], HEIGHT, WIDTH), expected)
    assert not region(sample(None), [0, 3], HEIGHT, WIDTH).any()


def test_an_image_of_one_class_without_boxes_holds_nothing() -> None:
    bare = replace(sample(None), boxes=np.zeros((0, 4), np.int32))
    assert labelled(bare) == []
    assert not region(bare, [4], HEIGHT, WIDTH).any()


def test_objects_are_given_as_they_are_and_outrank_label_and_boxes() -> None:
    held = objects([7, 2, 7])
    assert objects_of(sample(held)) is held
    assert labelled(sample(held)) == [2, 7]


def test_a_class_of_difficult_objects_alone_is_labelled_only_on_demand() -> None:
    one = sample(objects([5, 1, 5, 3], [True, True, False, False]))
    assert labelled(one) == [3, 5]  # one of the two of class 5 is not difficult
    assert labelled(one, difficult=True) == [1, 3, 5]
    hard = sample(objects([6], [True]))
    assert labelled(hard) == []
    assert labelled(hard, difficult=True) == [6]


def test_difficult_objects_belong_to_a_region() -> None:
    held = objects([5, 1, 5, 3], [True, True, False, False])
    for classes in ([5], [1], [1, 3]):
        found = region(sample(held), classes, HEIGHT, WIDTH)
        np.testing.assert_array_equal(found, pixel_by_pixel(held, set(classes)))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.sets(st.integers(0, 4)))
def test_a_region_of_boxes_is_that_of_a_loop_over_pixels(held: list[int], classes: set[int]) -> None:
    found = region(sample(objects(held)), sorted(classes), HEIGHT, WIDTH)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, pixel_by_pixel(objects(held), classes))


@given(st.integers(0, 2**32 - 1))
def test_where_objects_have_masks_the_region_is_their_union_and_no_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.random((4, HEIGHT, WIDTH)) < 0.3
    held = replace(objects([2, 0, 2, 1]), masks=[outline(each) for each in drawn])
    for classes in ([2], [0], [0, 1], [3], []):
        expected = np.zeros((HEIGHT, WIDTH), np.bool_)
        for label, pixels in zip([2, 0, 2, 1], drawn, strict=True):
            if label in classes:
                expected |= pixels
        np.testing.assert_array_equal(region(sample(held), classes, HEIGHT, WIDTH), expected)


def test_an_empty_mask_is_an_empty_region_though_the_class_is_labelled() -> None:
    held = replace(objects([2]), masks=[outline(np.zeros((HEIGHT, WIDTH)))])
    assert labelled(sample(held)) == [2]
    assert not region(sample(held), [2], HEIGHT, WIDTH).any()


def test_a_mask_of_another_size_than_the_image_is_an_error_and_never_stretched() -> None:
    held = replace(objects([2]), masks=[outline(np.ones((WIDTH, HEIGHT)))])
    with pytest.raises(ValueError, match="broadcast"):
        region(sample(held), [2], HEIGHT, WIDTH)
