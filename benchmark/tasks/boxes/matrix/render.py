"""A matrix as text: for each number one panel of protocols by methods, then what a reader must know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmark.core.types import Estimate, OpenRow, Result
from benchmark.reporting.render import csv
from benchmark.reporting.render.layout import Block, Layout, Notes, Subtable, block
from benchmark.reporting.render.notes import notes
from benchmark.reporting.render.summary import HALF, conditions, half_width
from benchmark.reporting.text import NONE, interval, shown
from benchmark.tasks.boxes.matrix.evaluate import CHOSEN
from benchmark.tasks.boxes.matrix.matrix import Matrix, threshold_of

_ANY = "any method"
_KEPT_NOTES = ("Images", "Protocols", "Open rows", "Conditions of all measured rows")


def summary(matrix: Matrix) -> Layout:
    """Lay the first number out in one line a protocol; every other one stands in the files."""
    metric, title = next(iter(matrix.panels.items()))

    def line(protocol: str, methods: tuple[str, ...]) -> Block:
        cells = []
        for method in methods:
            estimate = matrix.estimate(method, protocol, metric)
            half = "" if estimate is None else half_width(metric, *estimate[:3])
            cells.append(_value(matrix, method, protocol, metric) + half)
        return ((protocol, "", *cells),)

    subtables = [Subtable(matrix.methods, tuple(line(name, matrix.methods) for name in matrix.protocols))]
    subtables.append(Subtable((_ANY,), tuple(line(name, ("",)) for name in matrix.baselines)))
    others = "Every other number, the intervals' ends and the thresholds stand in the files."
    footer = (f"{title}, in %, {HALF}.", *conditions(matrix.table), others)
    return Layout(matrix.table.full_title, tuple(one for one in subtables if one.blocks), footer=footer)


def layouts(matrix: Matrix) -> list[Layout]:
    """Lay everything out, in order; columns are methods, and each cell has its 95 % interval under it."""
    subtables = [_subtables(matrix, metric) for metric in (*matrix.panels, *matrix.bounds)]
    sections = tuple(section for section in _notes(matrix) if section.items)
    return [Layout(matrix.table.full_title), *filter(None, subtables), Layout("Notes", (), sections)]


def _subtables(matrix: Matrix, metric: str) -> Layout | None:
    """Lay out the subtable of one number, and that of the baselines; ``None`` where no row has the number."""
    found = [row.metrics[metric] for row in matrix.table.measured if metric in row.metrics]
    if not found:
        return None
    blocks = tuple(filter(None, (_block(matrix, name, metric, matrix.methods) for name in matrix.protocols)))
    blind = tuple(filter(None, (_block(matrix, name, metric, ("",)) for name in matrix.baselines)))
    subtables = (Subtable(matrix.methods, blocks), Subtable((_ANY,), blind))
    sizes = sorted({estimate.n for estimate in found})
    counted = " to ".join(map(str, sizes[:: max(len(sizes) - 1, 1)]))
    title = f"{matrix.panels.get(metric) or matrix.bounds[metric]} [%, n = {counted}]"
    return Layout(title, tuple(one for one in subtables if one.blocks))


def _block(matrix: Matrix, protocol: str, metric: str, methods: tuple[str, ...]) -> Block | None:
    """Write one protocol's numbers; where they are of its one threshold, it is named."""
    found = [matrix.estimate(method, protocol, metric) for method in methods]
    result = matrix.any_result(protocol)
    if result is None or not any(found):
        return None
    values = "", [_value(matrix, method, protocol, metric) for method in methods]
    ends = "", [interval(metric, one.low, one.high) if one else NONE for one in found]
    if protocol.endswith(CHOSEN):
        thresholds = "at", [_at(matrix.row(method, protocol)) for method in methods]
        name = result.localizer.partition(",")[0]
        return block((name, f"chosen on {matrix.split.name}"), thresholds, values, ends)
    fixed = f"fixed at {_at(result)}" if metric in matrix.panels and _at(result) != NONE else ""
    return block((result.localizer, fixed), values, ends)


def _value(matrix: Matrix, method: str, protocol: str, metric: str) -> str:
    estimate: Estimate | None = matrix.estimate(method, protocol, metric)
    if estimate is None:
        return "open" if isinstance(matrix.row(method, protocol), OpenRow) else NONE
    return shown(metric, estimate.value)


def _at(row: Result | OpenRow | None) -> str:
    """Write a row's threshold."""
    threshold = threshold_of(row) if isinstance(row, Result) else None
    return NONE if threshold is None else f"{threshold:.3g}"


def _notes(matrix: Matrix) -> Iterator[Notes]:
    yield Notes("How to read it", tuple(_reading(matrix)))
    fixed = tuple(row for row in matrix.table.rows if not row.row.endswith(CHOSEN))
    of_table = notes(replace(matrix.table, rows=fixed))
    yield from (section for section in of_table if section.heading in _KEPT_NOTES)


def _reading(matrix: Matrix) -> Iterator[tuple[str, str]]:
    yield "", "Values are in %, errors unless it says accuracy; – stands where there is no number."
    noise = "under each value: bootstrap over the images, what other images of the kind would change, no more"
    yield "95 % interval", noise
    yield "thresholds", _thresholds(matrix)
    weights = {str(row.conditions["weights"]["source"]) for row in matrix.table.measured}
    if weights:
        yield "weights", ", ".join(sorted(weights))
    yield _ANY, "the box does not depend on the map, so there is one row for all methods"
    yield (
        "curves",
        "GT-known error over thresholds, in the plot and in the csv of that name; a point marks the fixed "
        "threshold, a star the chosen one. Of several boxes at one threshold the largest contour's counts",
    )
    for names in matrix.families:
        fixed = [name for name in names if not name.endswith(CHOSEN)]
        if len(fixed) > 1 and _at(matrix.any_result(fixed[0])) != NONE:
            shared = "differ in the threshold alone: one curve, and at most one chosen threshold"
            yield ", ".join(fixed), shared


def _thresholds(matrix: Matrix) -> str:
    split = matrix.split
    if not split.heldout:
        return (
            "each protocol's own, fixed before any image was seen. None was tuned: the curves are shown, and "
            "nothing is picked from them. heldout=FILE names images to choose on"
        )
    return (
        f"each protocol's own is fixed. Beside it, for each method, the one with the least GT-known error on "
        f"the {len(split.heldout)} images of {split.name} (the blacklist left out; the lowest of equal "
        f"ones). None of those images is among the {len(split.rest.samples)} that are evaluated here"
    )


def curves_csv(matrix: Matrix) -> str:
    """Write every curve as tidy csv: row, threshold, GT-known error as a fraction, images."""
    points = (
        (row, threshold, error, curve.n)
        for row, curve in matrix.curves.items()
        for threshold, error in zip(curve.thresholds.tolist(), curve.errors.tolist(), strict=True)
    )
    return csv.written(("row", "threshold", "gt_known", "n"), points)
