"""Captions that name the classes of an image, such as "a person and a dog", of any dataset of objects."""

from dataclasses import fields
from typing import Any

import numpy as np

from benchmark.core.masks import labelled
from benchmark.core.options import check
from benchmark.core.protocols import Dataset
from benchmark.core.targets import CAPTION, TextSample
from benchmark.core.types import Objects, Sample
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.text_set import text_set


def load(
    of: Dataset,
    name: str,
    given: bool = True,
    limit: int | None = None,
    order: str = "id",
    root: str | None = None,
) -> ImageSet:
    """Make a caption of each image, the class whose boxes cover most first.

    Targets are the whole caption, whose boxes are those of all its classes, and each class's name as a word.
    Objects that are hard to recognise are named if no other of their class is there.

    Args:
        of: The images with their objects.
        name: Name of the results.
        given: Whether the captions come with the images, or the model makes its own.
        limit: Largest number of images.
        order: As for every dataset.
        root: The folder that a yaml hands to ``of``, so that it is named as for every dataset; not read here.
    """
    check("dataset.given", given, bool)
    words = [class_name.split(",")[0].strip().lower().replace(" ", "_") for class_name in of.class_names]
    samples = [_captioned(sample, words, given) for sample in of.samples]
    count = len(samples) if of.complete else None
    options: dict[str, Any] = {"limit": limit, "order": order}
    place = f"made of the classes of {of.name}"
    classes = (CAPTION, *words)
    return text_set(name, classes, samples, place, "class captions 1", count, of.skipped, **options)


def _captioned(sample: Sample, words: list[str], given: bool) -> TextSample:
    objects = sample.objects
    if objects is None:
        count = len(sample.boxes)
        objects = Objects(np.full(count, sample.label, np.int32), sample.boxes, np.zeros(count, np.bool_))
    held = labelled(sample) or labelled(sample, difficult=True)
    widths = (objects.boxes[:, 2:] - objects.boxes[:, :2]).astype(np.int64)
    areas = {label: int(widths[objects.classes == label].prod(1).sum()) for label in held}
    named = sorted(held, key=lambda label: (-areas[label], label))
    kept = np.isin(objects.classes, held)
    both = Objects(
        np.concatenate([np.zeros(int(kept.sum()), np.int32), objects.classes + 1]).astype(np.int32),
        np.concatenate([objects.boxes[kept], objects.boxes]),
        np.concatenate([objects.difficult[kept], objects.difficult]),
    )
    known: dict[str, Any] = {each.name: getattr(sample, each.name) for each in fields(Sample)}
    caption = " and ".join(f"a {words[label]}" for label in named) if given else ""
    return TextSample(**{**known, "label": 0, "objects": both}, text=caption)
