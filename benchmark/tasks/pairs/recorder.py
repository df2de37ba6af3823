"""Turn batches into stored pairs of image and class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.core.provenance import fingerprint
from benchmark.pipeline.exhibits import write_exhibits
from benchmark.tasks.pairs.ask import ImagePairs, PairColumns, PendingPairs, ask
from benchmark.tasks.pairs.exhibits import EXHIBIT, ExhibitReading, exhibited
from benchmark.tasks.pairs.records import STORE, columns_of, metadata_of
from benchmark.tasks.pairs.types import Column, Pairs

if TYPE_CHECKING:
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.cell import Cell
    from benchmark.pipeline.scene import Scene
    from benchmark.pipeline.shard_loop import Shard
    from benchmark.tasks.pairs.question import Question


@dataclass(frozen=True)
class PairRecorder:
    """Asks a scene's cells one question: a :class:`benchmark.pipeline.shard_loop.Recorder`."""

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

    def restart(self, cell: Cell, number: int) -> None:
        """Return ``None``: readings are made of maps as the network gave them, which are not stored."""

    def write(self, cells: Sequence[Cell], shard: Shard[ImagePairs]) -> None:
        """Store a shard, one file a cell; before it the maps for the picture sheet."""
        for number, cell in enumerate(cells):
            rows = [(image.image_id, row) for image in shard.images for row in image.pairs[number]]
            kept = [(image_id, row) for image_id, row in rows if EXHIBIT in row]
            exhibits = {(image_id, int(row["label"])): row[EXHIBIT] for image_id, row in kept}
            write_exhibits(cell.folder, shard.number, exhibits)
            pairs = Pairs(
                tuple(image_id for image_id, _ in rows),
                _stacked([row for _, row in rows]),
                len(shard.images),
                shard.skipped,
                sum(image.unknown for image in shard.images),
            )
            STORE.write(cell.folder, shard.number, columns_of(pairs), metadata_of(pairs), shard.made)


def _stacked(rows: Sequence[PairColumns]) -> dict[str, Column]:
    names = [name for name in (rows[0] if rows else ()) if name != EXHIBIT]
    return {name: np.stack([np.asarray(row[name]) for row in rows]) for name in names}
