"""The marks on a tile of one class of an image of several: its objects, the others', and a peak."""

from PIL import Image, ImageDraw

from benchmark.core.types import Box, IntArray
from benchmark.tasks.boxes.pictures.tile import DARK, draw_dashes, draw_guess, placed

_PEAK = "#ff3df2"


def marked(
    picture: Image.Image,
    size: tuple[int, int],
    boxes: IntArray,
    others: IntArray,
    peak: tuple[int, int] | None = None,
) -> Image.Image:
    """Draw on a tile, in place: the other classes' boxes in blue, the class's dashed, a ring round the peak.

    Args:
        picture: The tile.
        size: Width and height of the image in it, pixels.
        boxes: ``[B, 4]`` objects of the class, in the image's pixels.
        others: ``[O, 4]`` objects of its other classes.
        peak: ``(x, y)`` likewise.
    """
    pen = ImageDraw.Draw(picture)
    for row in others.tolist():
        draw_guess(pen, placed(Box(*row), *size))
    for row in boxes.tolist():
        draw_dashes(pen, placed(Box(*row), *size))
    if peak is not None:
        x, y = peak
        left, top, *_ = placed(Box(x, y, x + 1, y + 1), *size)
        pen.ellipse((left - 5, top - 5, left + 5, top + 5), outline=DARK, width=5)
        pen.ellipse((left - 4, top - 4, left + 4, top + 4), outline=_PEAK, width=3)
    return picture
