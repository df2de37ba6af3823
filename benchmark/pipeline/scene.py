"""The model, images and transform of a forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from benchmark.core.device import keep_freed_memory

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset, Transform
    from benchmark.core.types import Model, Sample
    from benchmark.pipeline.settings import RunSettings

_SHARDS, _COSTLY_SHARDS = 100, 1000
LEAST, MOST = 16, 64
"""Images of a shard: few enough that a killed run loses little, and enough for a batch."""


def shards_of(count: int, *, costly: bool = False) -> list[range]:
    """Return fixed sets of ``count`` images, as index ranges: about 100, of 16 to 64 images each.

    Where an image is costly, there are about 1000, of 1 to 16. Neither machine nor workers matter.
    """
    if costly:
        size = min(ceil(count / _COSTLY_SHARDS), LEAST)
    else:
        size = min(max(ceil(count / _SHARDS), LEAST), MOST)
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


@dataclass(frozen=True)
class Scene:
    """Model, images and transform of a forward pass, which the methods of all its cells share.

    Attributes:
        dataset: The images.
        model: The network.
        transform: Transform from an image to the model's input.
        settings: Settings of the computation.
        costly: Whether an image takes hundreds of forward passes, and shards are smaller.
    """

    dataset: Dataset
    model: Model
    transform: Transform
    settings: RunSettings
    costly: bool = False

    @property
    def shards(self) -> list[range]:
        """Return fixed sets of images, as index ranges."""
        return shards_of(len(self.dataset.samples), costly=self.costly)

    def images(self, shard: int) -> dict[str, int | None]:
        """Return the identifiers of a shard's images, each with the size of its file in bytes."""
        samples = (self.dataset.samples[index] for index in self.shards[shard])
        return {sample.image_id: sample.bytes for sample in samples}

    def batches(self, shard: int) -> Iterator[list[Sample]]:
        """Yield the batches of a shard; none crosses from one shard to the next."""
        indices, size = self.shards[shard], self.settings.batch_size
        for start in range(0, len(indices), size):
            yield [self.dataset.samples[index] for index in indices[start : start + size]]

    def prepare(self) -> None:
        """Move the model to the run's device, precision and memory format."""
        settings = self.settings
        if settings.torch_device.type == "cpu":
            keep_freed_memory()
        self.model.module.to(device=settings.torch_device, dtype=settings.dtype)
        self.model.module.to(memory_format=settings.memory_format)
