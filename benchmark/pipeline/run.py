"""The expensive half: images to records, shard by shard, and nothing else.

For each shard only what is missing is made. Where a shard's heatmaps are stored, its boxes need no forward
pass; otherwise one forward pass of a batch serves every method. Boxes are made on threads while the device
works on the next batch.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic

import numpy as np

from benchmark.core import provenance
from benchmark.core.progress import Counter
from benchmark.core.protocols import Method
from benchmark.core.threads import threads
from benchmark.pipeline.cell import Cell, Scene
from benchmark.pipeline.explain import Batch, Explained, explain, prepare, read_batches
from benchmark.pipeline.shards import counter_of, missing
from benchmark.pipeline.store import (
    KEPT_SIDE,
    Heatmaps,
    Made,
    heatmap_file,
    read_heatmaps,
    record_file,
    write_heatmaps,
    write_records,
)
from benchmark.tasks.boxes.locate import Located, collect, locate, slots

_BATCHES_WAITING = 4  # of boxes still being made: enough to keep the threads busy, few enough for the memory


def measure(scene: Scene, cells: Sequence[Cell]) -> None:
    """Make this worker's missing shards of records.

    Raises:
        UserError: If an image cannot be read, or a method, model and dataset do not fit together.
    """
    lacking = missing(scene, cells, record_file)
    if not lacking:
        return
    counter = counter_of(scene, lacking)
    with counter, threads(scene.settings.thread_count) as pool:
        for number, of_shard in sorted(lacking.items()):
            stored = [cell for cell in of_shard if heatmap_file(cell.heatmap_folder, number).exists()]
            for cell in stored:
                _from_storage(scene, number, cell, pool)
                of_shard.remove(cell)
            if not of_shard:
                counter.add(len(scene.shards[number]))
        _from_images(scene, {n: c for n, c in lacking.items() if c}, pool, counter)


def _made(scene: Scene, began: float) -> Made:
    return Made(provenance.made_by(scene.settings.torch_device), monotonic() - began)


def _from_storage(scene: Scene, number: int, cell: Cell, pool: Executor) -> None:
    """Boxes of one shard from its stored heatmaps."""
    began = monotonic()
    heatmaps = read_heatmaps(heatmap_file(cell.heatmap_folder, number))
    by_id = {scene.dataset.samples[i].image_id: scene.dataset.samples[i] for i in scene.shards[number]}
    samples = [by_id[image_id] for image_id in heatmaps.image_ids]
    located = list(pool.map(partial(locate, cell), samples, slots(heatmaps)))
    records = collect(located, cell.localizer.grid, heatmaps.skipped)
    write_records(record_file(cell.folder, number), records, _made(scene, began))


@dataclass
class _OpenShard:
    """A shard in the making: its heatmaps, and its boxes on their way through the threads."""

    scene: Scene
    number: int
    cells: Sequence[Cell]
    images_left: int
    began: float = field(default_factory=monotonic)
    heatmaps: dict[Path, list[Heatmaps]] = field(default_factory=dict)
    boxes: dict[Path, list[Future[Located]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def take(self, batch: Batch, explained: Explained | None, pool: Executor) -> list[Future[Located]]:
        """Take in a batch's heatmaps and start to make their boxes."""
        started = []
        heatmaps_of = explained.fetch() if explained else []
        for folder, heatmaps in zip(_methods(self.cells), heatmaps_of, strict=False):
            if max(heatmaps.maps.shape[-2:]) <= KEPT_SIDE:
                self.heatmaps.setdefault(folder, []).append(heatmaps)
            for cell in (cell for cell in self.cells if cell.heatmap_folder == folder):
                futures = [
                    pool.submit(locate, cell, sample, image)
                    for sample, image in zip(batch.samples, slots(heatmaps), strict=True)
                ]
                self.boxes.setdefault(cell.folder, []).extend(futures)
                started += futures
        self.skipped.update(batch.skipped)
        self.images_left -= len(batch.samples) + len(batch.skipped)
        return started

    def close(self) -> None:
        """Write the shard: heatmaps first, so that records never stand without what they were made of."""
        for folder, parts in self.heatmaps.items():
            write_heatmaps(heatmap_file(folder, self.number), _join(parts, self.skipped))
        for cell in self.cells:
            located = [future.result() for future in self.boxes.get(cell.folder, [])]
            records = collect(located, cell.localizer.grid, self.skipped)
            write_records(record_file(cell.folder, self.number), records, _made(self.scene, self.began))


def _join(parts: Sequence[Heatmaps], skipped: Mapping[str, str]) -> Heatmaps:
    return Heatmaps(
        image_ids=tuple(image for part in parts for image in part.image_ids),
        classes=np.concatenate([part.classes for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        maps=np.concatenate([part.maps for part in parts]),
        scales=np.concatenate([part.scales for part in parts]),
        views=tuple(view for part in parts for view in part.views),
        skipped=skipped,
    )


def _from_images(scene: Scene, lacking: Mapping[int, list[Cell]], pool: Executor, counter: Counter) -> None:
    """Heatmaps and boxes of the given shards, by forward passes."""
    if not lacking:
        return
    prepare(scene.model, scene)
    batches = list(scene.batches(lacking))
    waiting: deque[tuple[_OpenShard, Batch, Explained | None]] = deque()
    busy: deque[list[Future[Located]]] = deque()
    shard: _OpenShard | None = None

    def finish_one() -> None:
        owner, batch, explained = waiting.popleft()
        busy.append(owner.take(batch, explained, pool))
        if len(busy) > _BATCHES_WAITING:
            for future in busy.popleft():
                future.result()
        if not owner.images_left:
            owner.close()
        counter.add(len(batch.samples) + len(batch.skipped))

    read = read_batches(scene, [samples for _, samples in batches], pool)
    for (number, _), batch in zip(batches, read, strict=True):
        if shard is None or shard.number != number:
            shard = _OpenShard(scene, number, lacking[number], len(scene.shards[number]))
        methods = list(_methods(lacking[number]).values())
        waiting.append((shard, batch, explain(scene, methods, batch) if batch.samples else None))
        if len(waiting) > 1:
            finish_one()
    while waiting:
        finish_one()


def _methods(cells: Sequence[Cell]) -> dict[Path, Method]:
    """The methods of these cells, one for each folder of heatmaps."""
    return {cell.heatmap_folder: cell.method for cell in cells}
