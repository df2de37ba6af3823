"""The picture sheet of neuron names: units with the images that excite them most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.core.types import FloatArray, View
from benchmark.pipeline.exhibits import readable
from benchmark.reporting import sheet
from benchmark.reporting.sheet import Panel, PictureSheet
from benchmark.tasks.neurons.dissect import enlarged_maps

if TYPE_CHECKING:
    from benchmark.reporting.table import Table
    from benchmark.tasks.neurons.result import Dissected, Units

IMAGES = 6
"""Of a unit, those with the greatest maximum of its map."""


def unit_sheet(
    path: Path, table: Table, done: Mapping[str, Dissected], least: float, count: int
) -> list[Path]:
    """Make the picture sheet, a PNG; the same bytes for the same names on one machine.

    Args:
        path: File to write. An existing file that shows the same is left as it is.
        table: The measured table.
        done: Dissected rows by name.
        least: IoU that a name must exceed.
        count: Units on it of each row, at most, the best of as many different concepts.

    Returns:
        Its path; nothing where no unit is wanted or named.
    """
    if not count or not done:
        return []
    identity = {"table": [table.title, table.name], "least": least, "count": count}
    cells = {"cells": [[name, one.result.fingerprint] for name, one in done.items()]}
    return sheet.make(path, identity | cells, lambda: _content(table, done, least, count))


def _content(table: Table, done: Mapping[str, Dissected], least: float, count: int) -> PictureSheet:
    rows = tuple(
        _line(name, one.units, unit)
        for name, one in done.items()
        for unit in best_units(one.units, least, count)
    )
    conditions = (
        f"{table.name}: of each network the units with the best IoU above {least:g}, one a concept",
        f"the {IMAGES} images with the greatest maximum; bright where the unit is above its threshold",
    )
    headings = (("unit and name", ""), *((f"image {number + 1}", "") for number in range(1, IMAGES)))
    return PictureSheet(table.title, conditions, headings, rows)


def best_units(units: Units, least: float, count: int) -> list[int]:
    """Choose the units with the greatest IoU above ``least``, at most one for each concept."""
    named = sorted(units.names.above(least).items(), key=lambda pair: -pair[1].iou)
    first = {(name.category, name.concept): unit for unit, name in reversed(named)}
    chosen = set(first.values())
    return [unit for unit, _ in named if unit in chosen][:count]


def _line(row: str, units: Units, unit: int) -> tuple[Panel, ...]:
    maps, name = units.stored.maps[:, unit], units.names.best()[unit]
    places = np.argsort(-maps.max((1, 2)), kind="stable")[:IMAGES]
    texts = [(f"{row.partition('/')[0]} {unit}: {name.concept}", f"IoU {name.iou:.3f} ({name.category})")]
    return tuple(_panels(units, unit, places.tolist(), texts))


def _panels(units: Units, unit: int, places: Sequence[int], texts: Sequence[tuple[str, str]]) -> list[Panel]:
    panels = []
    for number, place in enumerate(places):
        for sample, pixels in readable([units.samples[place]]):
            heat = active_area(units.stored.maps[place, unit], units.stored.views[place], units.limits[unit])
            caption = texts[number] if number < len(texts) else (sample.image_id,)
            panels.append(Panel(caption, pixels, heat=heat))
    return panels


def active_area(unit_map: FloatArray, view: View, limit: float) -> FloatArray:
    """Return where a unit's map ``[h, w]`` is above its threshold: 1, else 0, ``[H, W]`` of the image."""
    x0, y0, x1, y1 = view.region
    area = np.zeros((view.height, view.width), np.float32)
    area[y0:y1, x0:x1] = enlarged_maps(unit_map[None], y1 - y0, x1 - x0)[0] > limit
    return area
