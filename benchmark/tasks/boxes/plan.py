"""Plan a table of boxes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.core.protocols import MadeElsewhere
from benchmark.datasets.multi_label import refuse_several_classes
from benchmark.pipeline.class_order import refuse_top_k
from benchmark.pipeline.plan import Plan
from benchmark.tasks.boxes.cell import BoxCell, box_cell
from benchmark.tasks.boxes.recorder import BoxRecorder
from benchmark.tasks.boxes.records import STORE

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.pipeline.rows import Row
    from benchmark.pipeline.settings import RunSettings

GROUPS = ("dataset", "transform", "model", "method", "localizer", "metric", "run")
"""The config groups that make a row's numbers."""


def plan_of(
    dataset: Dataset,
    settings: RunSettings,
    runs: Path,
    rows: Iterable[Row],
    without_curve: Collection[str] = (),
) -> Plan[BoxCell]:
    """Plan rows that turn heatmaps into boxes.

    Args:
        dataset: The images of every row.
        settings: Settings of the computation.
        runs: Folder of the raw records.
        rows: Rows as configured.
        without_curve: Names of the rows of which nobody asks for boxes over thresholds. None are drawn,
            unless all of the row's records are stored with them.

    Raises:
        UserError: If an image holds objects of several classes, or the device cannot be used.
    """
    plan: Plan[BoxCell] = Plan(dataset, settings, runs, lambda _, cell: BoxRecorder(cell.scene))
    refuse_several_classes(dataset)

    def planned(row: Row) -> BoxCell:
        method, localizer = row.build("method"), row.build("localizer")  # before the costly model
        scene = plan.scenes.of(row, method)
        refuse_top_k(settings.top_k, scene.model, plan.scenes.outputs(scene.model))
        if isinstance(method, MadeElsewhere):
            method.check_images(dataset)
        else:
            method.check(scene.model)
        cell = box_cell(scene, row.name, method, localizer, row.numeric(GROUPS), runs, row.changes)
        return _bare(cell, runs) if row.name in without_curve else cell

    for row in rows:
        plan.add(row, planned)
    return plan


def _bare(cell: BoxCell, runs: Path) -> BoxCell:
    """Return the cell without its localizer's grid; as it is if it has no such option, or is complete."""
    options: dict[str, Any] = dict(cell.config["localizer"])
    complete = all(STORE.holds(cell.shard(number)) for number in range(len(cell.scene.shards)))
    if complete or not options.get("grid"):
        return cell
    localizer: Any = cell.localizer
    config = {**cell.config, "localizer": {**options, "grid": []}}
    return box_cell(
        cell.scene, cell.row, cell.method, replace(localizer, grid=()), config, runs, cell.changes
    )
