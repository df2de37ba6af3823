"""A sheet of a few pairs of image and class, with each row's map: what a table of pairs is made of."""

from pathlib import Path

from benchmark.core import provenance
from benchmark.core.code_hash import code_fingerprint
from benchmark.tasks.boxes.pictures import gather as choice
from benchmark.tasks.boxes.pictures import legend, tile
from benchmark.tasks.boxes.pictures import png as stamp
from benchmark.tasks.boxes.pictures import text as words
from benchmark.tasks.pairs.pictures import columns, draw, gather, page
from benchmark.tasks.pairs.pictures import overlay as marks
from benchmark.tasks.pairs.pictures.exhibit import Exhibit
from benchmark.tasks.pairs.plan import PairRow

ROWS = 8
"""On a sheet, at most: more would not be legible."""


def pair_sheet(path: Path, exhibit: Exhibit) -> list[Path]:
    """Make the picture sheet of a table of pairs, a PNG, from what is stored alone.

    A line a pair: the image with its boxes, the reference's map where the row has one, and each row's. The
    maps are the largest grids that the readings stored.

    Args:
        path: Where it goes. What is there and shows the same stays as it is.
        exhibit: Table, rows, number of images.

    Returns:
        Its path; nothing where no image is wanted, none can be read, no row is finished, or no grid stored.

    Raises:
        UserError: If a stored file is damaged, or the sheet cannot be written.
    """
    finished = exhibit.finished
    if not exhibit.count or not finished:
        return []
    shown = {name: finished[name] for name in list(finished)[:ROWS]}
    fingerprint = provenance.fingerprint(_identity(exhibit, shown))
    if stamp.stored(path) == fingerprint:
        return [path]
    across = columns.columns_of(shown)
    gathered = gather.gather(across, exhibit.count)
    if not gathered.lines:
        return []
    names = tuple((column.model, column.method) for column in across)
    title = _title(exhibit, gathered, [name for name in finished if name not in shown])
    stamp.write(path, draw.draw(page.Page(title, names, gathered.lines)), fingerprint)
    return [path]


def _identity(exhibit: Exhibit, shown: dict[str, PairRow]) -> dict[str, object]:
    """All that the sheet depends on; which images it shows follows from it."""
    metrics = [metric for row in shown.values() for metric in row.metrics.values()]
    own = [columns, draw, gather, page, choice, legend, marks, tile, words]
    return {
        "table": [exhibit.table.name, exhibit.table.dataset.name],
        "rows": list(exhibit.finished),
        "cells": [[cell.fingerprint for cell in row.cells] for row in shown.values()],
        "metrics": [{name: repr(metric) for name, metric in row.metrics.items()} for row in shown.values()],
        "count": exhibit.count,
        "code": code_fingerprint([*own, *metrics]),
        "packages": provenance.package_versions(("matplotlib", "pillow")),
    }


def _title(exhibit: Exhibit, gathered: gather.Gathered, left_out: list[str]) -> str:
    images = len({line.image_id for line in gathered.lines})
    parts = [
        f"{exhibit.table.name} on {exhibit.table.dataset.name}: {images} of {gathered.images} images that "
        f"were asked about, {choice.HOW_CHOSEN}, each with at most {gather.CLASSES} classes",
        f"maps as {gathered.grid} x {gathered.grid} averages",
        *([f"rows not shown: {', '.join(left_out)}"] if left_out else []),
    ]
    return "; ".join(parts)
