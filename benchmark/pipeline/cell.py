"""A cell of a table: one model, method and localizer on one dataset."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from benchmark.core.protocols import Dataset, Localizer, Method, Transform
from benchmark.core.types import Model, Sample
from benchmark.pipeline.settings import RunSettings

_SHARDS = 100


@dataclass(frozen=True)
class Scene:
    """What one forward pass is made of: the methods of every cell of a scene share it.

    Attributes:
        dataset: The images.
        model: The network.
        transform: How an image becomes its input.
        settings: How it is computed.
    """

    dataset: Dataset
    model: Model
    transform: Transform
    settings: RunSettings

    @property
    def shards(self) -> list[range]:
        """About 100 fixed sets of images, as index ranges; a batch never crosses from one to the next."""
        count, batch = len(self.dataset.samples), self.settings.batch_size
        size = batch * max(1, ceil(count / (_SHARDS * batch)))
        return [range(start, min(start + size, count)) for start in range(0, count, size)]

    def batches(self, shards: Iterable[int]) -> Iterator[tuple[int, list[Sample]]]:
        """The batches of the given shards, each with its shard's number."""
        for number in sorted(shards):
            indices = self.shards[number]
            for start in range(0, len(indices), self.settings.batch_size):
                batch = indices[start : start + self.settings.batch_size]
                yield number, [self.dataset.samples[i] for i in batch]


@dataclass(frozen=True)
class Recipe:
    """What a row adds to a scene.

    Attributes:
        row: The row's name.
        method: Makes the heatmaps.
        localizer: Makes the boxes.
        changes: Options of the localizer that differ from what its name stands for, as ``threshold=0.25``.
        config: The row's resolved configuration, plain.
    """

    row: str
    method: Method
    localizer: Localizer
    changes: tuple[str, ...]
    config: Mapping[str, Any]

    @property
    def protocol(self) -> str:
        """The box protocol by name and version, and what was changed in it."""
        return ", ".join([f"{self.localizer.name} v{self.localizer.version}", *self.changes])


@dataclass(frozen=True)
class Cell:
    """One row's recipe on a scene, and where it leaves what it makes.

    Attributes:
        recipe: The row's part.
        heatmap_folder: Holds the shards of heatmaps; shared by cells that differ in the localizer alone.
        folder: Holds the shards of records.
        fingerprint: sha256 of everything that can change a number of this cell.
    """

    recipe: Recipe
    heatmap_folder: Path
    folder: Path
    fingerprint: str

    @property
    def row(self) -> str:
        """The row's name."""
        return self.recipe.row

    @property
    def method(self) -> Method:
        """Makes the heatmaps."""
        return self.recipe.method

    @property
    def localizer(self) -> Localizer:
        """Makes the boxes."""
        return self.recipe.localizer
