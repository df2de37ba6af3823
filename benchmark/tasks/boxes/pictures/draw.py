"""A picture sheet as pixels: a row of tiles for each row of the table, a column for each image."""

import math

from PIL import Image, ImageDraw

from benchmark.tasks.boxes.pictures import legend
from benchmark.tasks.boxes.pictures.sheet import Column, Guess, Sheet
from benchmark.tasks.boxes.pictures.text import LARGE, cut, font, width, wrapped
from benchmark.tasks.boxes.pictures.tile import SIDE, tile

_PAPER = "#ffffff"
_EDGE, _GAP, _LINE, _HEAD_LINE = (
    20,
    10,
    16,
    22,
)  # round the page, between tiles; lines under tiles, above them
_ACROSS, _DOWN = SIDE + _GAP, SIDE + 2 * _LINE + _GAP + 6
_LEAST_WIDTH, _MOST_LABEL = 460, 200

Said = tuple[str, str]
"""A text and its colour."""


def draw(sheet: Sheet) -> Image.Image:
    """The whole sheet, RGB."""
    labels = (("ground truth", "image and its boxes"), *sheet.rows)
    longest = max(max(width(name, bold=True), width(protocol)) for name, protocol in labels)
    left = _EDGE + min(longest, _MOST_LABEL) + 16
    wide = max(_LEAST_WIDTH, left + len(sheet.columns) * _ACROSS - _GAP + _EDGE)
    head = _head(sheet.title, wide)
    page = Image.new("RGB", (wide, head.height + len(labels) * _DOWN - _GAP + _EDGE), _PAPER)
    page.paste(head)
    for number, (name, protocol) in enumerate(labels):
        middle = head.height + number * _DOWN + SIDE // 2
        pen = ImageDraw.Draw(page)
        pen.text((_EDGE, middle - _LINE), cut(name, _MOST_LABEL, bold=True), legend.INK, font(bold=True))
        pen.text((_EDGE, middle + 2), cut(protocol, _MOST_LABEL), legend.MUTED, font())
    for number, column in enumerate(sheet.columns):
        _draw_column(page, (left + number * _ACROSS, head.height), column)
    return page


def verdict(guess: Guess) -> str:
    """Whether an image's best guess is right, and what it lacks."""
    overlap = f"{'empty map, ' * guess.empty}IoU {guess.iou:.2f}"
    if guess.right:
        return f"✓ {overlap}"
    return f"✗ {overlap}" if guess.known else f"✗ class ({overlap})"


def _head(title: str, wide: int) -> Image.Image:
    """Title and legend, as high as they need."""
    lines = wrapped(title, wide - 2 * _EDGE)
    entries = list(legend.places(_EDGE, wide - _EDGE))
    top = _EDGE + _HEAD_LINE * len(lines) + 6
    head = Image.new("RGB", (wide, top + _HEAD_LINE * (entries[-1][1] + 1) + 12), _PAPER)
    pen = ImageDraw.Draw(head)
    for number, text in enumerate(lines):
        pen.text((_EDGE, _EDGE + _HEAD_LINE * number), text, legend.INK, font(LARGE, bold=True))
    for x, line, swatch, text in entries:
        legend.draw_entry(pen, (x, top + _HEAD_LINE * line), swatch, text)
    return head


def _draw_column(page: Image.Image, at: tuple[int, int], column: Column) -> None:
    x, y = at
    page.paste(tile(column.pixels, column.truth), (x, y))
    _caption(page, (x, y), ((column.name, legend.INK), ("", "")), (column.image_id, legend.MUTED))
    for guess in column.guesses:
        y += _DOWN
        page.paste(tile(column.pixels, column.truth, guess.heat, guess.box), (x, y))
        share = "" if math.isnan(guess.score) else f" {100 * guess.score:.0f} %"
        named = ((guess.name, legend.INK), (share, legend.MUTED))
        _caption(page, (x, y), named, (verdict(guess), legend.RIGHT if guess.right else legend.WRONG))


def _caption(page: Image.Image, at: tuple[int, int], above: tuple[Said, Said], below: Said) -> None:
    """Two lines under a tile; the first one's beginning is cut to leave room for its end."""
    pen, (x, y) = ImageDraw.Draw(page), at
    (name, colour), (end, end_colour) = above
    shown = cut(name, SIDE - width(end))
    pen.text((x, y + SIDE + 3), shown, colour, font())
    pen.text((x + width(shown), y + SIDE + 3), end, end_colour or None, font())
    pen.text((x, y + SIDE + 3 + _LINE), cut(below[0], SIDE), below[1], font())
