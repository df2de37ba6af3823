"""A matrix as a picture: GT-known error of protocols by methods, and each method's error over thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from benchmark.core.types import Estimate, Result
from benchmark.reporting.figure import png
from benchmark.tasks.boxes.matrix.evaluate import CHOSEN
from benchmark.tasks.boxes.matrix.matrix import Matrix, threshold_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

    from benchmark.tasks.boxes.matrix.threshold import ThresholdCurve

_METRIC = "gt_known"
_COLUMNS = 2


def picture(matrix: Matrix) -> bytes:
    """Draw the matrix as png; the same bytes for the same numbers and the same matplotlib."""
    protocols = len(matrix.protocols) + len(matrix.baselines)
    rows = -(-len(matrix.methods) // _COLUMNS)

    def draw(figure: Figure) -> None:
        halves = figure.subfigures(1, 2, width_ratios=(1, 1.15), squeeze=False)[0]
        _heat(halves[0].subplots(), matrix)
        _curves(halves[1], matrix, rows)
        figure.suptitle(matrix.table.full_title)

    return png(draw, 17, max(0.55 * protocols + 2, 3.2 * rows + 2))


def _heat(axes: Axes, matrix: Matrix) -> None:
    names = (*matrix.protocols, *matrix.baselines)
    found = [[matrix.estimate(method, name, _METRIC) for method in matrix.methods] for name in names]
    errors = np.array([[np.nan if e is None else 100 * e.value for e in row] for row in found])
    if np.isnan(errors).all():
        axes.set_axis_off()
        return
    low, high = float(np.nanmin(errors)), float(np.nanmax(errors))
    axes.imshow(errors, cmap="viridis_r", aspect="auto", vmin=low, vmax=max(high, low + 1e-6))
    for y, row in enumerate(found):
        for x, estimate in enumerate(row):
            light = estimate is not None and 100 * estimate.value > (low + high) / 2
            colour = "white" if light else "black"
            axes.text(x, y, _words(estimate), ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(matrix.methods)), matrix.methods)
    axes.set_yticks(range(len(names)), [_label(matrix, name) for name in names])
    axes.set_title("GT-known error, %, with its 95 % interval", fontsize=10)


def _words(estimate: Estimate | None) -> str:
    if estimate is None:
        return "open"
    value, low, high = (100 * number for number in estimate[:3])
    return f"{value:.1f}\n{low:.1f}–{high:.1f}"


def _label(matrix: Matrix, protocol: str) -> str:
    result = matrix.any_result(protocol)
    name = result.localizer.partition(",")[0] if result else protocol
    if not protocol.endswith(CHOSEN):
        return f"{name}\n(any method)" if protocol in matrix.baselines else name
    return f"{name}\nchosen on {matrix.split.name}"


def _curves(figure: SubFigure, matrix: Matrix, rows: int) -> None:
    """Draw one panel a method, one line a family of protocols, the same colour in all panels."""
    grid = figure.subplots(rows, min(_COLUMNS, len(matrix.methods)), sharey=True, squeeze=False)
    handles: dict[str, Line2D] = {}
    for axes, method in zip(grid.flat, (*matrix.methods, *[""] * grid.size), strict=False):
        if not method:
            axes.set_axis_off()
            continue
        axes.set_title(method, fontsize=10)
        axes.set_xlabel("threshold", fontsize=8)
        axes.set_ylabel("GT-known error, %", fontsize=8)
        axes.tick_params(labelsize=8)
        for label, handle in _lines(axes, matrix, method):
            handles.setdefault(label, handle)
    stars = f"; stars: the ones chosen on {matrix.split.name}" if matrix.split.heldout else ""
    figure.suptitle(f"dots: the protocols' fixed thresholds{stars}", fontsize=10)
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=3, fontsize=8, frameon=False
    )


def _lines(axes: Axes, matrix: Matrix, method: str) -> Iterator[tuple[str, Line2D]]:
    """Draw a method's curves, with what each is called."""
    for number, protocols in enumerate(matrix.families):
        label = ", ".join(name for name in protocols if not name.endswith(CHOSEN))
        rows = [row for name in protocols if isinstance(row := matrix.row(method, name), Result)]
        curve = next((matrix.curves[row.row] for row in rows if row.row in matrix.curves), None)
        if curve is None:
            continue
        span = _span(curve)
        colour = f"C{number}"
        (line,) = axes.plot(curve.thresholds / span, 100 * curve.errors, color=colour, linewidth=1.2)
        for row in rows:
            _mark(axes, row, span, colour)
        yield (label if span == 1 else f"{label} (threshold / {span:g})"), line
    for number, name in enumerate(name for name in matrix.baselines if not name.endswith(CHOSEN)):
        estimate = matrix.estimate("", name, _METRIC)
        if estimate is not None:
            style = ("--", ":")[number % 2]
            level = axes.axhline(100 * estimate.value, color="grey", linestyle=style, linewidth=1)
            yield name, level


def _span(curve: ThresholdCurve) -> float:
    """Find what thresholds are divided by to be drawn: 1, or their highest where they are no fractions."""
    highest = float(curve.thresholds.max())
    return highest if highest > 1 else 1.0


def _mark(axes: Axes, row: Result, span: float, colour: str) -> None:
    """Draw a point at a fixed threshold, a star at a chosen one, at the error measured there."""
    threshold, estimate = threshold_of(row), row.metrics.get(_METRIC)
    if threshold is not None and estimate is not None:
        shape, size = ("*", 11) if row.row.endswith(CHOSEN) else ("o", 6)
        place = ([threshold / span], [100 * estimate.value])
        axes.plot(*place, shape, color=colour, markersize=size, markeredgecolor="black", clip_on=False)
