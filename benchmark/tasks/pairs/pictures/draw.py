"""A sheet of pairs as pixels: a line of tiles for each pair, under its columns' names for each image."""

from itertools import groupby

from PIL import Image, ImageDraw

from benchmark.tasks.boxes.pictures.legend import INK, MUTED, RIGHT, WRONG
from benchmark.tasks.boxes.pictures.text import LARGE, cut, font, wrapped
from benchmark.tasks.boxes.pictures.tile import MARGIN, SIDE, tile
from benchmark.tasks.pairs.pictures.overlay import marked
from benchmark.tasks.pairs.pictures.page import Answer, Line, Page

_PAPER = "#ffffff"
_EDGE, _GAP, _LINE, _HEAD_LINE = 20, 10, 16, 22  # round the page, between tiles; lines of text
_ACROSS, _DOWN = SIDE + _GAP, SIDE + 2 * _LINE + _GAP
_NAMES = 2 * _LINE + 6  # of the columns, over each image
_LEAST_WIDTH = 640
_LEGEND = (
    "dashes: boxes of the class; blue: boxes of the image's other classes; pink: the map's peak.",
    "Heatmaps from 0 to their maximum, over what the network sees.",
)


def draw(page: Page) -> Image.Image:
    """The whole sheet, RGB."""
    wide = max(_LEAST_WIDTH, 2 * _EDGE + (len(page.columns) + 1) * _ACROSS - _GAP)
    title = wrapped(page.title, wide - 2 * _EDGE)
    blocks = [list(lines) for _, lines in groupby(page.lines, lambda line: line.image_id)]
    top = _EDGE + _HEAD_LINE * len(title) + _LINE * len(_LEGEND) + _GAP
    high = top + len(blocks) * _NAMES + len(page.lines) * _DOWN + _EDGE
    canvas = Image.new("RGB", (wide, high), _PAPER)
    pen = ImageDraw.Draw(canvas)
    for number, text in enumerate(title):
        pen.text((_EDGE, _EDGE + _HEAD_LINE * number), text, INK, font(LARGE, bold=True))
    for number, text in enumerate(_LEGEND):
        pen.text((_EDGE, _EDGE + _HEAD_LINE * len(title) + _LINE * number), text, MUTED, font())
    for lines in blocks:
        _draw_names(pen, top, page.columns)
        top += _NAMES
        for line in lines:
            _draw_line(canvas, top, line)
            top += _DOWN
    return canvas


def _draw_names(pen: ImageDraw.ImageDraw, y: int, columns: tuple[tuple[str, str], ...]) -> None:
    for number, (model, method) in enumerate((("", "image and class"), *columns)):
        x = _EDGE + number * _ACROSS
        pen.text((x, y), cut(model, SIDE), MUTED, font())
        pen.text((x, y + _LINE), cut(method, SIDE, bold=True), INK, font(bold=True))


def _draw_line(canvas: Image.Image, y: int, line: Line) -> None:
    size = line.pixels.shape[1], line.pixels.shape[0]
    shown = marked(tile(line.pixels, line.boxes), size, line.boxes, line.others)
    canvas.paste(shown, (_EDGE, y))
    _caption(canvas, (_EDGE, y), line.name, INK, line.image_id)
    for number, answer in enumerate(line.answers):
        at = (_EDGE + (number + 1) * _ACROSS, y)
        canvas.paste(_map(line, answer), at)
        if answer is not None:
            colour = INK if answer.right is None else RIGHT if answer.right else WRONG
            _caption(canvas, at, answer.value, colour, answer.place)
        else:
            _caption(canvas, at, "", INK, "not asked")


def _map(line: Line, answer: Answer | None) -> Image.Image:
    if answer is None:
        return Image.new("RGB", (SIDE, SIDE), MARGIN)
    size = line.pixels.shape[1], line.pixels.shape[0]
    shown = tile(line.pixels, line.boxes, answer.heat)
    return marked(shown, size, line.boxes, line.others[:0], answer.peak)


def _caption(canvas: Image.Image, at: tuple[int, int], first: str, colour: str, second: str) -> None:
    pen, (x, y) = ImageDraw.Draw(canvas), at
    pen.text((x, y + SIDE + 2), cut(first, SIDE), colour, font())
    pen.text((x, y + SIDE + 2 + _LINE), cut(second, SIDE), MUTED, font())
