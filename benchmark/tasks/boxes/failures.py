"""The picture sheet of failures: misclassified images, each with the predicted and the true class's map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.core.boxes import iou
from benchmark.core.types import Box, FloatArray, ImageArray, IntArray, Records, Sample
from benchmark.metrics.common.anatomy import KINDS, anatomy
from benchmark.pipeline.exhibits import exhibit, readable
from benchmark.pipeline.heatmap_store import heatmap_file, read_heatmaps
from benchmark.pipeline.results import files_of
from benchmark.reporting import sheet
from benchmark.reporting.sheet import Panel, PictureSheet
from benchmark.tasks.boxes.records import STORE, read_records

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.reporting.table import Table
    from benchmark.tasks.boxes.cell import BoxCell


def failure_sheet(path: Path, table: Table, cells: Mapping[str, BoxCell], count: int) -> list[Path]:
    """Make the sheet of the images that a table's first finished row misclassifies, a PNG.

    A line is an image; each row shows the most probable class's map and box, then those of the class that is
    there. Maps are those that the run stored, of at most 28 x 28 cells; of larger ones the boxes alone.

    Args:
        path: File to write. An existing file that shows the same is left as it is.
        table: Table made from the cells.
        cells: All that the experiment measures, by row; of one dataset.
        count: Images on it, at most, spread evenly over the misclassified ones.

    Returns:
        Its path; nothing where no image is wanted, none is misclassified, or no row is finished.

    Raises:
        UserError: If a stored file is damaged, or the sheet cannot be written.
    """
    rows = {result.row: result.localizer for result in table.measured if result.row in cells}
    if not count or not rows:
        return []
    identity = {
        "table": [table.title, table.name, table.dataset.name],
        "rows": list(rows.items()),
        "cells": [cells[row].fingerprint for row in rows],
        "maps": [len([*cells[row].heatmap_folder.glob("heatmaps-*.npz")]) for row in rows],
        "count": count,
        "kind": "failures",
    }
    return sheet.make(path, identity, lambda: _content(table, rows, cells, count))


def _content(table: Table, rows: Mapping[str, str], cells: Mapping[str, BoxCell], count: int) -> PictureSheet:
    stored = {row: read_records(files_of(cells[row], STORE)) for row in rows}
    first = next(iter(rows))
    dataset, records = cells[first].scene.dataset, stored[first]
    wrong = [records.image_ids[place] for place in np.flatnonzero(_misclassified(records))]
    shown = [wrong[place * len(wrong) // min(count, len(wrong))] for place in range(min(count, len(wrong)))]
    samples = {sample.image_id: sample for sample in dataset.samples}
    panels = tuple(
        (
            Panel((_name(dataset, sample.label), sample.image_id), pixels, truth=sample.boxes),
            *(panel for row in rows for panel in _pair(cells[row], stored[row], sample, pixels)),
        )
        for sample, pixels in readable([samples[image_id] for image_id in shown])
    )
    conditions = (
        f"{table.name}: {len(panels)} of {len(wrong)} (of {len(records)}) images that {first} misclassifies, "
        "spread evenly over them",
        "of each row the map and box of the most probable class, then those of the class that is there",
        "right (✓) where a box overlaps an object by IoU ≥ 0.5, whatever its class",
    )
    headings = [("image and class", "")]
    for row in rows:
        headings += [(row, "predicted class"), (row, "class that is there")]
    return PictureSheet(table.title, conditions, tuple(headings), panels)


def _misclassified(records: Records) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    wrong: np.ndarray[tuple[int], np.dtype[np.bool_]] = records.classes[:, 0] != records.labels
    return wrong


class _Shown(NamedTuple):
    """What is shown of one map: its class in words, its box and kind of error, and itself if it is stored."""

    words: str
    kind: str
    box: IntArray
    heat: FloatArray | None


def _pair(cell: BoxCell, records: Records, sample: Sample, pixels: ImageArray) -> list[Panel]:
    """Return the panels of the most probable class and of the class that is there."""
    if sample.image_id not in records.image_ids:
        return [Panel(("not recorded",))] * 2
    place = records.image_ids.index(sample.image_id)
    dataset, heats = cell.scene.dataset, _heats(cell, sample)
    label, score = int(records.classes[place, 0]), float(records.scores[place, 0])
    chance = "" if math.isnan(score) else f" {100 * score:.0f} %"
    kinds = [KINDS[anatomy(records, of)[place]].replace("_", " ") for of in ("predicted", "label")]
    assert records.label_boxes is not None, "anatomy refuses records without them"
    boxes = records.boxes[place, 0].astype(np.int32), records.label_boxes[place]
    names = _name(dataset, label) + chance, _name(dataset, sample.label)
    return [
        _panel(_Shown(name, kind, box, heat), sample, pixels)
        for name, kind, box, heat in zip(names, kinds, boxes, heats, strict=True)
    ]


def _panel(shown: _Shown, sample: Sample, pixels: ImageArray) -> Panel:
    overlap = float(iou(shown.box, sample.boxes).max(initial=0))
    return Panel(
        caption=(shown.words, f"{shown.kind}, IoU {overlap:.2f}"),
        pixels=pixels,
        heat=shown.heat,
        lost=shown.heat is None,
        truth=sample.boxes,
        box=Box(*shown.box.tolist()),
        right=overlap >= 0.5,
    )


def _heats(cell: BoxCell, sample: Sample) -> Sequence[FloatArray | None]:
    """Return the stored maps of the most probable class and of the one that is there, in image pixels."""
    places = [
        number for number in range(len(cell.scene.shards)) if sample.image_id in cell.scene.images(number)
    ]
    path = heatmap_file(cell.heatmap_folder, places[0])
    if not path.exists():
        return None, None
    maps = read_heatmaps(path)
    own = maps.image(maps.image_ids.index(sample.image_id))
    return [exhibit(own.maps[0, [slot]], own.views[0]).shown() for slot in (0, -1)]


def _name(dataset: Dataset, label: int) -> str:
    """Give the first of a class's names; an output may be no class of the dataset."""
    return dataset.class_names[label].partition(",")[0] if label >= 0 else "another class"
