"""A sheet of image-class pairs: what speaks for a class, in which detail, and what speaks against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmark.core.heatmaps import peak, upsample
from benchmark.core.types import FloatArray, ImageArray, IntArray, View
from benchmark.tasks.boxes.pictures import png as stamp
from benchmark.tasks.boxes.pictures.legend import INK, MUTED
from benchmark.tasks.boxes.pictures.text import LARGE, cut, font, wrapped
from benchmark.tasks.boxes.pictures.tile import MARGIN, SIDE, fitted, tile
from benchmark.tasks.pairs.pictures.overlay import marked

_PAPER = "#ffffff"
_EDGE, _GAP, _LINE, _HEAD_LINE = 20, 10, 16, 22  # round the page, between tiles; lines of text
_DOWN = SIDE + _LINE + _GAP
_COLUMNS = ("image", "Grad-CAM", "Guided Grad-CAM", "counterfactual")
_LEGEND = (
    "dashes: boxes of the class; blue: boxes of the image's other classes; pink: the counterfactual's peak.",
    "Heatmaps from 0 to their maximum; Guided Grad-CAM in signed colours, grey is 0.",
)
_BRIGHTEST = 0.995  # the share of a product's values that are shown as they are; the rest is cut off


@dataclass(frozen=True, slots=True)
class Pair:
    """One image and one of its classes, with its maps as the methods made them.

    Attributes:
        image_id: The image's identifier.
        name: Of the class.
        pixels: ``[H, W, 3]``.
        view: How the network's input lies in the image.
        boxes: ``[B, 4]`` objects of the class.
        others: ``[O, 4]`` objects of the image's other classes.
        grad_cam: ``[h, w]``, ``>= 0``, of the view's region.
        guided: ``[S, S, 3]`` Guided Grad-CAM's signed product, **RGB**, of the view's region.
        counterfactual: ``[h, w]``, ``>= 0``, likewise.
    """

    image_id: str
    name: str
    pixels: ImageArray
    view: View
    boxes: IntArray
    others: IntArray
    grad_cam: FloatArray
    guided: FloatArray
    counterfactual: FloatArray


def sheet(path: Path, pairs: Sequence[Pair], title: str, fingerprint: str) -> None:
    """Draw a row for each pair and write the sheet, a PNG; the same bytes for the same pairs on one machine.

    Args:
        path: Where it goes.
        pairs: From top to bottom; those of one image belong beside each other.
        title: Above them.
        fingerprint: Of all that it shows, for its text chunk.

    Raises:
        UserError: If the sheet cannot be written, or a map holds NaN or infinity.
    """
    stamp.write(path, draw(pairs, title), fingerprint)


def draw(pairs: Sequence[Pair], title: str) -> Image.Image:
    """The whole sheet, RGB."""
    wide = 2 * _EDGE + len(_COLUMNS) * (SIDE + _GAP) - _GAP
    lines = wrapped(title, wide - 2 * _EDGE)
    top = _EDGE + _HEAD_LINE * len(lines) + _LINE * (len(_LEGEND) + 2)
    page = Image.new("RGB", (wide, top + len(pairs) * _DOWN + _EDGE), _PAPER)
    pen = ImageDraw.Draw(page)
    for number, text in enumerate(lines):
        pen.text((_EDGE, _EDGE + _HEAD_LINE * number), text, INK, font(LARGE, bold=True))
    for number, text in enumerate(_LEGEND):
        pen.text((_EDGE, _EDGE + _HEAD_LINE * len(lines) + _LINE * number), text, MUTED, font())
    for number, text in enumerate(_COLUMNS):
        pen.text((_EDGE + number * (SIDE + _GAP), top - _LINE - 2), text, INK, font(bold=True))
    for number, pair in enumerate(pairs):
        _draw_row(page, top + number * _DOWN, pair)
    return page


def where(pair: Pair) -> str:
    """Where the counterfactual has its peak, in the words under its tile."""
    pixels = upsample(pair.counterfactual, pair.view)
    if not pixels.max() > 0:
        return "empty map"
    own, other = (_inside(peak(pixels), boxes) for boxes in (pair.boxes, pair.others))
    if own and other:
        return "peak in boxes of both"
    if own:
        return "peak in a box of the class"
    return "peak in a box of another" if other else "peak beside all boxes"


def _draw_row(page: Image.Image, y: int, pair: Pair) -> None:
    against = _heat(pair, pair.counterfactual)
    drawn = (
        (_marked(tile(pair.pixels, pair.boxes), pair), f"{pair.image_id}: {pair.name}"),
        (tile(pair.pixels, pair.boxes, _heat(pair, pair.grad_cam)), f"for {pair.name}"),
        (_product(pair), ""),
        (_marked(tile(pair.pixels, pair.boxes, against), pair, against), where(pair)),
    )
    pen = ImageDraw.Draw(page)
    for number, (picture, said) in enumerate(drawn):
        x = _EDGE + number * (SIDE + _GAP)
        page.paste(picture, (x, y))
        pen.text((x, y + SIDE + 2), cut(said, SIDE), INK if number == 0 else MUTED, font())


def _heat(pair: Pair, heatmap: FloatArray) -> FloatArray:
    """``[H, W]`` shares of the map's maximum in the image's own pixels; 0 where the network saw nothing."""
    pixels = upsample(heatmap, pair.view).clip(0)
    highest = pixels.max()
    return pixels / highest if highest > 0 else pixels


def _product(pair: Pair) -> Image.Image:
    """Guided Grad-CAM's colours, 0 in the middle of the scale."""
    parts = [upsample(np.ascontiguousarray(pair.guided[..., k]), pair.view) for k in range(3)]
    signed = np.stack(parts, -1)
    signed[~np.isfinite(signed)] = 0  # outside the view
    height, wide = pair.pixels.shape[:2]
    left, top, across, down = fitted(wide, height)
    small = np.stack([_shrunk(signed[..., k], across, down) for k in range(3)], -1)
    size = float(np.quantile(np.abs(small), _BRIGHTEST)) or float(np.abs(small).max()) or 1.0
    colours = np.rint(255 * (0.5 + 0.5 * (small / size).clip(-1, 1))).astype(np.uint8)
    canvas = Image.new("RGB", (SIDE, SIDE), MARGIN)
    canvas.paste(Image.fromarray(colours), (left, top))
    return canvas


def _shrunk(values: FloatArray, across: int, down: int) -> FloatArray:
    return np.asarray(Image.fromarray(values).resize((across, down), Image.Resampling.BILINEAR), np.float32)


def _marked(picture: Image.Image, pair: Pair, heat: FloatArray | None = None) -> Image.Image:
    """The other classes' boxes, the class's own over them, and a map's peak."""
    height, wide = pair.pixels.shape[:2]
    at = peak(heat) if heat is not None and heat.max() > 0 else None
    return marked(picture, (wide, height), pair.boxes, pair.others, at)


def _inside(point: tuple[int, int], boxes: IntArray) -> bool:
    x, y = point
    within = (boxes[:, 0] <= x) & (x < boxes[:, 2]) & (boxes[:, 1] <= y) & (y < boxes[:, 3])
    return bool(within.any())
