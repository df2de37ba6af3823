"""The expensive half: images to stored pairs, shard by shard, and nothing else.

For each shard only what is missing is made, by one forward pass of a batch for all methods that lack it. What
is read off the maps is finished on threads while the device works on the next batch.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from benchmark.core import provenance
from benchmark.core.progress import Counter
from benchmark.core.threads import threads
from benchmark.pipeline.cell import Scene
from benchmark.pipeline.explain import Batch, prepare, read_batches
from benchmark.pipeline.shards import counter_of, missing
from benchmark.pipeline.store import Made
from benchmark.tasks.pairs.cell import PairCell, Question
from benchmark.tasks.pairs.measure import Answered, Row, ask
from benchmark.tasks.pairs.store import pair_file, write_pairs
from benchmark.tasks.pairs.types import Pairs

_BATCHES_WAITING = 2  # of answers still being finished: enough to keep the threads busy


def measure(scene: Scene, question: Question, cells: Sequence[PairCell]) -> None:
    """Make this worker's missing shards of pairs.

    Raises:
        UserError: If an image cannot be read, or a method, model and dataset do not fit together.
    """
    lacking = missing(scene, cells, pair_file)
    if not lacking:
        return
    counter = counter_of(scene, lacking)
    with counter, threads(scene.settings.thread_count) as pool:
        prepare(scene.model, scene)
        _Loop(scene, question, lacking, pool, counter).run()


@dataclass
class _OpenShard:
    """A shard in the making: the rows of each of its cells on their way through the threads."""

    number: int
    cells: Sequence[PairCell]
    images_left: int
    began: float = field(default_factory=monotonic)
    images: list[tuple[str, Future[list[list[Row]]]]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unknown: int = 0

    def close(self, scene: Scene) -> None:
        """Write the shard, one file a cell."""
        finished = [(image_id, future.result()) for image_id, future in self.images]
        made = Made(provenance.made_by(scene.settings.torch_device), monotonic() - self.began)
        for number, cell in enumerate(self.cells):
            rows = [(image_id, row) for image_id, of_methods in finished for row in of_methods[number]]
            pairs = Pairs(
                tuple(image_id for image_id, _ in rows),
                _columns([row for _, row in rows]),
                len(finished),
                self.skipped,
                self.unknown,
            )
            write_pairs(pair_file(cell.folder, self.number), pairs, made)


def _columns(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    return {name: np.stack([np.asarray(row[name]) for row in rows]) for name in (rows[0] if rows else ())}


@dataclass
class _Loop:
    scene: Scene
    question: Question
    lacking: Mapping[int, list[PairCell]]
    pool: Executor
    counter: Counter
    waiting: deque[tuple[_OpenShard, Batch, Answered | None]] = field(default_factory=deque)
    busy: deque[list[Future[list[list[Row]]]]] = field(default_factory=deque)

    def run(self) -> None:
        batches = list(self.scene.batches(self.lacking))
        read = read_batches(self.scene, [samples for _, samples in batches], self.pool)
        shard: _OpenShard | None = None
        for (number, _), batch in zip(batches, read, strict=True):
            if shard is None or shard.number != number:
                shard = _OpenShard(number, self.lacking[number], len(self.scene.shards[number]))
            self.waiting.append((shard, batch, self._asked(shard, batch) if batch.samples else None))
            if len(self.waiting) > 1:
                self._finish_one()
        while self.waiting:
            self._finish_one()

    def _asked(self, shard: _OpenShard, batch: Batch) -> Answered:
        methods = [cell.method for cell in shard.cells]
        return ask(self.scene, self.question.policy, self.question.readings, methods, batch)

    def _finish_one(self) -> None:
        shard, batch, answered = self.waiting.popleft()
        started = answered.rows(self.question.readings, self.pool) if answered else []
        shard.unknown += answered.unknown() if answered else 0
        ids = (sample.image_id for sample in batch.samples)
        shard.images += zip(ids, started, strict=True)
        shard.skipped.update(batch.skipped)
        shard.images_left -= len(batch.samples) + len(batch.skipped)
        self.busy.append(started)
        if len(self.busy) > _BATCHES_WAITING:
            for future in self.busy.popleft():
                future.result()
        if not shard.images_left:
            shard.close(self.scene)
        self.counter.add(len(batch.samples) + len(batch.skipped))
