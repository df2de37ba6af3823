"""Finished tables of boxes with records, made without a network: random boxes, and all that a run writes."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmark.core.types import Records, Result
from benchmark.metrics.classification import Classification
from benchmark.metrics.localization import Localization
from benchmark.metrics.max_box_acc import MaxBoxAcc
from benchmark.pipeline.cell import ShardKey
from benchmark.pipeline.journal import Made
from benchmark.reporting.archive import Archived, read_table, write_table
from benchmark.reporting.manifest import Commands, write_manifest
from benchmark.reporting.published import load
from benchmark.reporting.render import write_all
from benchmark.reporting.table import Table
from benchmark.tasks.boxes.comparison import verdict
from benchmark.tasks.boxes.records import STORE, columns_of, metadata_of
from benchmark.tasks.boxes.result import counted, estimates
from helpers.handmade import result, table
from helpers.random_records import make

METRICS: dict[str, Any] = {
    "classification": Classification(resamples=200),
    "localization": Localization(resamples=200),
    "max_box_acc": MaxBoxAcc(resamples=50),
}
ROWS = ("a/cam", "b/cam")


def stored_table(
    folder: Path, *, seed: int = 0, shards: int = 2, options: dict[str, Any] | None = None, **columns: Any
) -> Path:
    """Write a table of two rows of 60 random images each, with records, manifest and files; return its json.

    Args:
        folder: The results folder.
        seed: Of the boxes.
        shards: Number of shards of a row.
        options: Options of the localizer.
        **columns: Columns of the records of both rows.
    """
    found, places, drawn = dict[str, Result](), {}, dict[str, Records]()
    for number, row in enumerate(ROWS):
        records = drawn[row] = filled(make(seed + number, **columns))
        cell = folder / "runs" / f"{row.replace('/', '-')}-0{number}" / f"max_box-{seed:02d}"
        for shard, part in enumerate(np.array_split(np.arange(len(records)), shards)):
            own = subset(records, part)
            key = ShardKey(cell, "a run", shard, dict.fromkeys(own.image_ids))
            STORE.write(key, columns_of(own), metadata_of(own), Made({}, 0.0))
        merged = STORE.merge([STORE.file(cell, shard) for shard in range(shards)])
        places[row] = merged.relative_to(folder).as_posix()
        one = result(row, estimates(records, METRICS), fingerprint=f"{seed}{number}" * 32)
        nodes = {name: {"_target_": target(metric), **vars(metric)} for name, metric in METRICS.items()}
        localizer = {"name": "max_box", "threshold": 0.15, **(options or {})}
        config = {**one.config, "metric": nodes, "localizer": localizer}
        found[row] = Result(**(vars(one) | {"config": config, "counts": {**one.counts, **counted(records)}}))
    checked = verdict(*ROWS, (drawn["a/cam"], drawn["b/cam"]), "float32")
    made: Table = table(*found.values(), published=None, checks=(checked,))
    archive = write_table(folder / "data", Archived(made, None, places))
    archived = read_table(archive, load)  # as a run does: what is rendered is what is on disk
    write_all(archived.table, archive.parent, made.name)
    write_manifest(archive, archived, None, Commands("./scripts/run experiment=small", {}))
    return archive


def target(metric: object) -> str:
    return f"{type(metric).__module__}.{type(metric).__name__}"


def filled(records: Records) -> Records:
    """With the columns of the ground-truth class that a store of records has."""
    n = len(records)
    more = {"label_peaks": np.zeros((n, 2), np.int32), "label_empty": np.zeros(n, np.bool_)}
    return Records(**(vars(records) | more))


def subset(records: Records, rows: Any) -> Records:
    """Some images of records, in ascending order."""
    kept = np.isin(records.owner, rows)
    of_images = {
        name: value[rows]
        for name, value in vars(records).items()
        if isinstance(value, np.ndarray) and name not in ("truth", "owner")
    }
    owner = np.searchsorted(rows, records.owner[kept]).astype(np.int32)
    ids = tuple(records.image_ids[row] for row in rows)
    return Records(
        **(vars(records) | of_images | {"image_ids": ids, "truth": records.truth[kept], "owner": owner})
    )
