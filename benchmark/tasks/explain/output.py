"""The files that are written of explained images: one sheet, and each image's arrays and overlays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from benchmark.core.files import write_atomically
from benchmark.pipeline.names import file_name
from benchmark.reporting.sheet import Panel, PictureSheet, drawn

if TYPE_CHECKING:
    from benchmark.core.types import FloatArray, ImageArray
    from benchmark.tasks.explain.classes import Outputs
    from benchmark.tasks.explain.images import ExplainedImage

_LONGEST = 1600  # pixels of an overlay's longer side; a camera's image has several times as many
_ROWS = 48  # of the sheet
_HEAT, _BOX = "inferno", (86, 224, 255)  # as on the sheets


def write_files(folder: Path, name: str, one: ExplainedImage, outputs: Outputs) -> list[Path]:
    """Write an image's arrays and overlays, and return their paths."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **one.arrays(outputs))
    paths = [folder / f"{file_name(name)}.npz"]
    write_atomically(paths[0], buffer.getvalue())
    names = [outputs.short(output) for output in one.classes]
    for method in one.maps:
        for place, output in enumerate(one.classes):
            alike = names.count(names[place]) > 1  # ILSVRC has two cranes and two maillots
            label = file_name(names[place].replace(" ", "_") + (f"_{output}" if alike else ""))
            path = folder / f"{file_name(name)}-{method}-{label}.png"
            write_atomically(path, _overlay(one, method, place))
            paths.append(path)
    return paths


def sheet_row(one: ExplainedImage, outputs: Outputs) -> list[tuple[Panel, ...]]:
    """Return the sheet's rows of an image: one a class, one column a method."""
    small = _shrunk(one.pixels)
    rows = []
    for place, output in enumerate(one.classes):
        said = f"{outputs.short(output)} {100 * one.scores[place]:.0f} %"
        panels = [Panel((one.path.name, said), small)]
        for method in one.maps:
            box = one.boxes[method][place]
            scale = len(small) / len(one.pixels)
            shown = None if box is None else type(box)(*(round(scale * edge) for edge in box))
            told = "empty map, no box" if box is None else f"box {box.x0} {box.y0} {box.x1} {box.y1}"
            panels.append(Panel((said, told), small, _fitted(one.heat(method, place), small), box=shown))
        rows.append(tuple(panels))
    return rows


def write_sheet(
    path: Path, rows: Sequence[tuple[Panel, ...]], methods: Sequence[str], conditions: Sequence[str]
) -> int:
    """Write the sheet, and return how many rows it has no room for."""
    headings = (("image and class", ""), *((method, "") for method in methods))
    content = PictureSheet("Explained images", tuple(conditions), headings, tuple(rows[:_ROWS]))
    write_atomically(path, drawn(content, ""))
    return max(len(rows) - _ROWS, 0)


def _overlay(one: ExplainedImage, method: str, place: int) -> bytes:
    from matplotlib import colormaps

    pixels = _shrunk(one.pixels)
    share = _fitted(one.heat(method, place), pixels)
    colours = 255 * colormaps[_HEAT](share)[..., :3]
    opaque = (0.4 + 0.4 * share)[..., None]
    grey = (pixels @ np.array([0.299, 0.587, 0.114]))[..., None]
    picture = Image.fromarray((opaque * colours + (1 - opaque) * grey).round().astype(np.uint8))
    box = one.boxes[method][place]
    if box is not None:
        scale, width = len(pixels) / len(one.pixels), max(2, round(max(picture.size) / 200))
        x0, y0, x1, y1 = (scale * edge for edge in box)
        ImageDraw.Draw(picture).rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), None, _BOX, width)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _shrunk(pixels: ImageArray) -> ImageArray:
    longest = max(pixels.shape[:2])
    if longest <= _LONGEST:
        return pixels
    wide, high = (max(1, round(side * _LONGEST / longest)) for side in pixels.shape[1::-1])
    return np.array(Image.fromarray(pixels).resize((wide, high), Image.Resampling.BOX))


def _fitted(share: FloatArray, pixels: ImageArray) -> FloatArray:
    high, wide = pixels.shape[:2]
    if share.shape == (high, wide):
        return share
    return np.asarray(Image.fromarray(share).resize((wide, high), Image.Resampling.BILINEAR))
