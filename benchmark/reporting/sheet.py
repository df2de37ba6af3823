"""Picture sheets: rows of panels, each an image with what was found on it, drawn by matplotlib.

A task says what is on a sheet; this module draws it. The file's text chunk ``fingerprint`` names all that the
sheet shows, so that an unchanged one is not drawn again. Matplotlib is imported only to draw.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmark.core import provenance
from benchmark.core.code_hash import code_fingerprint
from benchmark.core.files import write_atomically
from benchmark.core.types import Box, FloatArray, ImageArray, IntArray
from benchmark.reporting.figure import DPI, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STAMP = "fingerprint"
COLUMNS = 14  # at most: more would not be legible
_ROWS_A_HEADING = 6  # the columns' names are repeated, so that they are in sight
_ENTRIES = 3  # of the legend, in a line

# Inches: a panel, between panels, round the page; a line of the title and of small text; under a panel; the
# names of the columns; a line of the legend; the least width of a page; a small letter, on average.
_WIDE, _GAP, _EDGE, _TITLE, _LINE, _BELOW = 1.65, 0.12, 0.25, 0.24, 0.155, 0.46
_HEADING, _LEGEND, _PAGE, _LETTER = 0.42, 0.24, 7.0, 0.06
_LOWEST = 0.4  # a panel's height, as a share of its width
_SMALL, _LARGE = 7.5, 11.5  # points
_HEAT = "inferno"  # perceptually uniform, and without the blue of the boxes
_WEAKEST, _STRONGEST = 0.4, 0.8  # how opaque a heatmap is at 0 and at its maximum
_INK, _MUTED, _DARK, _MARGIN = "#1b1b1b", "#6a6a6a", "#101010", "#ececec"
# Colours that the colour-blind tell apart (Okabe and Ito 2008), each also told by a mark, a dash or a shape.
_RIGHT, _WRONG, _BOX, _OTHER, _PEAK, _TRUTH = "#0072b2", "#c44e00", "#56e0ff", "#009e73", "#ff6ad5", "#ffffff"
_DASH = (0, (2.5, 2.5))
_NO_BOX = np.zeros((0, 4), np.int32)


@dataclass(frozen=True, slots=True)
class Panel:
    """One image on a sheet, with its overlays and its caption.

    Attributes:
        caption: Text of at most two lines.
        pixels: ``[H, W, 3]`` uint8; ``None`` leaves the panel empty.
        heat: ``[H, W]``, the heatmap as a share of its maximum in [0, 1]; or ``[H, W, 3]``, a map with
            colours of its own in [-1, 1], shown in place of the image. ``None``: the image alone.
        lost: Whether there should be a heatmap and none is stored: said on the panel, and counted.
        truth: ``[B, 4]`` ground-truth boxes, half-open, in the image's pixels.
        others: ``[O, 4]`` boxes of the image's other classes, likewise.
        box: The predicted one.
        peak: ``(x, y)`` of the heatmap's maximum.
        right: Whether the prediction is right, shown by mark and colour; ``None`` where that is not judged.
    """

    caption: tuple[str, ...] = ()
    pixels: ImageArray | None = None
    heat: FloatArray | None = None
    lost: bool = False
    truth: IntArray = field(default_factory=_NO_BOX.copy)
    others: IntArray = field(default_factory=_NO_BOX.copy)
    box: Box | None = None
    peak: tuple[int, int] | None = None
    right: bool | None = None


@dataclass(frozen=True, slots=True)
class PictureSheet:
    """The content of a sheet.

    Attributes:
        title: Title in large letters.
        conditions: Under it: which images, how they were chosen, what counts as right.
        headings: Name and second line of each column.
        rows: Panels, one a column.
    """

    title: str
    conditions: tuple[str, ...]
    headings: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Panel, ...], ...]


def make(path: Path, identity: Mapping[str, Any], gather: Callable[[], PictureSheet]) -> list[Path]:
    """Make a picture sheet, a PNG; the same bytes for the same content on one machine.

    Args:
        path: File to write. An existing file that shows the same is left as it is.
        identity: All that the content depends on, as plain json, beside the code that gathers it.
        gather: Makes the content, called only where it is needed.

    Returns:
        Its path; nothing where the content has no row.

    Raises:
        UserError: Whatever ``gather`` refuses, or if the file cannot be written.
    """
    packages = provenance.package_versions(("matplotlib", "numpy", "pillow"))
    made_by = {"code": code_fingerprint([make, gather]), "packages": packages}
    fingerprint = provenance.fingerprint({"of": identity, **made_by})
    if _stamped(path) == fingerprint:
        return [path]
    content = gather()
    if not content.rows:
        return []
    write_atomically(path, drawn(content, fingerprint))
    return [path]


def _stamped(path: Path) -> str | None:
    """Read the fingerprint of the sheet at a path; ``None`` where there is none, so that it is made anew."""
    try:
        with Image.open(path) as image:
            stamp: str | None = image.info.get(_STAMP)
            image.verify()
    except (OSError, SyntaxError):  # not there, or no whole image
        return None
    return stamp


def drawn(sheet: PictureSheet, fingerprint: str) -> bytes:
    """Draw a sheet as PNG with its fingerprint and no date."""
    headings, rows = sheet.headings[:COLUMNS], [row[:COLUMNS] for row in sheet.rows]
    across = max(_PAGE - 2 * _EDGE, len(headings) * (_WIDE + _GAP) - _GAP)
    title = textwrap.wrap(sheet.title, int(across / (1.8 * _LETTER)))
    conditions = textwrap.wrap("; ".join([*sheet.conditions, *_left_out(sheet)]), int(across / _LETTER))
    marks, heights = _legend(rows), [_WIDE * _share(row) for row in rows]
    head = _TITLE * len(title) + _LINE * len(conditions) + _GAP
    first = head + ceil(len(marks) / _ENTRIES) * _LEGEND + _GAP
    high = first + ceil(len(rows) / _ROWS_A_HEADING) * _HEADING + sum(heights) + len(heights) * _BELOW

    def draw(figure: Figure) -> None:
        page, top = _Page(figure), first
        for number, text in enumerate(title):
            page.say(0, _TITLE * number + 0.05, text, size=_LARGE, weight="bold")
        for number, text in enumerate(conditions):
            page.say(0, _TITLE * len(title) + number * _LINE, text, color=_MUTED)
        page.legend(head, marks)
        for number, (row, tall) in enumerate(zip(rows, heights, strict=True)):
            if number % _ROWS_A_HEADING == 0:
                page.headings(top, headings)
                top += _HEADING
            for column, panel in enumerate(row):
                page.panel(column * (_WIDE + _GAP), top, tall, panel)
            top += tall + _BELOW

    return png(draw, across + 2 * _EDGE, high + 2 * _EDGE, None, **{_STAMP: fingerprint})


def _left_out(sheet: PictureSheet) -> Iterator[str]:
    """Return what is missing from the sheet."""
    lost = [panel.lost for row in sheet.rows for panel in row[:COLUMNS]]
    if any(lost):
        yield f"heatmaps not stored: {sum(lost)}"
    if len(sheet.headings) > COLUMNS:
        names = (", ".join(filter(None, heading)) for heading in sheet.headings[COLUMNS:])
        yield f"not shown: {'; '.join(names)}"


def _share(row: Sequence[Panel]) -> float:
    """Give how high a row must be for its images to be shown whole, as a share of a panel's width."""
    shapes = [panel.pixels.shape for panel in row if panel.pixels is not None]
    return float(min(1, max([_LOWEST, *(high / wide for high, wide, _ in shapes)])))


@dataclass(frozen=True)
class _Page:
    """A figure, measured in inches from the top left inside its edge."""

    figure: Figure

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Give a place as shares of the figure's width and height."""
        width, height = self.figure.get_size_inches()
        return (_EDGE + x) / width, 1 - (_EDGE + y) / height

    def say(self, x: float, y: float, text: str, room: float | None = None, **style: Any) -> None:
        """Write a line at a place; what is too much for the room becomes an ellipsis in its middle."""
        style = {"size": _SMALL, "color": _INK, "va": "baseline", "parse_math": False, **style}
        words = self.figure.text(*self.place(x, y + 0.1), text, **style)
        kept = len(text)
        while room and kept > 1 and words.get_window_extent().width > room * DPI:
            kept -= 1
            words.set_text(f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}")

    def headings(self, y: float, headings: Sequence[tuple[str, str]]) -> None:
        """Name the columns."""
        for column, (name, below) in enumerate(headings):
            self.say(column * (_WIDE + _GAP), y, name, _WIDE, weight="bold")
            self.say(column * (_WIDE + _GAP), y + _LINE, below, _WIDE, color=_MUTED)

    def panel(self, x: float, y: float, tall: float, panel: Panel) -> None:
        """Draw a panel and its caption; a verdict's mark and colour are the last line's."""
        width, height = self.figure.get_size_inches()
        place = (*self.place(x, y + tall), _WIDE / width, tall / height)
        axes = self.figure.add_axes(place, facecolor=_MARGIN, xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if panel.pixels is not None:
            _image(axes, panel.pixels, panel.heat, tall / _WIDE)
            _marks(axes, panel)
        if panel.lost:
            frame: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2}
            top: dict[str, Any] = {"ha": "center", "va": "top", "transform": axes.transAxes}
            axes.text(0.5, 0.97, "heatmap not stored", size=_SMALL, color=_INK, bbox=frame, **top)
        mark, judged = {None: ("", _MUTED), True: ("✓ ", _RIGHT), False: ("✗ ", _WRONG)}[panel.right]
        for line, text in enumerate(panel.caption):
            last = 0 < line == len(panel.caption) - 1
            said, colour = (mark + text, judged) if last else (text, _INK)
            self.say(x, y + tall + 0.05 + line * _LINE, said, _WIDE, color=colour)

    def legend(self, y: float, marks: Mapping[str, Any]) -> None:
        """Say what the marks mean."""
        from matplotlib.legend_handler import HandlerTuple

        style: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": self.place(0, y), "ncols": _ENTRIES}
        style |= {"fontsize": _SMALL, "frameon": False, "labelspacing": 0.9}
        style |= {"borderpad": 0, "borderaxespad": 0}
        style["handler_map"] = {tuple: HandlerTuple(ndivide=None, pad=0)}  # several handles side by side
        self.figure.legend([*marks.values()], [*marks], **style)


def _image(axes: Axes, pixels: ImageArray, heat: FloatArray | None, shape: float) -> None:
    """Show an image whole and centred: in grey under a heatmap, which is opaque where it is strong."""
    high, wide = pixels.shape[:2]
    place: dict[str, Any] = {"extent": (0, wide, high, 0), "aspect": "auto"}
    if heat is None:
        axes.imshow(pixels, **place)
    elif heat.ndim > 2:
        axes.imshow(0.5 + 0.5 * heat.clip(-1, 1), **place)
    else:
        share = heat.clip(0, 1)
        opaque = _WEAKEST + (_STRONGEST - _WEAKEST) * share
        axes.imshow(pixels @ np.array([0.299, 0.587, 0.114]), cmap="gray", vmin=0, vmax=255, **place)
        axes.imshow(share, cmap=_HEAT, vmin=0, vmax=1, alpha=opaque, **place)
    across = max(wide, high / shape)  # so that the limits have the shape of the axes
    axes.set_xlim((wide - across) / 2, (wide + across) / 2)
    axes.set_ylim((high + across * shape) / 2, (high - across * shape) / 2)


def _marks(axes: Axes, panel: Panel) -> None:
    """Draw boxes, ground truth last and dashed, so that one below shows in the gaps; and the peak."""
    from matplotlib.patches import Rectangle

    solid = [(_OTHER, box) for box in panel.others.tolist()]
    solid += [] if panel.box is None else [(_BOX, list(panel.box))]
    layers: list[tuple[list[int], tuple[str, float, Any]]]
    layers = [(box, layer) for colour, box in solid for layer in ((_DARK, 3.2, "-"), (colour, 1.5, "-"))]
    layers += [
        (box, layer) for box in panel.truth.tolist() for layer in ((_DARK, 1.5, "-"), (_TRUTH, 1.5, _DASH))
    ]
    for (x0, y0, x1, y1), (colour, width, dash) in layers:
        style: dict[str, Any] = {"edgecolor": colour, "linewidth": width, "linestyle": dash, "fill": False}
        axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, **style))
    if panel.peak is not None:
        x, y = panel.peak
        for colour, width in ((_DARK, 3.4), (_PEAK, 1.6)):
            axes.plot(x + 0.5, y + 0.5, "o", mfc="none", mec=colour, mew=width, markersize=7)


def _legend(rows: Sequence[Sequence[Panel]]) -> dict[str, Any]:
    """Make what stands in the legend for each mark of a sheet, by the mark's meaning."""
    import matplotlib as mpl
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    panels = [panel for row in rows for panel in row]
    shapes = {panel.heat.ndim for panel in panels if panel.heat is not None}
    heat = tuple(Patch(color=colour) for colour in mpl.colormaps[_HEAT](np.linspace(0, 1, 16)))
    signed = tuple(Patch(color=colour) for colour in ("#5078c8", "#808080", "#e07850"))
    peak = Line2D([], [], linestyle="none", marker="o", mfc="none", mec=_PEAK, mew=1.6)
    marks: list[tuple[str, bool, Any]] = [
        ("ground truth", any(len(p.truth) for p in panels), Line2D([], [], color=_DARK, linestyle=_DASH)),
        ("box of another class", any(len(p.others) for p in panels), Line2D([], [], color=_OTHER)),
        ("predicted box", any(p.box for p in panels), Line2D([], [], color=_BOX, linewidth=2)),
        ("peak of the map", any(p.peak for p in panels), peak),
        ("heatmap, from 0 to its maximum", 2 in shapes, heat),
        ("signed map in its own colours, grey is 0", 3 in shapes, signed),
    ]
    return {meaning: handle for meaning, there, handle in marks if there}
