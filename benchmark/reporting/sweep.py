"""A sweep's table over its swept options: as csv, and as a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from benchmark.core.types import Estimate, Result
from benchmark.reporting.figure import png
from benchmark.reporting.render.csv import written
from benchmark.reporting.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MANY = 10
"""Lines that still find room for their names inside the plot."""


@dataclass(frozen=True)
class Point:
    """The position of a row in the sweep.

    Attributes:
        base: Name without the swept options, such as ``vgg16/cam``; may be empty.
        values: Swept option to value; an option that the row does not have is left out.
    """

    base: str
    values: Mapping[str, str]


def tidy(table: Table, points: Mapping[str, Point]) -> str:
    """Write a line for each metric of each row, with a column for each swept option.

    Args:
        table: Table of the sweep.
        points: Row to its place.
    """
    options = _options(points)
    header = ["row", "base", *options, "metric", "measured", "low", "high", "n"]
    lines = [
        [row.row, points[row.row].base, *(points[row.row].values.get(key) for key in options), name, *found]
        for row in table.measured
        for name, found in row.metrics.items()
    ]
    return written(header, lines)


def picture(table: Table, points: Mapping[str, Point]) -> bytes:
    """Plot the number that the rows are compared by over one swept option, a line for each other setting.

    That option is the numeric one with the most values, or else the one with the most; bars are 95 %
    intervals.

    Args:
        table: Table of the sweep.
        points: Row to its place.

    Returns:
        A png; the same bytes for the same numbers and the same matplotlib.
    """
    metric, axis = _metric(table), _axis(points)
    lines: dict[str, list[Result]] = {}
    for row in table.measured:
        if metric in row.metrics:
            lines.setdefault(_line(row.row, points[row.row], axis), []).append(row)
    height = 4.5 + 0.16 * max(0, len(lines) - _MANY)
    return png(lambda figure: _draw(figure, table, points, lines), 9, height)


def _draw(
    figure: Figure, table: Table, points: Mapping[str, Point], lines: Mapping[str, Sequence[Result]]
) -> None:
    metric, axis = _metric(table), _axis(points)
    numeric = all(_number(one.values[axis]) is not None for one in points.values() if axis in one.values)
    axes = figure.subplots()
    for number, (name, rows) in enumerate(lines.items()):
        values = [points[row.row].values.get(axis) for row in rows]
        found, colour = [row.metrics[metric] for row in rows], f"C{number}"
        if None in values:  # it has no such option: the same along the whole axis
            axes.axhline(found[0].value, linestyle="--", color=colour, label=name)
            continue
        places: list[Any] = [_number(value) if numeric else value for value in values]
        bars = [[max(0.0, gap(one)) for one in found] for gap in (_below, _above)]
        heights = [one.value for one in found]
        axes.errorbar(places, heights, bars, marker="o", capsize=3, elinewidth=0.8, color=colour, label=name)
    axes.set_xlabel(axis)
    axes.set_ylabel(f"{metric}, with 95 % interval")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)
    axes.set_title(table.full_title, fontsize=9, wrap=True)


def _below(estimate: Estimate) -> float:
    return estimate.value - estimate.low if isfinite(estimate.low) else 0.0


def _above(estimate: Estimate) -> float:
    return estimate.high - estimate.value if isfinite(estimate.high) else 0.0


def _options(points: Mapping[str, Point]) -> list[str]:
    return list(dict.fromkeys(key for point in points.values() for key in point.values))


def _metric(table: Table) -> str:
    """Return the number to compare rows by: the chosen one, the first published one, or the first of all."""
    compared = [difference.metric for difference in table.differences]
    measured = [name for row in table.measured for name in row.metrics]
    return next(name for name in [*compared, *table.titles, *measured] if name in measured)


def _axis(points: Mapping[str, Point]) -> str:
    values = {
        key: {point.values[key] for point in points.values() if key in point.values}
        for key in _options(points)
    }
    numeric = {key: every for key, every in values.items() if all(_number(one) is not None for one in every)}
    chosen = numeric or values
    return max(chosen, key=lambda key: len(chosen[key]), default="")


def _number(value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _line(row: str, point: Point, axis: str) -> str:
    """Return a row's name without its value on the axis."""
    value = point.values.get(axis)
    ends = (f"/{axis}={value}", f"/{axis.rpartition('.')[2]}={value}", f"/{value}")
    return next((row.replace(end, "", 1) for end in ends if end in row), row)
