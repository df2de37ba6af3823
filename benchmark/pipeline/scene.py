"""The model, images and transform of a forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset, Transform
    from benchmark.core.types import Model, Sample
    from benchmark.pipeline.settings import RunSettings

_SHARDS = 100
LEAST, MOST = 16, 128
"""Images of a shard: few enough that a killed run loses little, and enough for a batch."""


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
        """Return fixed sets of images, as index ranges: about 100, of 16 to 128 images each."""
        count = len(self.dataset.samples)
        size = min(max(ceil(count / _SHARDS), LEAST), MOST)
        return [range(start, min(start + size, count)) for start in range(0, count, size)]

    def image_ids(self, shard: int) -> tuple[str, ...]:
        """Return the identifiers of a shard's images."""
        return tuple(self.dataset.samples[index].image_id for index in self.shards[shard])

    def batches(self, shard: int) -> Iterator[list[Sample]]:
        """Yield the batches of a shard; none crosses from one shard to the next."""
        indices, size = self.shards[shard], self.settings.batch_size
        for start in range(0, len(indices), size):
            yield [self.dataset.samples[index] for index in indices[start : start + size]]

    def prepare(self) -> None:
        """Move the model to the run's device, precision and memory format."""
        settings = self.settings
        self.model.module.to(device=settings.torch_device, dtype=settings.dtype)
        self.model.module.to(memory_format=settings.memory_format)
