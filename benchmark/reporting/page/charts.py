"""The geometry of the page's line charts; the template draws them as SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from typing import NamedTuple

from benchmark.core.types import Estimate
from benchmark.reporting.page.content import Curve
from benchmark.reporting.text import shown

_Scale = Callable[[float], float]

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 40, 350, 10, 212
"""The plot's frame in the drawing, in its own units."""


class PlotLine(NamedTuple):
    """A row's line: its place among the page's styles, and its points ``x,y x,y …``."""

    row: str
    style: int
    points: str


class Tick(NamedTuple):
    """A mark on an axis: where it is, and what stands there."""

    place: float
    text: str


class Chart(NamedTuple):
    """One error over thresholds.

    Attributes:
        metric: The error.
        lines: A line each row.
        across: Marks of thresholds.
        up: Marks of the error in percent.
        places: Threshold as text to its place on the x axis.
        summary: What a reader who does not see the chart is told.
    """

    metric: str
    lines: tuple[PlotLine, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    places: Mapping[str, float]
    summary: str


def named(threshold: float) -> str:
    """Write a threshold as the page names it.

    >>> named(0.15), named(10.0), named(0.30000000000000004)
    ('0.15', '10', '0.3')
    """
    return f"{threshold:.6g}"


def thresholds_of(curves: Mapping[str, Curve]) -> list[float]:
    """Return all thresholds of some rows, ascending."""
    return sorted({threshold for curve in curves.values() for threshold in curve.thresholds})


def chart(curves: Mapping[str, Curve], metric: str) -> Chart:
    """Lay out one error of all rows that have it, over all thresholds."""
    having = {row: curve for row, curve in curves.items() if metric in curve.errors}
    values = [100 * one.value for curve in having.values() for one in curve.errors[metric]]
    step = 10 if max(values) - min(values) <= 50 else 20
    low, high = step * floor(min(values) / step), step * ceil(max(values) / step)
    high = max(high, low + step)
    grid = thresholds_of(curves)
    first, last = grid[0], max(grid[-1], grid[0] + 1e-9)

    def x(threshold: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (threshold - first) / (last - first), 1)

    def y(percent: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (percent - low) / (high - low), 1)

    lines = tuple(
        PlotLine(row, list(curves).index(row), _points(curve, curve.errors[metric], x, y))
        for row, curve in having.items()
    )
    up = tuple(Tick(y(percent), str(percent)) for percent in range(low, high + 1, step))
    every = max(1, ceil(len(grid) / 6))
    across = tuple(Tick(x(one), named(one)) for one in grid[::every])
    places = {named(one): x(one) for one in grid}
    return Chart(metric, lines, across, up, places, _summary(having, metric))


def _points(curve: Curve, errors: Sequence[Estimate], x: _Scale, y: _Scale) -> str:
    pairs = zip(curve.thresholds, errors, strict=True)
    return " ".join(f"{x(threshold)},{y(100 * error.value)}" for threshold, error in pairs)


def _summary(curves: Mapping[str, Curve], metric: str) -> str:
    """Say where each row's error is lowest."""
    parts = []
    for row, curve in curves.items():
        values = [one.value for one in curve.errors[metric]]
        best = values.index(min(values))
        parts.append(f"{row} {shown(metric, values[best])} % at {named(curve.thresholds[best])}")
    return f"{metric} over thresholds; lowest: {'; '.join(parts)}"
