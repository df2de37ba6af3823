"""Regions of COCO's objects against pycocotools' own ``COCO.annToMask`` and masks drawn by hand."""

import contextlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import coco_trees as trees
from helpers.coco_trees import CLASSES, SIZES, image_id
from pycocotools.coco import COCO

from benchmark.core.masks import labelled, region
from benchmark.core.types import BoolArray, Objects, Sample
from benchmark.datasets.coco import load
from benchmark.datasets.multi_label import ManyObjects

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # pycocotools' own


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trees.make(tmp_path_factory.mktemp("coco"))


@pytest.fixture(scope="module")
def dataset(root: Path) -> ManyObjects:
    return load(root=str(root))


@pytest.fixture(scope="module")
def coco(root: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(trees.json_of(root)))


def sample_of(dataset: ManyObjects, number: int) -> Sample:
    return next(sample for sample in dataset.samples if sample.image_id == image_id(number))


def only(sample: Sample, place: int) -> Sample:
    """With one of its objects."""
    objects = sample.objects
    assert objects is not None
    assert objects.masks is not None
    part = slice(place, place + 1)
    columns = objects.classes[part], objects.boxes[part], objects.difficult[part]
    return replace(sample, objects=Objects(*columns, objects.masks[part]))


def pixels(sample: Sample, *names: str) -> BoolArray:
    assert sample.size is not None
    return region(sample, [CLASSES.index(name) for name in names], *sample.size[::-1])


def test_each_objects_mask_is_that_of_pycocotools(dataset: ManyObjects, coco: Any) -> None:
    compared = 0
    for sample in dataset.samples:
        annotations = coco.imgToAnns[int(sample.image_id[-12:])]
        assert sample.objects is not None
        assert len(annotations) == len(sample.objects.classes) == len(sample.objects.masks or ())
        for place, annotation in enumerate(annotations):
            name = coco.cats[annotation["category_id"]]["name"]
            found = pixels(only(sample, place), name)
            np.testing.assert_array_equal(found, coco.annToMask(annotation) > 0)
            compared += int(found.any())
    assert compared == 6  # of seven objects one is too thin to hold a pixel


def test_a_classs_region_is_the_union_of_its_objects(dataset: ManyObjects, coco: Any) -> None:
    for sample in dataset.samples:
        for label in labelled(sample):
            own = trees.category(CLASSES[label])
            ids = coco.getAnnIds(imgIds=[int(sample.image_id[-12:])], catIds=[own])
            expected = np.any([coco.annToMask(each) for each in coco.loadAnns(ids)], axis=0)
            np.testing.assert_array_equal(pixels(sample, CLASSES[label]), expected)


def test_run_lengths_packed_or_not_are_the_pixels_that_were_drawn(dataset: ManyObjects) -> None:
    np.testing.assert_array_equal(pixels(sample_of(dataset, 139), "toothbrush"), trees.BRUSHES)
    np.testing.assert_array_equal(pixels(only(sample_of(dataset, 73), 0), "person"), trees.SPECTATORS)


def test_a_rectangle_between_pixels_is_those_pixels(dataset: ManyObjects) -> None:
    expected = trees.drawn(42, (25, 1, 35, 7))
    np.testing.assert_array_equal(pixels(only(sample_of(dataset, 42), 2), "cat"), expected)


def test_masks_and_not_boxes_are_the_region(dataset: ManyObjects) -> None:
    dog = pixels(sample_of(dataset, 42), "dog")
    assert not dog[3:29, 14:19].any()  # between its parts, inside its box
    assert dog[:, :12].any()
    assert dog[:, 22:].any()


def test_without_crowds_their_pixels_are_no_ones(root: Path, coco: Any) -> None:
    sample = sample_of(load(root=str(root), crowd="drop"), 73)
    [plain] = coco.getAnnIds(imgIds=[73], catIds=[trees.category("person")], iscrowd=False)
    np.testing.assert_array_equal(pixels(sample, "person"), coco.annToMask(coco.anns[plain]) > 0)


def test_masks_are_those_of_the_image_in_any_order_of_images(root: Path, dataset: ManyObjects) -> None:
    for order in range(3):
        for sample in load(root=str(root), order="stratified", seed=order).samples:
            number = int(sample.image_id[-12:])
            everything = [CLASSES[label] for label in labelled(sample)]
            found = pixels(sample, *everything)
            assert found.shape == SIZES[number][::-1]
            np.testing.assert_array_equal(found, pixels(sample_of(dataset, number), *everything))
