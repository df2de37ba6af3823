"""How a table is laid out, whatever it is rendered as: panels of rows, and the notes under them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmark.core.types import OpenRow, Result
from benchmark.reporting.lines import Line, lines
from benchmark.reporting.render.notes import NOT_COMPARABLE, Notes, notes
from benchmark.reporting.table import Table
from benchmark.reporting.text import NONE, interval, shown

OUTSIDE, UNEXPLAINED_MARK = "*", "≠"
_PANEL_COLUMNS = 6
_BESIDE = ("published", "difference", "verdict")


@dataclass(frozen=True, slots=True)
class Strip:
    """One printed line of a row: its label and one cell a column."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A row: what stands in its first column, line by line, and its strips."""

    head: tuple[str, ...]
    strips: tuple[Strip, ...]

    @property
    def lines(self) -> list[tuple[str, ...]]:
        """Head, label and cells of each printed line, as many as the longer of head and strips needs."""
        blank = Strip("", ("",) * len(self.strips[0].cells))
        count = max(len(self.head), len(self.strips))
        heads = (*self.head, *[""] * count)[:count]
        strips = (*self.strips, *[blank] * count)[:count]
        return [(head, strip.label, *strip.cells) for head, strip in zip(heads, strips, strict=True)]


@dataclass(frozen=True, slots=True)
class Panel:
    """Blocks under common column titles."""

    columns: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All that is printed of a table, as plain text.

    Attributes:
        title: Above it.
        panels: One below the other.
        notes: What a reader must know before quoting a number.
        footer: The same in a few lines, where the notes stand elsewhere.
    """

    title: str
    panels: tuple[Panel, ...]
    notes: tuple[Notes, ...] = ()
    footer: tuple[str, ...] = ()


def layout(table: Table) -> Layout:
    """Lay a table out: values with two decimals, intervals with one, in percent; differences in points.

    Correlations and their like (:mod:`benchmark.reporting.text`) stand as they are, with three
    decimals.

    The first panel has the published table's columns, the metric that the rows are compared by, and every
    row. Metrics that the published table does not name follow, six a panel, with the rows that have any.
    Published numbers of another dataset stand under a label that says so, without a difference.
    """
    found = lines(table)
    columns = table.published.columns if table.published else ()
    present = {line.metric for line in found}
    titles = {column.key: column.title for column in columns if column.key in present}
    if titles:
        titles |= {one.metric: one.metric for one in table.differences if one.metric not in titles}
    rest = sorted(present - set(titles))
    groups = [list(titles)] if titles else []
    groups += [rest[start : start + _PANEL_COLUMNS] for start in range(0, len(rest), _PANEL_COLUMNS)]
    panels = []
    for number, keys in enumerate(groups):
        blocks = _blocks(table, found, keys, everything=number == 0)
        panels.append(Panel(tuple(titles.get(key, key) for key in keys), blocks))
    return Layout(table.full_title, tuple(panels), notes(table))


def _blocks(table: Table, found: Sequence[Line], keys: Sequence[str], everything: bool) -> tuple[Block, ...]:
    blocks = []
    for row in table.rows:
        by_metric = {line.metric: line for line in found if line.row == row.row}
        lines = [by_metric.get(key) for key in keys]
        if everything or any(lines):
            blocks.append(_block(row, lines, _beside(table, row.row) if everything else ()))
    return tuple(blocks)


def _beside(table: Table, row: str) -> tuple[str, ...]:
    """The strips that published numbers add to a row."""
    if table.published is None:
        return ()
    apart = table.published_row(row) is not None and table.comparable_row(row) is None
    if apart or not table.comparable:
        return (NOT_COMPARABLE,)
    return _BESIDE


def _block(row: Result | OpenRow, lines: Sequence[Line | None], beside: tuple[str, ...]) -> Block:
    def strip(label: str, show: Callable[[Line], str]) -> Strip:
        return Strip(label, tuple(show(line) if line else NONE for line in lines))

    published = [strip(label, lambda line: shown(line.metric, line.published)) for label in beside[:1]]
    reproduced = strip("reproduced", lambda line: shown(line.metric, line.reproduced))
    strips = [
        strip("measured", lambda line: shown(line.metric, line.measured)),
        strip("95 % interval", lambda line: interval(line.metric, line.low, line.high)),
    ]
    strips += published
    if beside == _BESIDE:
        strips += [
            strip("difference", _difference),
            strip("verdict", lambda line: line.verdict.word if line.verdict else NONE),
        ]
    if isinstance(row, OpenRow):
        strips = [Strip("measured", ("open",) * len(lines)), *published]
    if any(line and line.reproduced is not None for line in lines):
        strips += [reproduced]
    return Block((row.row, row.localizer if isinstance(row, Result) else "(open)"), tuple(strips))


def _difference(line: Line) -> str:
    """Measured minus published in points, marked where the published value is outside the interval."""
    points = shown(line.metric, line.difference, signed=True)
    return f"{points} {OUTSIDE}" if line.inside is False else points
