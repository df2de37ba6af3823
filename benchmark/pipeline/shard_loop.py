"""Turn images into stored records, shard by shard: the expensive half of every task.

For each shard only what is missing is made. Where a task can make it from what is stored, no network runs;
otherwise one forward pass of a batch serves every cell that lacks the shard. While the device works on the
next batch, threads finish the images of the last one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from benchmark.core import provenance
from benchmark.core.progress import Counter
from benchmark.pipeline.batches import Batch, read_batches
from benchmark.pipeline.cell import Cell
from benchmark.pipeline.store import Made, ShardStore

if TYPE_CHECKING:
    from benchmark.pipeline.scene import Scene

_BATCHES_WAITING = 4  # whose images are still being finished: enough to keep the threads busy

C = TypeVar("C", bound=Cell, contravariant=True)
"""A task's cells."""
F = TypeVar("F")
"""What a task makes of one image."""
F_co = TypeVar("F_co", covariant=True)


class Pending(Protocol[F_co]):
    """Images of a shard that are still being made, by the device or from stored heatmaps.

    Attributes:
        count: Number of images.
        skipped: Images that could not be read, each with the reason.
    """

    @property
    def count(self) -> int: ...  # noqa: D102 - attributes, described above
    @property
    def skipped(self) -> Mapping[str, str]: ...  # noqa: D102

    def wait(self) -> None:
        """Wait until everything has arrived on the host."""
        ...

    def image(self, number: int) -> F_co:
        """Finish one image, once all has arrived; safe to call from several threads."""
        ...


@dataclass(frozen=True)
class Shard(Generic[F]):
    """The content of one shard.

    Attributes:
        number: Number of the shard.
        images: The task's record of each image that could be read.
        skipped: Images that could not be read, each with the reason.
        made: Where and when it was made.
    """

    number: int
    images: Sequence[F]
    skipped: Mapping[str, str]
    made: Made


class Recorder(Protocol[C, F]):
    """A task's part of the loop: what it makes of the images of a scene.

    Attributes:
        scene: Images, model, transform.
        store: Store of the records.
        key: Cells of recorders with the same key share a forward pass.
    """

    @property
    def scene(self) -> Scene: ...  # noqa: D102 - attributes, described above
    @property
    def store(self) -> ShardStore: ...  # noqa: D102
    @property
    def key(self) -> tuple[Any, ...]: ...  # noqa: D102

    def start(self, cells: Sequence[C], batch: Batch) -> Pending[F]:
        """Ask the device for all that the cells need of a batch, without waiting for it.

        Raises:
            UserError: If a method, model and dataset do not fit together.
        """
        ...

    def restart(self, cell: C, number: int) -> Pending[F] | None:
        """Return a shard's images as they are stored, ``None`` where a forward pass is needed."""
        ...

    def write(self, cells: Sequence[C], shard: Shard[F]) -> None:
        """Store a shard, one file a cell."""
        ...


def measure(recorder: Recorder[C, F], cells: Sequence[C]) -> None:
    """Make this worker's missing shards of some cells.

    Raises:
        UserError: If an image cannot be read, or a method, model and dataset do not fit together.
    """
    scene = recorder.scene
    mine = range(scene.settings.worker, len(scene.shards), scene.settings.workers)
    lacking = {n: [c for c in cells if not recorder.store.file(c.folder, n).exists()] for n in mine}
    lacking = {number: some for number, some in lacking.items() if some}
    if not lacking:
        return
    total = sum(len(scene.shards[number]) for number in mine)
    left = sum(len(scene.shards[number]) for number in lacking)
    counter = Counter(scene.model.name, total, total - left)
    with counter:
        pool = ThreadPoolExecutor(scene.settings.thread_count)
        try:
            loop = _Loop(recorder, pool, counter)
            loop.from_images(loop.from_storage(lacking))
        finally:  # after an error or Ctrl-C, work that has not begun is cancelled
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass
class _OpenShard(Generic[C, F]):
    """A shard that is being made, with its images in the threads."""

    number: int
    cells: Sequence[C]
    images_left: int
    began: float = field(default_factory=monotonic)
    images: list[Future[F]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass
class _Loop(Generic[C, F]):
    recorder: Recorder[C, F]
    pool: Executor
    counter: Counter
    waiting: deque[tuple[_OpenShard[C, F], Batch, Pending[F] | None]] = field(default_factory=deque)
    busy: deque[list[Future[F]]] = field(default_factory=deque)

    def from_storage(self, lacking: Mapping[int, Sequence[C]]) -> dict[int, list[C]]:
        """Make what needs no forward pass; the rest, shard by shard, is returned."""
        rest: dict[int, list[C]] = {}
        for number, cells in sorted(lacking.items()):
            for cell in cells:
                pending = self.recorder.restart(cell, number)
                if pending is None:
                    rest.setdefault(number, []).append(cell)
                else:
                    shard = _OpenShard[C, F](number, [cell], pending.count, skipped=dict(pending.skipped))
                    shard.images = self._finishing(pending)
                    self._write(shard)
            if number not in rest:
                self.counter.add(len(self.recorder.scene.shards[number]))
        return rest

    def from_images(self, lacking: Mapping[int, Sequence[C]]) -> None:
        """Make the given shards by forward passes."""
        if not lacking:
            return
        scene = self.recorder.scene
        scene.prepare()
        batches = list(scene.batches(lacking))
        read = read_batches(scene, [samples for _, samples in batches], self.pool)
        shard: _OpenShard[C, F] | None = None
        for (number, _), batch in zip(batches, read, strict=True):
            if shard is None or shard.number != number:
                shard = _OpenShard(number, lacking[number], len(scene.shards[number]))
            self.waiting.append(
                (shard, batch, self.recorder.start(shard.cells, batch) if batch.samples else None)
            )
            if len(self.waiting) > 1:
                self._finish_one()
        while self.waiting:
            self._finish_one()

    def _finish_one(self) -> None:
        shard, batch, pending = self.waiting.popleft()
        started = self._finishing(pending) if pending is not None else []
        shard.images += started
        shard.skipped.update(batch.skipped)
        shard.images_left -= len(batch.samples) + len(batch.skipped)
        self.busy.append(started)
        if len(self.busy) > _BATCHES_WAITING:  # an error shows up soon, and memory stays bounded
            for future in self.busy.popleft():
                future.result()
        if not shard.images_left:
            self._write(shard)
        self.counter.add(len(batch.samples) + len(batch.skipped))

    def _finishing(self, pending: Pending[F]) -> list[Future[F]]:
        pending.wait()
        return [self.pool.submit(pending.image, number) for number in range(pending.count)]

    def _write(self, shard: _OpenShard[C, F]) -> None:
        images = [future.result() for future in shard.images]
        by = provenance.made_by(self.recorder.scene.settings.torch_device)
        made = Made(by, monotonic() - shard.began)
        self.recorder.write(shard.cells, Shard(shard.number, images, shard.skipped, made))
