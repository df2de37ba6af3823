"""Datasets of images with a text each: the part that questions and captions share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.core.targets import TextSample, text_of
from benchmark.core.types import Sample
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.selection import Selection

NO_BOXES = np.zeros((0, 4), np.int32)
"""The boxes of an answer that nothing in the image is marked with."""


@dataclass(frozen=True)
class TextReport:
    """What was found.

    Attributes:
        place: Where the texts are from.
        texts: Number of them, before any selection.
        images: Number of images that they are about.
    """

    place: str
    texts: int
    images: int

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        return [f"texts       {self.texts} of {self.images} images, {self.place}"]


def text_set(
    name: str,
    classes: Sequence[str],
    samples: Sequence[TextSample],
    place: str,
    version: str,
    count: int | None,
    skipped: Mapping[str, str] | None = None,
    **options: Any,
) -> ImageSet:
    """Make a dataset of samples with a text each.

    Args:
        name: Name of its results.
        classes: Identifiers of the targets: answers, or words.
        samples: All of them, each with an id of its own.
        place: Where they are from, in words.
        version: Of what the samples are made by.
        count: Number of samples of the whole set; ``None`` if it is not an official one.
        skipped: Images that are left out, each with the reason.
        **options: See :class:`benchmark.datasets.selection.Selection`.

    Raises:
        UserError: If an option is out of its range, or a listed id is not there.
    """
    selection = Selection.parse(**options)
    by_id = {sample.image_id: sample for sample in samples}
    chosen = [by_id[each] for each in selection.wanted(by_id, f"is no text of {name}")]
    return ImageSet(
        name=name,
        classes=tuple(classes),
        class_names=tuple(classes),
        samples=selection.arrange(chosen),
        skipped=skipped or {},
        version=version,
        line=lambda sample: _line(sample, classes),
        report=TextReport(place, len(samples), len({sample.path for sample in samples})),
        count=count,
    )


def _line(sample: Sample, classes: Sequence[str]) -> str:
    """Return a sample's line for the fingerprint: id, file size, answer, text, and boxes of its targets."""
    if sample.objects is None:
        held = [(classes[sample.label], *box) for box in sample.boxes.tolist()]
    else:
        boxes = zip(sample.objects.classes.tolist(), sample.objects.boxes.tolist(), strict=True)
        held = [(classes[label], *box) for label, box in boxes]
    return f"{sample.image_id} {sample.bytes or 0} {classes[sample.label]} {text_of(sample)!r} {held}"
