"""A tile: one image fitted into a square, a heatmap laid over it, boxes drawn on it."""

from functools import lru_cache

import matplotlib
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from benchmark.core.types import Box, FloatArray, ImageArray, IntArray

SIDE = 176
"""Of a tile, pixels; an image is fitted in whole and centred."""

GUESS, TRUTH, DARK, MARGIN = "#00e5ff", "#ffffff", "#101010", "#ececec"
"""Colours of the predicted box, of ground truth, of what sets both off, and of what is beside an image."""

_COLOURS = "inferno"  # perceptually uniform, and without the cyan of the boxes
_WEAKEST, _STRONGEST = 0.45, 0.75  # how much of a pixel is the heatmap's colour, at 0 and at its maximum
_DASH, _GAP = 5, 4

Pixels = tuple[int, int, int, int]
"""Left, top, right, bottom of a frame in a tile; the last two inclusive, as Pillow draws."""


def tile(
    image: ImageArray, truth: IntArray, heat: FloatArray | None = None, box: Box | None = None
) -> Image.Image:
    """Draw an image.

    Args:
        image: ``[H, W, 3]``.
        truth: ``[B, 4]`` ground-truth boxes in its pixels.
        heat: ``[H, W]`` in [0, 1].
        box: Predicted box.

    Returns:
        ``SIDE × SIDE`` RGB.
    """
    height, width = image.shape[:2]
    left, top, wide, tall = fitted(width, height)
    shown = Image.fromarray(image).resize((wide, tall), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (SIDE, SIDE), MARGIN)
    canvas.paste(shown if heat is None else _overlaid(shown, heat), (left, top))
    draw = ImageDraw.Draw(canvas)
    frames = [placed(Box(*row), width, height) for row in truth.tolist()]
    for frame in frames:
        draw.rectangle(frame, outline=DARK, width=2)
    if box is not None:
        draw_guess(draw, placed(box, width, height))
    for frame in frames:
        draw_dashes(draw, frame)
    return canvas


def fitted(width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, width and height in a tile of an image of a size, its aspect ratio kept."""
    scale = SIDE / max(width, height)
    wide, tall = max(1, round(width * scale)), max(1, round(height * scale))
    return (SIDE - wide) // 2, (SIDE - tall) // 2, wide, tall


def placed(box: Box, width: int, height: int) -> Pixels:
    """Where a box of an image lies in its tile, to the nearest pixel; at least one, inside the image."""
    left, top, wide, tall = fitted(width, height)
    x0, y0 = left + round(box.x0 * wide / width), top + round(box.y0 * tall / height)
    x1, y1 = left + round(box.x1 * wide / width), top + round(box.y1 * tall / height)
    right, bottom = max(left, x1 - 1), max(top, y1 - 1)
    return min(x0, right), min(y0, bottom), right, bottom


def draw_guess(draw: ImageDraw.ImageDraw, frame: Pixels) -> None:
    """A predicted box: a line of two pixels inside its edge, set off by a dark one on either side."""
    x0, y0, x1, y1 = frame
    draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=DARK)
    if min(x1 - x0, y1 - y0) > 4:
        draw.rectangle((x0 + 2, y0 + 2, x1 - 2, y1 - 2), outline=DARK)
    draw.rectangle(frame, outline=GUESS, width=2)


def draw_dashes(draw: ImageDraw.ImageDraw, frame: Pixels) -> None:
    """A ground-truth box: white dashes, so that a predicted box under it shows in the gaps."""
    x0, y0, x1, y1 = frame
    for start in range(x0, x1 + 1, _DASH + _GAP):
        end = min(start + _DASH - 1, x1)
        for y in (y0, max(y0, y1 - 1)):
            draw.rectangle((start, y, end, min(y + 1, y1)), fill=TRUTH)
    for start in range(y0, y1 + 1, _DASH + _GAP):
        end = min(start + _DASH - 1, y1)
        for x in (x0, max(x0, x1 - 1)):
            draw.rectangle((x, start, min(x + 1, x1), end), fill=TRUTH)


def coloured(heat: FloatArray) -> npt.NDArray[np.float64]:
    """Colours ``[..., 3]`` in 0…255 of shares in [0, 1]."""
    return np.asarray(_palette()[np.rint(heat * 255).astype(np.intp)])


@lru_cache(maxsize=1)
def _palette() -> npt.NDArray[np.float64]:
    return np.asarray(matplotlib.colormaps[_COLOURS](np.arange(256))[:, :3] * 255)


def _overlaid(shown: Image.Image, heat: FloatArray) -> Image.Image:
    """The map's colours over the picture's greys: the stronger the map, the more of its colour."""
    shrinks = shown.width < heat.shape[1]
    smooth = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    resized = Image.fromarray(heat).resize(shown.size, smooth)
    share = np.asarray(resized, np.float32).clip(0, 1)
    weight = (_WEAKEST + (_STRONGEST - _WEAKEST) * share)[..., None]
    grey = np.asarray(shown.convert("L"), np.float32)[..., None]
    return Image.fromarray(np.rint((1 - weight) * grey + weight * coloured(share)).astype(np.uint8))
