"""A report of what was found of VOC, for the doctor and for a number's conditions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.datasets.folders import ignored_lines
from benchmark.datasets.multi_label import official_lines
from benchmark.datasets.voc.annotation import VocAnnotation
from benchmark.datasets.voc.layout import Tree


@dataclass(frozen=True)
class VocCounts:
    """Counts of everything that was read, before any selection.

    Attributes:
        images: Number of images.
        objects: Number of objects.
        difficult: Number of difficult objects.
        several: Number of images with more than one class.
        hard: Number of pairs of image and class of which every object is difficult.
        pairs: Number of pairs of image and class.
    """

    images: int
    objects: int
    difficult: int
    several: int
    hard: int
    pairs: int


def count_objects(annotations: Iterable[VocAnnotation]) -> VocCounts:
    """Count images, objects and pairs in annotations."""
    found = [annotation.objects for annotation in annotations]
    every = [np.unique(each.classes) for each in found]
    plain = [np.unique(each.classes[~each.difficult]) for each in found]
    pairs = sum(map(len, every))
    return VocCounts(
        images=len(found),
        objects=sum(len(each.classes) for each in found),
        difficult=sum(int(each.difficult.sum()) for each in found),
        several=sum(len(classes) > 1 for classes in every),
        hard=pairs - sum(map(len, plain)),
        pairs=pairs,
    )


@dataclass(frozen=True)
class VocReport:
    """A report of what a dataset was read from.

    Attributes:
        tree: Folder and list of the split.
        official: Number of images of the official split; ``None`` if the split is the user's own.
        difficult: ``keep`` or ``drop``.
        counts: Counts over the listed images.
    """

    tree: Tree
    official: int | None
    difficult: str
    counts: VocCounts

    @property
    def image_count(self) -> int:
        """Return the number of images on the split's list, before any selection."""
        return len(self.tree.ids)

    @property
    def conditions(self) -> dict[str, Any]:
        """Return the conditions that every number is stored with."""
        return {"split": self.tree.list.stem, "difficult_objects": self.difficult}

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        tree, found = self.tree, self.counts
        each, shared = (n / max(found.images, 1) for n in (found.pairs, found.several))
        lines = [
            f"folder      {tree.folder}",
            f"split       {tree.list.stem}: {self.image_count} images in {tree.list}",
            f"objects     {found.objects} in {found.images} images, {found.difficult} of them difficult "
            f"({'kept, flagged' if self.difficult == 'keep' else 'dropped'})",
            f"pairs       {found.pairs} of image and class, {each:.2f} an image; "
            f"{found.several} images ({shared:.0%}) have several, {found.hard} pairs difficult objects alone",
        ]
        lines += official_lines(self.image_count, self.official, "VOC's", "in the list")
        return lines + ignored_lines(tree.images.ignored)
