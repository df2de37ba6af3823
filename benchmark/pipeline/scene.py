"""The model, images and transform of a forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset, Transform
    from benchmark.core.types import Model, Sample
    from benchmark.pipeline.settings import RunSettings

_SHARDS = 100


@dataclass(frozen=True)
class Scene:
    """Model, images and transform of a forward pass, which the methods of all its cells share.

    Attributes:
        dataset: The images.
        model: The network.
        transform: Transform from an image to the model's input.
        settings: Settings of the computation.
    """

    dataset: Dataset
    model: Model
    transform: Transform
    settings: RunSettings

    @property
    def shards(self) -> list[range]:
        """Return about 100 fixed sets of images, as index ranges; no batch crosses from one to the next."""
        count, batch = len(self.dataset.samples), self.settings.batch_size
        size = batch * max(1, ceil(count / (_SHARDS * batch)))
        return [range(start, min(start + size, count)) for start in range(0, count, size)]

    def batches(self, shards: Iterable[int]) -> Iterator[tuple[int, list[Sample]]]:
        """Yield the batches of the given shards, each with its shard's number."""
        for number in sorted(shards):
            indices = self.shards[number]
            for start in range(0, len(indices), self.settings.batch_size):
                batch = indices[start : start + self.settings.batch_size]
                yield number, [self.dataset.samples[i] for i in batch]

    def prepare(self) -> None:
        """Move the model to the run's device, precision and memory format."""
        settings = self.settings
        self.model.module.to(device=settings.torch_device, dtype=settings.dtype)
        self.model.module.to(memory_format=settings.memory_format)
