"""The concepts of the embedded images: six bodies, four textures, four heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.core.options import Checked
from benchmark.core.types import Sample, View
from benchmark.datasets.embedded.classes import BODIES, HEADS, KINDS, TEXTURES
from benchmark.datasets.pixel_labels import read_pixel_labels
from benchmark.tasks.neurons.types import UNLABELLED, Concept, Labels, nearest

_BY_CATEGORY = {"body": BODIES, "texture": TEXTURES, "head": HEADS}
_HEAD = 3
"""Of the parts 0 none, 1 body, 2 the body's second colour, 3 head."""


@dataclass(frozen=True)
class EmbeddedConcepts(Checked, group="concepts"):
    """Bodies and textures cover an object's body, heads its head; distractors have theirs, too.

    Attributes:
        name: The choice's key in ``conf/concepts``.
    """

    name: str = "embedded"
    version = 1
    concepts = tuple(Concept(category, name) for category, names in _BY_CATEGORY.items() for name in names)

    def covers(self, sample: Sample) -> bool:
        """Return whether the image has both kinds of masks, as the embedded images have."""
        return {"classes", "parts"} <= set(sample.pixel_labels)

    def masks(self, sample: Sample, view: View, side: int) -> Mapping[str, Sequence[Labels]]:
        """Return one mask a category, made of each pixel's class and part.

        Raises:
            UserError: If a file cannot be read or is not of the image's size.
        """
        size = view.width, view.height
        classes = read_pixel_labels(sample.pixel_labels["classes"], size, len(KINDS)).astype(np.int32)
        parts = read_pixel_labels(sample.pixel_labels["parts"], size, _HEAD)
        found, first = {}, 0
        for category, names in _BY_CATEGORY.items():
            own = np.array([UNLABELLED, *(first + getattr(kind, category) for kind in KINDS)], np.int32)
            there = parts == _HEAD if category == "head" else (parts > 0) & (parts < _HEAD)
            found[category] = [nearest(np.where(there, own[classes], UNLABELLED), view, side)]
            first += len(names)
        return found
