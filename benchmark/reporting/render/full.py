"""A whole table, for its files: every metric, each with interval, published number and verdict, and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from benchmark.core.types import OpenRow, Result
from benchmark.reporting.lines import Line, lines
from benchmark.reporting.render.layout import OUTSIDE, Block, Layout, Subtable, block
from benchmark.reporting.render.notes import NOT_COMPARABLE, notes
from benchmark.reporting.text import NONE, interval, shown

if TYPE_CHECKING:
    from benchmark.reporting.table import Table

_COLUMNS = 6


def layout(table: Table) -> Layout:
    """Lay a table out: values with two decimals, intervals with one, in percent; differences in points.

    Correlations and their like (:mod:`benchmark.reporting.text`) stand as they are, with three decimals.

    The first subtable has the published table's columns, the metric that the rows are compared by, and every
    row. Metrics that the published table does not name follow, six a subtable, with the rows that have any.
    Published numbers of another dataset stand under a label that says so, without a difference.
    """
    found = {(line.row, line.metric): line for line in lines(table)}
    present = {metric for _, metric in found}
    titles = {key: title for key, title in table.titles.items() if key in present}
    if titles:
        titles |= {one.metric: one.metric for one in table.differences if one.metric not in titles}
    rest = sorted(present - set(titles))
    groups = [list(titles)] if titles else []
    groups += [rest[start : start + _COLUMNS] for start in range(0, len(rest), _COLUMNS)]
    subtables = []
    for number, keys in enumerate(groups):
        picked = [(row, [found.get((row.row, key)) for key in keys]) for row in table.rows]
        blocks = (_block(table, row, own, number == 0) for row, own in picked if number == 0 or any(own))
        subtables.append(Subtable(tuple(titles.get(key, key) for key in keys), tuple(blocks)))
    return Layout(table.full_title, tuple(subtables), notes(table))


def _block(table: Table, row: Result | OpenRow, found: Sequence[Line | None], beside: bool) -> Block:
    """Make a row of a subtable; with what was published ``beside`` it in the first."""

    def line(label: str, write: Callable[[Line], str]) -> tuple[str, tuple[str, ...]]:
        return label, tuple(write(one) if one else NONE for one in found)

    strips = [
        line("measured", lambda one: shown(one.metric, one.measured)),
        line("95 % interval", lambda one: interval(one.metric, one.low, one.high)),
    ]
    if isinstance(row, OpenRow):
        strips = [("measured", ("open",) * len(found))]
    if beside and table.beside:
        apart = table.published_row(row.row) is not None and table.comparable_row(row.row) is None
        compared = table.comparable and not apart
        label = "published" if compared else NOT_COMPARABLE
        strips.append(line(label, lambda one: shown(one.metric, one.published)))
        if compared and isinstance(row, Result):
            strips.append(line("difference", _difference))
            strips.append(line("verdict", lambda one: one.verdict.word if one.verdict else NONE))
    if any(one and one.reproduced is not None for one in found):
        strips.append(line("reproduced", lambda one: shown(one.metric, one.reproduced)))
    return block((row.row, row.localizer if isinstance(row, Result) else "(open)"), *strips)


def _difference(line: Line) -> str:
    """Write measured minus published in points, marked where the published value is outside the interval."""
    points = shown(line.metric, line.difference, signed=True)
    return f"{points} {OUTSIDE}" if line.inside is False else points
