"""Which labelled classes are asked, on hand-made samples."""

from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask

from benchmark.core.errors import UserError
from benchmark.core.types import Objects, Sample
from benchmark.tasks.pairs.class_policies.labelled import Labelled

OUTPUTS = np.array([30, 31, 12, 33, 4], np.int32)
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # pycocotools' own

Made = tuple[int, tuple[int, int, int, int], bool]


def sample(*objects: Made, size: tuple[int, int] | None = (20, 10), masks: Any = None) -> Sample:
    boxes = np.array([box for _, box, _ in objects], np.int32).reshape(-1, 4)
    classes = np.array([label for label, _, _ in objects], np.int32)
    hard = np.array([difficult for _, _, difficult in objects], np.bool_)
    return Sample("a", None, 0, boxes, size=size, objects=Objects(classes, boxes, hard, masks))


SMALL, LARGE = (0, 0, 3, 3), (5, 0, 15, 10)
TWO = sample((3, SMALL, False), (1, LARGE, False), (3, (0, 5, 2, 7), True))
HARD = sample((2, SMALL, True), (0, LARGE, False))
ONLY_HARD = sample((4, SMALL, True))
ONE = Sample("b", None, 4, np.array([SMALL, LARGE], np.int32))
ALL = [TWO, HARD, ONLY_HARD, ONE]


def asked(*samples: Sample, **options: Any) -> list[list[int]]:
    made = Labelled(**options)(samples, OUTPUTS, torch.zeros(len(samples), 40))
    assert made.dtype == torch.int64
    return made.tolist()


def test_each_class_is_asked_as_its_output_and_rows_are_filled_up() -> None:
    assert asked(*ALL) == [[31, 33], [30, -1], [-1, -1], [4, -1]]


def test_with_difficult_a_class_of_difficult_objects_alone_is_asked() -> None:
    assert asked(*ALL, difficult=True) == [[31, 33], [30, 12], [4, -1], [4, -1]]


def test_only_counts_difficult_classes_even_where_they_are_not_asked() -> None:
    assert asked(*ALL, only=2) == [[31, 33], [30, -1], [-1, -1], [-1, -1]]
    assert asked(*ALL, only=1) == [[-1], [-1], [-1], [4]]
    assert asked(*ALL, only=3) == [[-1], [-1], [-1], [-1]]


def test_one_takes_the_class_that_covers_most_pixels() -> None:
    assert asked(*ALL, one=True) == [[31], [30], [-1], [4]]


def test_overlapping_boxes_of_a_class_count_once() -> None:
    heaped = sample(*[(0, SMALL, False)] * 9, (2, (10, 0, 15, 2), False))
    assert asked(heaped, one=True) == [[12]]


def test_of_equally_large_classes_the_first_is_taken() -> None:
    assert asked(sample((3, SMALL, False), (1, (10, 0, 13, 3), False)), one=True) == [[31]]


def test_one_is_chosen_of_what_the_other_options_leave() -> None:
    large_hard = sample((2, LARGE, True), (0, SMALL, False))
    assert asked(large_hard, one=True) == [[30]]
    assert asked(large_hard, one=True, difficult=True) == [[12]]
    assert asked(large_hard, one=True, only=1) == [[-1]]


def test_masks_decide_what_covers_most_where_there_are_some() -> None:
    thin, full = (np.zeros((10, 20), np.uint8, order="F") for _ in range(2))
    thin[np.arange(10), np.arange(10)] = 1
    full[0:4, 0:4] = 1
    masks = [mask.encode(thin), mask.encode(full)]
    for size in ((20, 10), None):
        made = sample((1, (0, 0, 10, 10), False), (3, (0, 0, 4, 4), False), size=size, masks=masks)
        assert asked(made, one=True) == [[33]]


def test_one_needs_no_annotated_size() -> None:
    assert asked(sample((3, SMALL, False), (1, LARGE, False), size=None), one=True) == [[31]]


def test_no_image_gives_no_row() -> None:
    assert Labelled()([], OUTPUTS, torch.zeros(0, 40)).shape == (0, 1)


@pytest.mark.parametrize(
    ("option", "value"), [("only", 0), ("only", "two"), ("one", "yes"), ("difficult", 1)]
)
def test_options_out_of_range_are_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(UserError, match=rf"classes\.{option}={value}"):
        Labelled(**{option: value})
