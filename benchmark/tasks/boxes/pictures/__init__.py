"""A sheet of a few images with each row's heatmap and box: what the numbers of a table are made of.

The file's text chunk ``fingerprint`` names all that it shows, so that an unchanged sheet is not made again.
"""

from pathlib import Path
from typing import Any

from benchmark.core import provenance
from benchmark.core.code_hash import code_fingerprint
from benchmark.core.errors import UserError
from benchmark.reporting.table import Table
from benchmark.tasks.boxes.pictures import draw, gather, legend, sheet, tile
from benchmark.tasks.boxes.pictures import png as stamp
from benchmark.tasks.boxes.pictures import text as words
from benchmark.tasks.boxes.pictures.gather import Cells
from benchmark.tasks.boxes.pictures.sheet import Sheet

__all__ = ["checked_count", "picture_sheet"]


def checked_count(pictures: Any) -> int:
    """The option ``pictures``: how many images a sheet shows.

    Raises:
        UserError: If it is no whole number from 0 on.
    """
    if type(pictures) is not int or pictures < 0:
        raise UserError(f"pictures={pictures}: give the number of images on the picture sheet, 0 for none")
    return pictures


def picture_sheet(path: Path, table: Table, cells: Cells, count: int) -> list[Path]:
    """Make a table's picture sheet, a PNG; the same bytes for the same cells on one machine.

    Args:
        path: Where it goes. What is there and shows the same stays as it is.
        table: Made from the cells.
        cells: All that the experiment measures.
        count: Images on it, at most.

    Returns:
        Its path; nothing where no image is wanted, none can be read, or a cell is not yet finished.

    Raises:
        UserError: If a stored file is damaged, or the sheet cannot be written.
    """
    rows = tuple((result.row, result.localizer) for result in table.measured if result.row in cells)
    if not count or not cells or len(rows) < len(cells):
        return []
    shown = {row: cells[row] for row, _ in rows}
    samples = next(iter(shown.values())).scene.dataset.samples
    indices = gather.chosen(samples, count)
    title = (
        f"{table.name} on {table.dataset.name}: {len(indices)} of {len(samples)} images, {gather.HOW_CHOSEN}"
    )
    identity = {
        "title": title,
        "rows": rows,
        "cells": [cell.fingerprint for cell in shown.values()],
        "images": [samples[index].image_id for index in indices],
        "code": code_fingerprint([draw, gather, legend, sheet, tile, words]),
        "packages": provenance.package_versions(("matplotlib", "pillow")),
    }
    fingerprint = provenance.fingerprint(identity)
    if stamp.stored(path) == fingerprint:
        return [path]
    columns = gather.gather(shown, indices)
    if not columns:
        return []
    stamp.write(path, draw.draw(Sheet(title, rows, columns)), fingerprint)
    return [path]
