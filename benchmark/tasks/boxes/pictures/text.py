"""Text on a sheet: its font, its width, and what to do with too much of it."""

from functools import lru_cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

SIZE, LARGE = 12, 15
"""Of text and of the title, pixels."""


@lru_cache(maxsize=4)
def font(size: int = SIZE, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Matplotlib's own copy of DejaVu Sans: the same on every machine."""
    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{'-Bold' * bold}.ttf"
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


def width(text: str, bold: bool = False) -> int:
    """Pixels that a line takes."""
    return round(font(SIZE, bold).getlength(text))


def cut(text: str, room: int, bold: bool = False) -> str:
    """A line of at most ``room`` pixels: what is too much, in its middle, becomes an ellipsis."""
    left, right = (len(text) + 1) // 2, len(text) // 2
    shown = text
    while width(shown, bold) > room and left:
        left, right = (left - 1, right) if left > right else (left, right - 1)
        shown = f"{text[:left]}…{text[len(text) - right :]}"
    return shown


def wrapped(text: str, room: int) -> list[str]:
    """A title as lines of at most ``room`` pixels, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font(LARGE, True).getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
