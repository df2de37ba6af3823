"""The picture sheet of a table of boxes: a few images with each row's heatmap, box and verdict, as stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.core.boxes import iou, matches
from benchmark.core.types import Box, ImageArray, Records, Sample
from benchmark.pipeline.exhibits import (
    HOW_CHOSEN,
    Exhibit,
    Key,
    chosen,
    exhibit_files,
    read_exhibits,
    readable,
)
from benchmark.pipeline.results import files_of
from benchmark.reporting import sheet
from benchmark.reporting.sheet import Panel, PictureSheet
from benchmark.tasks.boxes.records import STORE, read_records

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.reporting.table import Table
    from benchmark.tasks.boxes.cell import BoxCell


def picture_sheet(path: Path, table: Table, cells: Mapping[str, BoxCell], count: int) -> list[Path]:
    """Make a table's picture sheet, a PNG; the same bytes for the same cells on one machine.

    Args:
        path: File to write. An existing file that shows the same is left as it is.
        table: Table made from the cells.
        cells: All that the experiment measures, by row; of one dataset.
        count: Images on it, at most.

    Returns:
        Its path; nothing where no image is wanted, none can be read, or a cell is not yet finished.

    Raises:
        UserError: If a stored file is damaged, or the sheet cannot be written.
    """
    rows = {result.row: result.localizer for result in table.measured if result.row in cells}
    if not count or not cells or len(rows) < len(cells):
        return []
    identity = {
        "table": [table.title, table.name, table.dataset.name],
        "rows": list(rows.items()),
        "cells": [cells[row].fingerprint for row in rows],
        "maps": [len(exhibit_files(cells[row].heatmap_folder)) for row in rows],
        "count": count,
    }
    return sheet.make(path, identity, lambda: _content(table, rows, cells, count))


def _content(table: Table, rows: Mapping[str, str], cells: Mapping[str, BoxCell], count: int) -> PictureSheet:
    dataset = next(iter(cells.values())).scene.dataset
    records = {row: read_records(files_of(cells[row], STORE)) for row in rows}
    maps = {row: read_exhibits(cells[row].heatmap_folder) for row in rows}
    recorded = set.intersection(*(set(entry.image_ids) for entry in records.values()))
    samples = [sample for sample in chosen(chosen(dataset.samples), count) if sample.image_id in recorded]
    panels = tuple(
        (
            Panel((_name(dataset, sample.label), sample.image_id), pixels, truth=sample.boxes),
            *(_prediction(dataset, sample, pixels, records[row], maps[row]) for row in rows),
        )
        for sample, pixels in readable(samples)
    )
    conditions = (
        f"{table.name}: {len(panels)} of {len(dataset.samples)} images of {dataset.name}, {HOW_CHOSEN}",
        "heatmap and box of the most probable class",
        "right (✓) where the class is the image's and IoU ≥ 0.5",
    )
    return PictureSheet(table.title, conditions, (("image and class", ""), *rows.items()), panels)


def _prediction(
    dataset: Dataset, sample: Sample, pixels: ImageArray, records: Records, maps: Mapping[Key, Exhibit]
) -> Panel:
    """Show what one row says of one image: the most probable class, that class's heatmap and box."""
    row = records.image_ids.index(sample.image_id)
    label, box, score = int(records.classes[row, 0]), records.boxes[row, 0], float(records.scores[row, 0])
    exhibit = maps.get((sample.image_id, label))
    known = label == sample.label
    lacks = "" if known else "wrong class, "
    empty = "empty map, " if records.empty[row, 0] else ""
    return Panel(
        caption=(
            _name(dataset, label) + ("" if math.isnan(score) else f" {100 * score:.0f} %"),
            f"{lacks}{empty}IoU {iou(box, sample.boxes).max(initial=0):.2f}",
        ),
        pixels=pixels,
        heat=exhibit.shown() if exhibit else None,
        lost=exhibit is None,
        truth=sample.boxes,
        box=Box(*box.tolist()),
        right=known and bool(matches(box, sample.boxes).any()),
    )


def _name(dataset: Dataset, label: int) -> str:
    """Give the first of a class's names; an output may be no class of the dataset."""
    return dataset.class_names[label].partition(",")[0] if label >= 0 else "another class"
