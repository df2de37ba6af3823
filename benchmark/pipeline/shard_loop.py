"""Turn images into stored records, shard by shard: the expensive half of every task.

For each shard only what is missing is made. Where a task can make it from what is stored, no network runs;
otherwise one forward pass of a batch serves every cell that lacks the shard. While the device works on the
next batch, threads finish the images of the last one. Several processes share the shards of a run: each takes
the next one that nobody has finished or is making.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import tee
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Generic

from benchmark.core.claims import SILENCE, Claims, claim_file, sweep_claims
from benchmark.core.errors import UserError
from benchmark.core.progress import Counter
from benchmark.core.stages import all_stages, stage
from benchmark.pipeline.batches import Batch, read_batches
from benchmark.pipeline.fitting import Fitting
from benchmark.pipeline.journal import Made
from benchmark.pipeline.recording import C, F, Pending, Recorder, Shard

if TYPE_CHECKING:
    from benchmark.core.types import Sample

_BATCHES_WAITING = 4  # whose images are still being finished: enough to keep the threads busy
_SECONDS_BETWEEN_LOOKS = 2.0  # at what other processes have made


def measure(recorder: Recorder[C, F], cells: Sequence[C]) -> dict[str, str]:
    """Make the missing shards of some cells, or wait until another process has made them.

    Returns:
        Images that cannot be read, each with the reason, where ``run.unreadable`` is ``error``: their shards
        are not made.

    Raises:
        UserError: If a method, model and dataset do not fit together.
    """
    for cell in cells:
        sweep_claims(cell.folder)
    work = _Work(recorder, cells)
    if not work.lacking:
        return {}
    scene = recorder.scene
    total = len(scene.dataset.samples)
    counter = Counter(scene.model.name, total, total - sum(len(scene.shards[n]) for n in work.lacking))
    with counter, work.claims, all_stages():
        pool = ThreadPoolExecutor(scene.settings.thread_count)
        try:
            loop = _Loop(recorder, work, pool, counter)
            while work.lacking:
                loop.run()
                work.wait()
        finally:  # after an error or Ctrl-C, work that has not begun is cancelled
            pool.shutdown(wait=True, cancel_futures=True)
    return work.unreadable


def refuse_unreadable(images: Mapping[str, str]) -> None:
    """Refuse to go on to a table without some images, which the user may mend or leave out.

    Args:
        images: Images that cannot be read, each with the reason.

    Raises:
        UserError: If there is one.
    """
    if images:
        more = f" and {len(images) - 1} more images" if len(images) > 1 else ""
        raise UserError(
            f"{next(iter(images.values()))}{more}; all other shards are made: mend it, or leave such images "
            "out, counted, with run.unreadable=skip"
        )


@dataclass
class _Work(Generic[C, F]):
    """The shards that this process may still make.

    Attributes:
        recorder: A task's part.
        cells: All cells.
        lacking: Number of a shard to the cells that lack it, in the order in which they are tried.
        unreadable: Images that cannot be read, each with the reason.
        claims: What this process is making.
    """

    recorder: Recorder[C, F]
    cells: Sequence[C]
    lacking: dict[int, list[C]] = field(init=False)
    unreadable: dict[str, str] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)
    _told: bool = False

    def __post_init__(self) -> None:
        settings, count = self.recorder.scene.settings, len(self.recorder.scene.shards)
        start = count * settings.worker // settings.workers
        order = [*range(start, count), *range(start)]
        lacking = {number: self._lacking(number, self.cells) for number in order}
        self.lacking = {number: cells for number, cells in lacking.items() if cells}

    def _lacking(self, number: int, cells: Sequence[C]) -> list[C]:
        recorder, complete = self.recorder, self.recorder.scene.settings.unreadable == "error"
        return [
            cell
            for cell in cells
            if not recorder.store.holds(cell.shard(number), complete=complete)
            or not recorder.holds(cell, number)
        ]

    def claimed(self) -> Iterator[tuple[int, list[C]]]:
        """Claim shard after shard, each with the cells that lack it."""
        for number in list(self.lacking):
            if self.claims.take(self._claim(number)):
                cells = self._lacking(number, self.lacking[number])  # another process may have made it since
                if not cells:
                    self.close(number)
                yield number, cells
            elif not self._lacking(number, self.lacking[number]):
                del self.lacking[number]
                yield number, []

    def close(self, number: int, unreadable: Mapping[str, str] | None = None) -> None:
        """Give up the claim of a shard that is made, or whose images cannot all be read."""
        self.claims.give_up(self._claim(number))
        del self.lacking[number]
        for image, reason in (unreadable or {}).items():
            print(f"{reason}; its shard is left undone", file=sys.stderr)
            self.unreadable[image] = reason

    def wait(self) -> None:
        """Wait a little where all that is left is being made by other processes, and say by whom once."""
        makers = [who for number in self.lacking if (who := self.claims.holder(self._claim(number)))]
        if not makers or len(makers) < len(self.lacking):
            return  # some shard is made by now, or is free
        if not self._told:
            shards = "1 shard" if len(makers) == 1 else f"{len(makers)} shards"
            by = ", ".join(sorted(set(makers)))
            told = f"waiting for {shards} that other processes are making: {by}"
            void = f"what one makes that is not heard of for {SILENCE / 60:.0f} minutes is made here"
            print(f"{told}; {void}", file=sys.stderr)
            self._told = True
        sleep(_SECONDS_BETWEEN_LOOKS)

    def _claim(self, number: int) -> Path:
        """Return the file that claims a shard of all cells, in the folder of the first one."""
        return claim_file(self.cells[0].folder, self.recorder.store.name, number)


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
    work: _Work[C, F]
    pool: Executor
    counter: Counter
    waiting: deque[tuple[_OpenShard[C, F], Batch, Pending[F] | None]] = field(default_factory=deque)
    busy: deque[list[Future[F]]] = field(default_factory=deque)
    fitting: Fitting = field(init=False)
    prepared: bool = False

    def __post_init__(self) -> None:
        self.fitting = Fitting(self.recorder.scene)

    def run(self) -> None:
        """Make every shard that can be claimed."""
        ours, theirs = tee(self._batches())
        # Read on whatever cannot be read: what becomes of its shard is decided here.
        tolerant = replace(self.recorder.scene.settings, unreadable="skip")
        scene = replace(self.recorder.scene, settings=tolerant)
        read = read_batches(scene, (samples for _, samples in theirs), self.pool)
        for (shard, _), batch in zip(ours, read, strict=True):
            start = partial(self.recorder.start, shard.cells)
            for part, pending in self.fitting.started(batch, start, self._finish):
                self.waiting.append((shard, part, pending))
                self._finish(besides=1)
        self._finish()

    def _batches(self) -> Iterator[tuple[_OpenShard[C, F], list[Sample]]]:
        """Claim shards and yield the batches of those that need a forward pass."""
        scene = self.recorder.scene
        for number, cells in self.work.claimed():
            rest = self._from_storage(number, cells)
            if not rest:
                self.counter.add(len(scene.shards[number]))
                if cells:
                    self.work.close(number)
                continue
            if not self.prepared:
                scene.prepare()
                self.prepared = True
            shard: _OpenShard[C, F] = _OpenShard(number, rest, len(scene.shards[number]))
            yield from ((shard, samples) for samples in scene.batches(number))

    def _from_storage(self, number: int, cells: Sequence[C]) -> list[C]:
        """Make a shard of the cells that need no forward pass for it; the others are returned."""
        rest = []
        for cell in cells:
            pending = self.recorder.restart(cell, number)
            if pending is None:
                rest.append(cell)
            else:
                shard: _OpenShard[C, F] = _OpenShard(
                    number, [cell], pending.count, skipped=dict(pending.skipped)
                )
                shard.images = self._finishing(pending)
                self._write(shard, pending.by)
        return rest

    def _finish(self, besides: int = 0) -> None:
        while len(self.waiting) > besides:
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
            left_undone = shard.skipped if self.recorder.scene.settings.unreadable == "error" else {}
            if not left_undone:
                self._write(shard)
            self.work.close(shard.number, left_undone)
        self.counter.add(len(batch.samples) + len(batch.skipped))

    def _finishing(self, pending: Pending[F]) -> list[Future[F]]:
        pending.wait()

        def finished(number: int) -> F:
            with stage(self.recorder.scene.model.name):
                return pending.image(number)

        return [self.pool.submit(finished, number) for number in range(pending.count)]

    def _write(self, shard: _OpenShard[C, F], maps_by: Mapping[str, Any] | None = None) -> None:
        images = [future.result() for future in shard.images]
        settings = replace(self.recorder.scene.settings, batch_size=self.fitting.size)
        by = {**settings.made_by(), **(maps_by or {})}
        made = Made(by, monotonic() - shard.began)
        with stage(self.recorder.scene.model.name), stage("store"):
            self.recorder.write(shard.cells, Shard(shard.number, images, shard.skipped, made))
