"""Where an image has one class, images of several are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.small_scenes import Folder, folder

from benchmark.core.errors import UserError
from benchmark.core.types import Objects
from benchmark.datasets.multi_label import refuse_several_classes


def holding(path: Path, *classes: tuple[int, ...]) -> Folder:
    """Images with an object of each of the given classes, the last one of each image difficult."""
    plain = folder(path, len(classes))
    samples = []
    for sample, own in zip(plain.samples, classes, strict=True):
        boxes = np.tile(np.array([0, 0, 5, 5], np.int32), (len(own), 1))
        difficult = np.arange(len(own)) == len(own) - 1
        samples.append(replace(sample, objects=Objects(np.array(own, np.int32), boxes, difficult)))
    return replace(plain, samples=tuple(samples))


def test_images_of_several_classes_are_counted_difficult_objects_too(tmp_path: Path) -> None:
    message = r"dataset folder: 2 of 4 images hold objects of several classes.*experiment=pointing"
    with pytest.raises(UserError, match=message) as caught:
        refuse_several_classes(holding(tmp_path, (1, 2), (3,), (4, 4, 4), (5, 5, 0)))
    assert "\n" not in str(caught.value)


def test_images_of_one_class_are_taken_with_and_without_objects(tmp_path: Path) -> None:
    refuse_several_classes(holding(tmp_path, (1,), (2, 2)))
    refuse_several_classes(folder(tmp_path))
