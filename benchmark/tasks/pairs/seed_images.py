"""The stored columns of the reading ``seeds``, image by image, and what seeds and labels are made of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.core.seeds import background, combined, foreground
from benchmark.core.types import FloatArray, ImageArray
from benchmark.tasks.pairs.statistics import column
from benchmark.tasks.pairs.types import Column, Pairs


@dataclass(frozen=True)
class SeedImage:
    """The stored pairs of one image, of the classes that it is known to hold.

    Attributes:
        image_id: The image.
        maps: ``[K, 41, 41]``, of each class.
        classes: ``[K]``, label + 1 of each.
        saliency: ``[41, 41]``, of the background.
        truth: ``[41, 41]``: 0, label + 1, 255 void.
        pixels: ``[41, 41, 3]``.
    """

    image_id: str
    maps: FloatArray
    classes: Column
    saliency: FloatArray
    truth: ImageArray
    pixels: ImageArray

    def seeds(self, share: float, behind: float) -> ImageArray:
        """Return the class of each cell, or 254, by SEC's rules with these two shares."""
        return combined(foreground(self.maps, share), self.classes, background(self.saliency, behind))

    @cached_property
    def relative(self) -> FloatArray:
        """Return each map as a share of its maximum, in [0, 1]; 0 where that is not above 0."""
        highest = self.maps.max(axis=(1, 2), keepdims=True)
        divided = np.divide(self.maps, highest, out=np.zeros_like(self.maps), where=highest > 0)
        positive: FloatArray = divided.clip(0, None)
        return positive

    def scores(self, share: float) -> FloatArray:
        """Return the score ``[K + 1, 41, 41]`` of background (``share`` everywhere) and classes."""
        behind = np.full((1, *self.truth.shape), share, np.float32)
        both: FloatArray = np.concatenate([behind, self.relative])
        return both

    def named(self, best: Column) -> ImageArray:
        """Return the class of each cell from its place among :meth:`scores`."""
        numbers: ImageArray = np.concatenate([[0], self.classes]).astype(np.uint8)[best]
        return numbers


def seed_images(pairs: Pairs) -> Iterator[SeedImage]:
    """Yield the images in stored order; pairs of classes that an image does not hold are left out.

    Raises:
        UserError: If the pairs lack the columns of the reading ``seeds``.
    """
    names = ("seed_map", "saliency", "seed_truth", "seed_image")
    maps, *shared = (column(pairs, name, "seeds") for name in names)
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(pairs.columns["labelled"]).tolist():
        rows.setdefault(pairs.image_ids[row], []).append(row)
    for image_id, own in rows.items():
        saliency, truth, pixels = (one[own[0]] for one in shared)
        yield SeedImage(image_id, maps[own], pairs.columns["label"][own] + 1, saliency, truth, pixels)
