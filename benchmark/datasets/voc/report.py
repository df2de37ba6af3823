"""What was recognised of VOC: for the doctor and for a number's conditions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.datasets.voc.annotation import Annotation
from benchmark.datasets.voc.layout import Tree


@dataclass(frozen=True)
class Census:
    """Numbers of all that was read, before anything is dropped or cut.

    Attributes:
        images: Images.
        objects: Objects.
        difficult: Of them difficult.
        several: Images of more than one class.
        hard: Image-class pairs of which every object is difficult.
        pairs: Image-class pairs.
    """

    images: int
    objects: int
    difficult: int
    several: int
    hard: int
    pairs: int


def census(annotations: Iterable[Annotation]) -> Census:
    """Count what annotations hold."""
    found = [annotation.objects for annotation in annotations]
    every = [np.unique(each.classes) for each in found]
    plain = [np.unique(each.classes[~each.difficult]) for each in found]
    pairs = sum(map(len, every))
    return Census(
        images=len(found),
        objects=sum(len(each.classes) for each in found),
        difficult=sum(int(each.difficult.sum()) for each in found),
        several=sum(len(classes) > 1 for classes in every),
        hard=pairs - sum(map(len, plain)),
        pairs=pairs,
    )


@dataclass(frozen=True)
class VocReport:
    """What a dataset was read from.

    Attributes:
        tree: Where.
        official: Images of the official split; ``None`` where the split is a person's own.
        difficult: ``keep`` or ``drop``.
        census: Of the images asked for.
    """

    tree: Tree
    official: int | None
    difficult: str
    census: Census

    @property
    def image_count(self) -> int:
        """Images that the split's list names, before any choice."""
        return len(self.tree.ids)

    @property
    def told(self) -> dict[str, Any]:
        """For a number's conditions."""
        return {"split": self.tree.list.stem, "difficult_objects": self.difficult}

    def lines(self) -> list[str]:
        """The report as a person reads it."""
        tree, found = self.tree, self.census
        each, shared = (n / max(found.images, 1) for n in (found.pairs, found.several))
        lines = [
            f"folder      {tree.folder}",
            f"split       {tree.list.stem}: {self.image_count} images in {tree.list}",
            f"objects     {found.objects} in {found.images} images, {found.difficult} of them difficult "
            f"({'kept, flagged' if self.difficult == 'keep' else 'dropped'})",
            f"pairs       {found.pairs} of image and class, {each:.2f} an image; "
            f"{found.several} images ({shared:.0%}) have several, {found.hard} pairs difficult objects alone",
        ]
        if self.official is None:
            lines.append("official    this split is none of VOC's own")
        elif self.image_count < self.official:
            absent = self.official - self.image_count
            lines.append(f"incomplete  {absent} of the official {self.official} images are not in the list")
        return lines
