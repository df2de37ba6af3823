"""Broden's concepts: colours, objects, parts, materials, scenes and textures (Bau et al., CVPR 2017)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.options import Checked
from benchmark.core.types import Sample, View
from benchmark.datasets.broden import BrodenTree, broden_tree
from benchmark.tasks.neurons.types import UNLABELLED, Concept, Labels, nearest


@dataclass(frozen=True)
class BrodenMasks(Checked, group="concepts"):
    """The labels in ``index.csv``: PNGs whose red + 256 green is a number of ``label.csv``, or numbers.

    Attributes:
        name: The choice's key in ``conf/concepts``.
        root: Broden's folder, the same as the dataset's.
        categories: Those to use; ``None`` for all of ``category.csv``.
    """

    name: str
    root: str | None
    categories: tuple[str, ...] | None = None
    version = 1

    @cached_property
    def tree(self) -> BrodenTree:
        """Return the folder's index."""
        return broden_tree(self.root)

    @cached_property
    def concepts(self) -> tuple[Concept, ...]:
        """Return all labels of the chosen categories.

        Raises:
            UserError: If there is no such category, or a list is damaged.
        """
        known = self.tree.numbers
        for category in self.categories or ():
            if category not in known:
                raise UserError(f"concepts.categories={category}: Broden has {', '.join(known)}")
        chosen = self.categories or tuple(known)
        names = [Concept(one, name) for one in chosen for name in known[one].values()]
        return tuple(dict.fromkeys(names))

    @cached_property
    def _lookup(self) -> dict[str, Labels]:
        """Return by category the concept of each number, :data:`UNLABELLED` for 0 and unknown ones."""
        place = {concept: index for index, concept in enumerate(self.concepts)}
        found = {}
        for category in {concept.category for concept in self.concepts}:
            numbers = self.tree.numbers[category]
            table = np.full(max(numbers) + 1, UNLABELLED, np.int32)
            for number, name in numbers.items():
                table[number] = place[Concept(category, name)]
            found[category] = table
        return found

    def _image(self, sample: Sample) -> str:
        return "" if sample.path is None else sample.path.relative_to(self.tree.root / "images").as_posix()

    def covers(self, sample: Sample) -> bool:
        """Return whether the image has labels of a chosen category."""
        return not self.tree.labels(self._image(sample)).keys().isdisjoint(self._lookup)

    def masks(self, sample: Sample, view: View, side: int) -> Mapping[str, Sequence[Labels]]:
        """Return the image's labels; a number in ``index.csv`` is that of the whole image.

        Raises:
            UserError: If a file cannot be read or holds a number that no ``c_*.csv`` names.
        """
        found = {}
        for category, channels in self.tree.labels(self._image(sample)).items():
            if category in self._lookup:
                found[category] = [self._labels(category, one, view, side) for one in channels]
        return found

    def _labels(self, category: str, channel: str, view: View, side: int) -> Labels:
        table = self._lookup[category]
        if channel.isdecimal():
            where, numbers = self.tree.root / "index.csv", np.array([[int(channel)]])
        else:
            where = self.tree.root / "images" / channel
            numbers = _numbers(where)
        if numbers.max() >= len(table):
            raise UserError(
                f"{where}: holds number {numbers.max()}, which c_{category}.csv does not name; "
                "unpack broden1_224.zip anew"
            )
        return nearest(table[numbers], view, side)


def _numbers(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), np.int64)
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); unpack broden1_224.zip anew") from error
    numbers: np.ndarray[tuple[int, int], np.dtype[np.int64]] = pixels[..., 0] + 256 * pixels[..., 1]
    return numbers
