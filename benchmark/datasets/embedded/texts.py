"""Questions about the embedded images, and captions of them; the answers are what the generator drew.

An image has three questions, "which body", "which texture" and "which head", and one caption, such as
"a striped disc with ball". Both are about the objects of its class; smaller ones of other classes distract.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Literal

import numpy as np

from benchmark.core.options import check
from benchmark.core.protocols import Dataset
from benchmark.core.targets import CAPTION, TextSample
from benchmark.core.types import Objects, Sample
from benchmark.datasets.embedded.classes import BODIES, HEADS, KINDS, TEXTURES, Kind
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.text_set import text_set

__all__ = ["load"]

_ANSWERS = (*BODIES, *TEXTURES, *HEADS)


def load(
    of: Dataset, texts: str, name: str, given: bool = True, limit: int | None = None, order: str = "id"
) -> ImageSet:
    """Make questions or captions of the embedded images.

    Args:
        of: The images.
        texts: ``questions``: targets are the 14 answers, and an id is ``IMAGE_qNUMBER``; or ``captions``:
            targets are the whole caption and its words that name something.
        name: Name of the results.
        given: Of captions: whether they come with the images, or the model makes its own.
        limit: Largest number of samples.
        order: As for every dataset.
    """
    check("dataset.texts", texts, Literal["questions", "captions"])
    check("dataset.given", given, bool)
    samples: list[TextSample] = []
    for sample in of.samples:
        kind = KINDS[sample.label]
        samples += _questions(sample, kind) if texts == "questions" else [_captioned(sample, kind, given)]
    classes = _ANSWERS if texts == "questions" else (CAPTION, *_ANSWERS)
    options: dict[str, Any] = {"limit": limit, "order": order}
    count = len(samples) if of.complete else None
    return text_set(name, classes, samples, "made of the embedded images", "texts 1", count, **options)


def _questions(sample: Sample, kind: Kind) -> Iterator[TextSample]:
    names = {"body": BODIES[kind.body], "texture": TEXTURES[kind.texture], "head": HEADS[kind.head]}
    for number, (part, answer) in enumerate(names.items()):
        known = {
            **_known(sample),
            "image_id": f"{sample.image_id}_q{number}",
            "label": _ANSWERS.index(answer),
        }
        yield TextSample(**known, text=f"which {part}?")


def _captioned(sample: Sample, kind: Kind, given: bool) -> TextSample:
    words = (TEXTURES[kind.texture], BODIES[kind.body], HEADS[kind.head])
    labels = [0, *(1 + _ANSWERS.index(word) for word in words)]
    count = len(sample.boxes)
    objects = Objects(
        np.repeat(np.array(labels, np.int32), count),
        np.tile(sample.boxes, (len(labels), 1)),
        np.zeros(len(labels) * count, np.bool_),
    )
    caption = f"a {words[0]} {words[1]} with {words[2]}" if given else ""
    known = {**_known(sample), "label": 0, "objects": objects}
    return TextSample(**known, text=caption)


def _known(sample: Sample) -> dict[str, Any]:
    return {each.name: getattr(sample, each.name) for each in fields(Sample)}
