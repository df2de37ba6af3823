"""The objects of an image, their classes, and the mask of a class."""

from collections.abc import Sequence

import numpy as np
from pycocotools import mask

from benchmark.core.types import BoolArray, Objects, Sample


def objects_of(sample: Sample) -> Objects:
    """Return all objects of an image; without objects of its own, its boxes as objects of its label."""
    if sample.objects is not None:
        return sample.objects
    count = len(sample.boxes)
    return Objects(np.full(count, sample.label, np.int32), sample.boxes, np.zeros(count, np.bool_))


def labelled(sample: Sample, difficult: bool = False) -> list[int]:
    """Return the classes of an image, ascending; ``difficult`` adds those of difficult objects alone."""
    objects = objects_of(sample)
    kept = objects.classes[~objects.difficult | difficult]
    return sorted(set(kept.tolist()))


def region(sample: Sample, classes: Sequence[int], height: int, width: int) -> BoolArray:
    """Return the mask ``[height, width]`` of all objects of the given classes, in original pixels.

    An object's pixels are its own mask if the dataset has one, else its box. Difficult objects are included.
    """
    objects = objects_of(sample)
    pixels = np.zeros((height, width), np.bool_)
    for number in np.flatnonzero(np.isin(objects.classes, classes)):
        if objects.masks is None:
            x0, y0, x1, y1 = objects.boxes[number]
            pixels[y0:y1, x0:x1] = True
        else:
            pixels |= _decoded(objects, int(number))
    return pixels


def _decoded(objects: Objects, number: int) -> BoolArray:
    if objects.masks is None:
        raise ValueError("these objects have no masks")
    decoded: BoolArray = mask.decode(objects.masks[number]).astype(np.bool_)
    return decoded
