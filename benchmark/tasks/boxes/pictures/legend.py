"""What the marks on a sheet mean."""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import ImageDraw

from benchmark.tasks.boxes.pictures.text import font, width
from benchmark.tasks.boxes.pictures.tile import DARK, MARGIN, coloured, draw_dashes, draw_guess

INK, MUTED, RIGHT, WRONG = "#1b1b1b", "#6a6a6a", "#13702f", "#b3261e"
"""Colours of text: plain, secondary, of what is right and of what is wrong."""

_WIDE, _TALL, _BESIDE, _APART = 30, 14, 6, 24  # a swatch; between it and its text; between entries

Swatch = Callable[[ImageDraw.ImageDraw, int, int], None]


def places(start: int, end: int) -> Iterator[tuple[int, int, Swatch, str]]:
    """The entries between two x, each with its x, its line, its swatch and its text."""
    x, line = start, 0
    for swatch, text in _ENTRIES:
        wide = _WIDE + _BESIDE + width(text)
        if x > start and x + wide > end:
            x, line = start, line + 1
        yield x, line, swatch, text
        x += wide + _APART


def draw_entry(pen: ImageDraw.ImageDraw, at: tuple[int, int], swatch: Swatch, text: str) -> None:
    """A swatch and its text, from their top left on."""
    swatch(pen, *at)
    pen.text((at[0] + _WIDE + _BESIDE, at[1]), text, INK, font())


def _truth(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    frame = (x, y, x + _WIDE - 1, y + _TALL - 1)
    pen.rectangle(frame, fill=MARGIN, outline=DARK, width=2)
    draw_dashes(pen, frame)


def _guess(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    frame = (x, y, x + _WIDE - 1, y + _TALL - 1)
    pen.rectangle(frame, fill=MARGIN)
    draw_guess(pen, frame)


def _heat(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    for column, colour in enumerate(coloured(np.linspace(0, 1, _WIDE, dtype=np.float32))):
        red, green, blue = np.rint(colour).astype(int).tolist()
        pen.line((x + column, y, x + column, y + _TALL - 1), (red, green, blue))


def _verdict(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    pen.text((x + 2, y), "✓", RIGHT, font(bold=True))
    pen.text((x + 17, y), "✗", WRONG, font(bold=True))


_ENTRIES: tuple[tuple[Swatch, str], ...] = (
    (_truth, "ground truth"),
    (_guess, "box of the most probable class"),
    (_heat, "its heatmap, from 0 to the maximum"),
    (_verdict, "right where the class is the image's and IoU ≥ 0.5"),
)
