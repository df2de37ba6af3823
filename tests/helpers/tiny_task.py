"""A third task, as small as one can be: which share of the label's heatmap is positive.

It is what a task of one's own looks like: what is made of a batch, the columns of its records, its metric and
its table. Nothing in the package knows it; a yaml names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from benchmark.core.bootstrap import fractions
from benchmark.core.types import OpenRow, Result
from benchmark.pipeline.address import address
from benchmark.pipeline.batches import Batch
from benchmark.pipeline.cell import Cell
from benchmark.pipeline.explain import Explained, explain
from benchmark.pipeline.heatmap_store import Heatmaps
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.recording import Shard
from benchmark.pipeline.results import conditions, files_of, unfinished, without_places
from benchmark.pipeline.rows import Row
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.store import ShardStore, flat
from benchmark.tasks.task import Experiment, Outcome

STORE = ShardStore("shares", ())
GROUPS = ("dataset", "transform", "model", "method", "run")


def share(heatmaps: Heatmaps, number: int) -> float:
    """Return the share of positive cells in one image's map of the ground-truth class."""
    return float((heatmaps.maps[number, -1] > 0).mean())


@dataclass
class PendingShares:
    """A batch's heatmaps on their way to the host."""

    cells: Sequence[Cell]
    explained: Explained
    skipped: dict[str, str] = field(default_factory=dict)
    heatmaps: list[Heatmaps] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.explained.batch.samples)

    def wait(self) -> None:
        """Wait until everything has arrived on the host."""
        self.heatmaps = self.explained.fetch()

    def image(self, number: int) -> tuple[str, list[float]]:
        """Return an image's share for each cell."""
        return self.explained.batch.samples[number].image_id, [share(one, number) for one in self.heatmaps]


@dataclass(frozen=True)
class ShareRecorder:
    """Makes the shares of all cells of a scene."""

    scene: Scene
    store = STORE

    @property
    def key(self) -> tuple[Any, ...]:
        """Cells of one scene share a forward pass."""
        return (id(self.scene),)

    def start(self, cells: Sequence[Cell], batch: Batch) -> PendingShares:
        """Ask the device for the heatmaps of every method."""
        return PendingShares(cells, explain(self.scene, [cell.method for cell in cells], batch))

    def holds(self, cell: Cell, number: int) -> bool:
        """Nothing is stored beside the records."""
        return True

    def restart(self, cell: Cell, number: int) -> None:
        """Return ``None``: heatmaps are not stored."""

    def write(self, cells: Sequence[Cell], shard: Shard[tuple[str, list[float]]]) -> None:
        """Store a shard, one file a cell."""
        for place, cell in enumerate(cells):
            columns = {
                "image_id": pa.array([image for image, _ in shard.images], pa.string()),
                "share": pa.array([shares[place] for _, shares in shard.images], pa.float32()),
            }
            metadata = {"done": len(shard.images), "skipped": dict(shard.skipped)}
            STORE.write(cell.shard(shard.number), columns, metadata, shard.made)


@dataclass(frozen=True)
class ShareRow:
    """A row that can be measured."""

    row: Row
    cell: Cell

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All that the row needs."""
        return (self.cell,)

    def result(self, least: float) -> Result | OpenRow:
        """Return the share of images of whose map at least ``least`` is positive."""
        missing = unfinished(self.row.name, self.cells, STORE)
        if missing is not None:
            return missing
        shards, scene = STORE.read(files_of(self.cell, STORE)), self.cell.scene
        enough = flat(shards.table, "share", np.float32) >= least
        return Result(
            row=self.row.name,
            model=scene.model.name,
            method=self.cell.method.name,
            localizer=f"positive share, at least {least}",
            fingerprint=self.cell.fingerprint,
            metrics=fractions({"mostly_positive": enough}, resamples=100),
            counts={"expected": len(scene.dataset.samples), "done": shards.metadata["done"]},
            conditions=conditions(scene, shards.made),
            config=without_places(scene, self.row.numeric(GROUPS)),
        )


@dataclass(frozen=True)
class PositiveShares:
    """The task.

    Attributes:
        least: Share of positive cells, in [0, 1].
    """

    least: float = 0.5

    def check(self, words: Sequence[str]) -> None:
        """Accept every override."""

    def run(self, experiment: Experiment) -> Outcome:
        """Measure what is missing, and make the table from what is stored."""
        plan: Plan[ShareRow] = Plan(
            experiment.dataset,
            experiment.settings,
            experiment.runs,
            lambda _, cell: ShareRecorder(cell.scene),
        )

        def planned(row: Row) -> ShareRow:
            method, scene = row.build("method"), plan.scenes.of(row)
            method.check(scene.model)
            config = row.numeric(GROUPS)
            place = address(
                scene, method, config, plan.runs, name="share", options={}, code=[share, PendingShares]
            )
            return ShareRow(row, Cell(scene=scene, method=method, **place._asdict()))

        for row in experiment.rows:
            plan.add(row, planned)
        plan.refuse_nothing_to_measure()
        plan.measure()
        found = {name: row.result(self.least) for name, row in plan.rows.items()}
        table = experiment.tabulated(plan.in_order(found, [row.name for row in experiment.rows]))
        records = {row.row: STORE.merge(files_of(plan.rows[row.row].cell, STORE)) for row in table.measured}
        return Outcome(table, plan.dataset, records, lambda path: [])
