"""Turn batches into stored boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.stages import stage
from benchmark.pipeline.exhibits import Exhibit, Key, best_exhibit, chosen, holds_exhibits, write_exhibits
from benchmark.pipeline.explain import Explained, explain
from benchmark.pipeline.heatmap_store import (
    KEPT_SIDE,
    Heatmaps,
    heatmap_file,
    stored_heatmaps,
    write_heatmaps,
)
from benchmark.pipeline.journal import made_of
from benchmark.pipeline.results import files_of
from benchmark.pipeline.shard_loop import measure, refuse_unreadable
from benchmark.tasks.boxes.locate import Located, collect, locate, slots
from benchmark.tasks.boxes.records import STORE, columns_of, metadata_of, read_records

if TYPE_CHECKING:
    from benchmark.core.types import Records, Sample
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.recording import Shard
    from benchmark.pipeline.scene import Scene
    from benchmark.tasks.boxes.cell import BoxCell


class LocatedImage(NamedTuple):
    """The boxes and maps of one image.

    Attributes:
        located: Folder of a cell to its boxes.
        heatmaps: Folder of heatmaps to the image's own, where they are small enough to be stored.
        exhibits: Folder of heatmaps to the best class's, where a picture sheet may show the image.
    """

    located: Mapping[Path, Located]
    heatmaps: Mapping[Path, Heatmaps]
    exhibits: Mapping[Path, Mapping[Key, Exhibit]]


@dataclass
class _Pending:
    """A batch whose heatmaps are being copied to the host, or a shard whose heatmaps are stored."""

    cells: Sequence[BoxCell]
    samples: Sequence[Sample]
    source: Explained | Mapping[Path, Heatmaps]
    skipped: Mapping[str, str]
    exhibited: frozenset[str]
    by: Mapping[str, Any] = field(default_factory=dict)
    heatmaps: Mapping[Path, Heatmaps] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.samples)

    def wait(self) -> None:
        if isinstance(self.source, Explained):
            self.heatmaps = dict(zip(_methods(self.cells), self.source.fetch(), strict=True))
        else:
            self.heatmaps = self.source

    def image(self, number: int) -> LocatedImage:
        images = {folder: slots(heatmaps, number) for folder, heatmaps in self.heatmaps.items()}
        located = {}
        for cell in self.cells:
            try:
                with stage(cell.row):
                    found = locate(cell.localizer, self.samples[number], images[cell.heatmap_folder])
            except UserError as error:
                raise UserError(f"{cell.row}, {error}") from error
            located[cell.folder] = found
        made = self.heatmaps if isinstance(self.source, Explained) else {}
        small = {f: h.image(number) for f, h in made.items() if max(h.maps.shape[-2:]) <= KEPT_SIDE}
        shown = self.heatmaps if self.samples[number].image_id in self.exhibited else {}
        return LocatedImage(located, small, {f: best_exhibit(h.image(number)) for f, h in shown.items()})


@dataclass(frozen=True)
class BoxRecorder:
    """Makes the boxes of all cells of a scene: a :class:`benchmark.pipeline.recording.Recorder`."""

    scene: Scene
    store = STORE

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what cells share that share a forward pass: their scene."""
        return (id(self.scene),)

    @cached_property
    def _exhibited(self) -> frozenset[str]:
        return frozenset(sample.image_id for sample in chosen(self.scene.dataset.samples))

    def start(self, cells: Sequence[BoxCell], batch: Batch) -> _Pending:
        """Ask the device for the heatmaps of every method, without waiting for it."""
        explained = explain(self.scene, list(_methods(cells).values()), batch)
        return _Pending(cells, batch.samples, explained, {}, self._exhibited)

    def holds(self, cell: BoxCell, number: int) -> bool:
        """Return whether the maps of a shard that a picture sheet may show are there."""
        return holds_exhibits(cell.heatmap_folder, number, self._shown(number))

    def _shown(self, number: int) -> Set[str]:
        return self.scene.images(number).keys() & self._exhibited

    def restart(self, cell: BoxCell, number: int) -> _Pending | None:
        """Return a shard's stored heatmaps, ``None`` where there are none."""
        folder, complete = cell.heatmap_folder, self.scene.settings.unreadable == "error"
        heatmaps = stored_heatmaps(folder, number, self.scene.images(number), complete=complete)
        if heatmaps is None:
            return None
        samples = self.scene.dataset.samples
        by_id = {samples[index].image_id: samples[index] for index in self.scene.shards[number]}
        read = [by_id[image_id] for image_id in heatmaps.image_ids]
        maps_by = made_of(heatmap_file(folder, number)).by
        by = {key: maps_by[key] for key in ("device", "batch_size") if key in maps_by}
        return _Pending([cell], read, {folder: heatmaps}, heatmaps.skipped, self._exhibited, by)

    def write(self, cells: Sequence[BoxCell], shard: Shard[LocatedImage]) -> None:
        """Store a shard: heatmaps first, so that records never stand without what they were made of."""
        for folder in shard.images[0].heatmaps if shard.images else ():
            parts = [image.heatmaps[folder] for image in shard.images]
            joined = _joined(parts, shard.skipped, self.scene.images(shard.number))
            write_heatmaps(heatmap_file(folder, shard.number), joined, shard.made)
        for folder in _methods(cells) if self._shown(shard.number) else ():
            kept = [image.exhibits.get(folder, {}) for image in shard.images]
            write_exhibits(folder, shard.number, {key: one for found in kept for key, one in found.items()})
        for cell in cells:
            located = [image.located[cell.folder] for image in shard.images]
            records = collect(located, cell.localizer.grid, shard.skipped)
            STORE.write(cell.shard(shard.number), columns_of(records), metadata_of(records), shard.made)


def _methods(cells: Sequence[BoxCell]) -> dict[Path, Any]:
    """Return the methods of some cells, one for each folder of heatmaps."""
    return {cell.heatmap_folder: cell.method for cell in cells}


def _joined(
    parts: Sequence[Heatmaps], skipped: Mapping[str, str], images: Mapping[str, int | None]
) -> Heatmaps:
    return Heatmaps(
        image_ids=tuple(image for part in parts for image in part.image_ids),
        classes=np.concatenate([part.classes for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        maps=np.concatenate([part.maps for part in parts]),
        scales=np.concatenate([part.scales for part in parts]),
        views=tuple(view for part in parts for view in part.views),
        skipped=skipped,
        images=images,
    )


def records_of(cell: BoxCell) -> Records | None:
    """Return a cell's records, made from its stored heatmaps where only those are there; else ``None``."""
    numbers = range(len(cell.scene.shards))
    absent = [number for number in numbers if not STORE.holds(cell.shard(number))]
    if not all(heatmap_file(cell.heatmap_folder, number).exists() for number in absent):
        return None
    if absent:
        refuse_unreadable(measure(BoxRecorder(cell.scene), [cell]))
    return read_records(files_of(cell, STORE))
