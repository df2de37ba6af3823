"""Turn batches into stored pairs of image and class; keep the maps of a few images for the picture sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from benchmark.core.provenance import fingerprint
from benchmark.pipeline.exhibits import Exhibit, chosen, exhibit, holds_exhibits, write_exhibits
from benchmark.tasks.pairs.ask import ImagePairs, PairColumns, PendingPairs, ask
from benchmark.tasks.pairs.records import STORE, columns_of, metadata_of
from benchmark.tasks.pairs.types import Column, Pairs

if TYPE_CHECKING:
    from benchmark.core.types import FloatArray, ForwardPass, Model, Sample
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.cell import Cell
    from benchmark.pipeline.recording import Shard
    from benchmark.pipeline.scene import Scene
    from benchmark.tasks.pairs.ask import Question
    from benchmark.tasks.pairs.types import Asked, ClassPolicy, Pair

EXHIBIT = "exhibit"
"""The name of the reading and of its column."""


@runtime_checkable
class Coloured(Protocol):
    """A method that also offers its map in colours, before they are combined to one number a pixel."""

    def products(self, model: Model, forward: ForwardPass, classes: Tensor) -> Iterator[Tensor]:
        """Yield signed maps ``[N, 3, S, S]`` of each class, in the channel order of the network's input."""
        ...


def exhibited(scene: Scene, policy: ClassPolicy) -> list[Sample]:
    """Choose the images whose maps are kept, of those with a pair whatever the network says."""
    outputs = np.arange(len(scene.dataset.classes), dtype=np.int32)
    scores = torch.zeros(1, len(outputs))
    return chosen(scene.dataset.samples, fits=lambda one: bool((policy([one], outputs, scores) >= 0).any()))


@dataclass(frozen=True)
class ExhibitReading:
    """The map itself, of some images alone, in colours where its method has them.

    Beside the readings that were chosen, and not stored among their columns.

    Attributes:
        images: Identifiers of those images.
    """

    name = EXHIBIT
    version = 1
    images: frozenset[str]

    def check(self, model: Model) -> None:
        """Accept every model."""

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Make maps ``[N, K, C, h, w]``: C is 3, RGB, where the method has colours, else 1."""
        if not isinstance(asked.method, Coloured):
            return {EXHIBIT: asked.maps[:, :, None]}
        products = torch.stack(list(asked.method.products(asked.model, asked.forward, asked.classes)), 1)
        return {EXHIBIT: products.flip(2) if asked.model.input.order == "bgr" else products}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Exhibit]:
        """Make what is kept of one pair's map."""
        wanted = pair.sample.image_id in self.images
        return {EXHIBIT: exhibit(values[EXHIBIT], pair.view)} if wanted else {}


@dataclass(frozen=True)
class PairRecorder:
    """Asks a scene's cells one question: a :class:`benchmark.pipeline.recording.Recorder`."""

    scene: Scene
    question: Question
    store = STORE

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what cells share that share a forward pass: their scene and their question."""
        return id(self.scene), fingerprint(self.question.config)

    def start(self, cells: Sequence[Cell], batch: Batch) -> PendingPairs:
        """Ask the device for all readings of every method, without waiting for it."""
        methods, readings = [cell.method for cell in cells], self.question.readings
        if not self._exhibited.isdisjoint(sample.image_id for sample in batch.samples):
            readings = {**readings, EXHIBIT: ExhibitReading(self._exhibited)}
        return ask(self.scene, self.question.policy, readings, methods, batch)

    @cached_property
    def _exhibited(self) -> frozenset[str]:
        return frozenset(sample.image_id for sample in exhibited(self.scene, self.question.policy))

    def holds(self, cell: Cell, number: int) -> bool:
        """Return whether the maps of a shard that a picture sheet may show are there."""
        return holds_exhibits(cell.folder, number, self._shown(number))

    def _shown(self, number: int) -> Set[str]:
        return self.scene.images(number).keys() & self._exhibited

    def restart(self, cell: Cell, number: int) -> None:
        """Return ``None``: readings are made of maps as the network gave them, which are not stored."""

    def write(self, cells: Sequence[Cell], shard: Shard[ImagePairs]) -> None:
        """Store a shard, one file a cell; before it the maps for the picture sheet."""
        for number, cell in enumerate(cells):
            rows = [(image.image_id, row) for image in shard.images for row in image.pairs[number]]
            kept = [(image_id, row) for image_id, row in rows if EXHIBIT in row]
            exhibits = {(image_id, int(row["label"])): row[EXHIBIT] for image_id, row in kept}
            if self._shown(shard.number):
                write_exhibits(cell.folder, shard.number, exhibits)
            pairs = Pairs(
                tuple(image_id for image_id, _ in rows),
                _stacked([row for _, row in rows]),
                len(shard.images),
                shard.skipped,
                sum(image.unknown for image in shard.images),
            )
            STORE.write(cell.shard(shard.number), columns_of(pairs), metadata_of(pairs), shard.made)


def _stacked(rows: Sequence[PairColumns]) -> dict[str, Column]:
    names = [name for name in (rows[0] if rows else ()) if name != EXHIBIT]
    return {name: np.stack([np.asarray(row[name]) for row in rows]) for name in names}
