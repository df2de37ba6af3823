"""Turn stored boxes into results. Needs neither images nor a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from benchmark.core.protocols import MadeElsewhere
from benchmark.core.types import Estimate, OpenRow, Records, Result
from benchmark.pipeline.results import conditions, files_of, first_line, unfinished, without_places
from benchmark.tasks.boxes.records import STORE, records_in

if TYPE_CHECKING:
    from benchmark.core.protocols import Metric
    from benchmark.pipeline.scene import Scene
    from benchmark.tasks.boxes.cell import BoxCell


def result(cell: BoxCell, metrics: Mapping[str, Metric]) -> Result | OpenRow:
    """Return what a cell's records say, or the open row that says how many of its shards are missing.

    Raises:
        UserError: If a stored file is damaged.
    """
    missing = unfinished(cell.row, [cell], STORE)
    if missing is not None:
        return missing
    shards = STORE.read(files_of(cell, STORE))
    records = records_in(shards)
    elsewhere = {"maps": cell.method.digest()} if isinstance(cell.method, MadeElsewhere) else {}
    return Result(
        row=cell.row,
        model=cell.scene.model.name,
        method=cell.method.name,
        localizer=cell.protocol,
        fingerprint=cell.fingerprint,
        metrics=estimates(records, metrics),
        counts=counts(cell.scene, records),
        conditions=conditions(cell.scene, shards.made) | {"protocol": first_line(cell.localizer)} | elsewhere,
        config=without_places(cell.scene, cell.config),
    )


def estimates(records: Records, metrics: Mapping[str, Metric]) -> dict[str, Estimate]:
    """Return all metrics' estimates by name."""
    return {name: value for metric in metrics.values() for name, value in metric(records).items()}


def counts(scene: Scene, records: Records) -> dict[str, int]:
    """Return what was expected, done and left out."""
    return {
        "expected": len(scene.dataset.samples),
        "skipped": len(records.skipped) + len(scene.dataset.skipped),
        **counted(records),
    }


def counted(records: Records) -> dict[str, int]:
    """Return the counts that follow from the records alone."""
    return {
        "done": len(records),
        "blacklisted": int(records.blacklisted.sum()),
        "maps": int(records.empty.size),
        "empty_maps": int(records.empty.sum()),
        "empty_label_maps": int(np.sum(records.label_empty)) if records.label_empty is not None else 0,
    }
