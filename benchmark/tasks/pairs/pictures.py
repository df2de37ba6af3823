"""The picture sheet of a table of pairs: a few images and classes with each row's map, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.core.code_hash import code_fingerprint
from benchmark.core.errors import UserError
from benchmark.core.masks import objects_of
from benchmark.core.targets import text_of
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
from benchmark.reporting.text import shown
from benchmark.tasks.pairs.comparison import family
from benchmark.tasks.pairs.recorder import exhibited
from benchmark.tasks.pairs.records import STORE, read_pairs
from benchmark.tasks.pairs.types import Answers, Illustrated, Pairs

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.core.types import ImageArray, Sample
    from benchmark.pipeline.cell import Cell
    from benchmark.reporting.table import Table
    from benchmark.tasks.pairs.plan import PairRow
    from benchmark.tasks.pairs.types import PairMetric

CLASSES = 3
"""Of an image, at most: labelled ones before others, then the network's best first."""


def pair_sheet(path: Path, table: Table, rows: Mapping[str, PairRow], count: int) -> list[Path]:
    """Make the picture sheet of a table of pairs, a PNG; the same bytes for the same pairs on one machine.

    A line is an image and a class: the image with its boxes, then the reference's map where the row has one,
    and each row's.

    Args:
        path: File to write. An existing file that shows the same is left as it is.
        table: The measured table.
        rows: All that can be measured, by name.
        count: Images on it, at most.

    Returns:
        Its path; nothing where no image is wanted, none can be read, or no row is finished.

    Raises:
        UserError: If a stored file is damaged, or the sheet cannot be written.
    """
    finished = [rows[result.row] for result in table.measured if result.row in rows]
    if not count or not finished:
        return []
    identity = {
        "table": [table.title, table.name, table.dataset.name],
        "rows": [row.row for row in finished],
        "cells": [[cell.fingerprint for cell in row.cells] for row in finished],
        "maps": [[len(exhibit_files(cell.folder)) for cell in row.cells] for row in finished],
        "metrics": [[repr(metric) for metric in row.metrics.values()] for row in finished],
        "code": code_fingerprint([metric for row in finished for metric in row.metrics.values()]),
        "count": count,
    }
    return sheet.make(path, identity, lambda: _content(table, finished, count))


@dataclass(frozen=True)
class _Maps:
    """One column: a method's pairs, those they are held against, and the maps that the run kept."""

    heading: tuple[str, str]
    pairs: Mapping[Key, Pairs]
    exhibits: Mapping[Key, Exhibit]
    metrics: Mapping[str, PairMetric] = field(default_factory=dict)
    classes: Sequence[str] = ()
    reference: Mapping[Key, Pairs] = field(default_factory=dict)

    @property
    def illustrated(self) -> list[Illustrated]:
        """Return the first metric that draws panels of its own, if there is one."""
        own: list[Illustrated] = [one for one in self.metrics.values() if isinstance(one, Illustrated)]
        return own[:1]


def _content(table: Table, finished: Sequence[PairRow], count: int) -> PictureSheet:
    first = finished[0]
    dataset = first.scene.dataset
    samples = chosen(exhibited(first.scene, first.question.policy), count)
    columns = _columns(finished, {sample.image_id for sample in samples})
    parts = [column for column in columns if column.illustrated]
    room = (sheet.COLUMNS - 1 - len(columns)) // len(parts) if parts else 0
    rows = tuple(
        (
            _image(dataset, sample, key, pixels),
            *(_map(column, sample, key, pixels) for column in columns),
            *(panel for column in parts for panel in _parts(column, key, pixels, room)),
        )
        for sample, pixels in readable(samples)
        for key in _keys(columns, sample.image_id)
    )
    images = len({panels[0].caption[1] for panels in rows})
    conditions = (
        f"{table.name}: {images} of {len(dataset.samples)} images of {dataset.name}, {HOW_CHOSEN} among "
        f"those that have pairs, with at most {CLASSES} classes each",
        "maps over what the network sees",
    )
    more = [
        (name, column.heading[1] if name else "")
        for column in parts
        for one in column.illustrated
        for name in one.headings(room)
    ]
    headings = (("image and class", ""), *(column.heading for column in columns), *more)
    return PictureSheet(table.title, conditions, headings, rows)


def _columns(rows: Sequence[PairRow], images: set[str]) -> list[_Maps]:
    """Make a column a row; those of one reference beside each other, that before them."""
    groups: dict[Path | None, list[PairRow]] = {}
    for row in rows:
        groups.setdefault(row.reference.folder if row.reference else None, []).append(row)
    found = []
    for members in groups.values():
        held: Mapping[Key, Pairs] = {}
        if (reference := members[0].reference) is not None:
            held = _stored(reference, images)
            heading = f"{reference.method.name} (reference)", _network(members[0])
            found.append(_Maps(heading, held, read_exhibits(reference.folder)))
        for row in members:
            pairs, maps = _stored(row.cell, images), read_exhibits(row.cell.folder)
            heading = row.cell.method.name, _network(row)
            found.append(_Maps(heading, pairs, maps, row.metrics, row.scene.dataset.class_names, held))
    return found


def _network(row: PairRow) -> str:
    return ", ".join(filter(None, (row.scene.model.name, family(row.row)[1])))


def _stored(cell: Cell, images: set[str]) -> dict[Key, Pairs]:
    """Read each pair of the given images by itself, copied: the others need not stay in memory."""
    every = read_pairs(files_of(cell, STORE))
    keys = zip(every.image_ids, every.columns["label"].tolist(), strict=True)
    return {
        key: Pairs(key[:1], {name: values[[row]] for name, values in every.columns.items()}, 1)
        for row, key in enumerate(keys)
        if key[0] in images
    }


def _keys(columns: Sequence[_Maps], image_id: str) -> list[Key]:
    """Choose an image's pairs that are shown, in order."""
    every = {key: one.columns for column in columns for key, one in column.pairs.items()}
    own = [key for key in every if key[0] == image_id]
    return sorted(own, key=lambda k: (not every[k]["labelled"][0], int(every[k]["rank"][0]), k))[:CLASSES]


def _image(dataset: Dataset, sample: Sample, key: Key, pixels: ImageArray) -> Panel:
    objects, name = objects_of(sample), dataset.class_names[key[1]].partition(",")[0]
    own = objects.classes == key[1]
    caption = (name, sample.image_id, *filter(None, [text_of(sample)]))
    return Panel(caption, pixels, truth=objects.boxes[own], others=objects.boxes[~own])


def _map(column: _Maps, sample: Sample, key: Key, pixels: ImageArray) -> Panel:
    pair, exhibit, objects = column.pairs.get(key), column.exhibits.get(key), objects_of(sample)
    if pair is None:
        return Panel(("class not chosen",))
    answers = Answers(pair, column.reference.get(key), column.classes)
    value, right = verdict(column.metrics, answers)
    peaked = "peak" in pair.columns and not pair.columns["constant"][0]
    return Panel(
        caption=tuple(filter(None, (where(pair), value))),
        pixels=pixels,
        heat=exhibit.shown() if exhibit else None,
        lost=exhibit is None,
        truth=objects.boxes[objects.classes == key[1]],
        peak=(int(pair.columns["peak"][0, 0]), int(pair.columns["peak"][0, 1])) if peaked else None,
        right=right,
    )


def _parts(column: _Maps, key: Key, pixels: ImageArray, room: int) -> list[Panel]:
    pair, exhibit = column.pairs.get(key), column.exhibits.get(key)
    if pair is None or exhibit is None:
        return [Panel()] * sum(len(one.headings(room)) for one in column.illustrated)
    return [panel for one in column.illustrated for panel in one.panels(pair, pixels, exhibit.view, room)]


def verdict(metrics: Mapping[str, PairMetric], answers: Answers) -> tuple[str, bool | None]:
    """Give what the table's first metric says of a single pair, and whether that is a hit.

    Nothing where the pair alone cannot answer it.
    """
    metric = next(iter(metrics.values()), None)
    if metric is None:
        return "", None
    try:
        statistic = metric(answers).get(name := metric.gives[0])
    except UserError:  # it answered the whole table: what this pair lacks is the others
        return "", None
    if statistic is None:
        return "", None
    value = float(statistic.reduce(statistic.values.mean(axis=0, keepdims=True))[0])
    if statistic.fraction:
        return f"{name}: {'hit' if value else 'miss'}", bool(value)
    return f"{name} {shown(name, value)}", None


def where(pair: Pairs) -> str:
    """Say where the peak of a single pair's map lies; nothing where that was not read off the map."""
    if "own_distance" not in pair.columns:
        return ""
    own, other = (float(pair.columns[f"{whose}_distance"][0]) for whose in ("own", "other"))
    if pair.columns["constant"][0]:
        return "constant map"
    if own == 0:
        return "peak on both" if other == 0 else "peak on the class"
    if other == 0:
        return "peak on another class"
    return f"peak {own:.0f} px beside" if np.isfinite(own) else "no object of the class"
