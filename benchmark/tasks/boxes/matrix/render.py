"""A matrix as text: for each number one panel of protocols by methods, then what a reader must know."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace

from benchmark.core.types import OpenRow, Result
from benchmark.reporting.lines import Line, lines
from benchmark.reporting.render.layout import Block, Layout, Panel, Strip
from benchmark.reporting.render.notes import Notes, notes
from benchmark.reporting.render.summary import HALF, conditions, with_half
from benchmark.reporting.text import NONE, interval, shown
from benchmark.tasks.boxes.matrix.evaluate import CHOSEN
from benchmark.tasks.boxes.matrix.matrix import Matrix, family_of, threshold_of

_ANY = "any method"
_KEPT_NOTES = ("Images", "Protocols", "Open rows", "Conditions of all measured rows")


def layouts(matrix: Matrix) -> list[Layout]:
    """What is printed, in order; columns are methods, and each cell has its 95 % interval under it."""
    found = {(line.row, line.metric): line for line in lines(matrix.table)}
    panels = [_panels(matrix, found, metric) for metric in (*matrix.panels, *matrix.bounds)]
    told = tuple(note for note in _notes(matrix) if note.items)
    return [Layout(matrix.table.full_title, (), ()), *filter(None, panels), Layout("Notes", (), told)]


def summary(matrix: Matrix) -> Layout:
    """Lay the first number out in one line a protocol; every other one stands in the files."""
    metric, words = next(iter(matrix.panels.items()))
    found = {line.row: line for line in lines(matrix.table) if line.metric == metric}
    panels = []
    for methods, names in ((matrix.methods, matrix.protocols), (("",), matrix.baselines)):
        blocks = []
        for name in names:
            rows = (matrix.row(method, name) for method in methods)
            blocks.append(Block((name,), (Strip("", tuple(_short(row, found) for row in rows)),)))
        panels.append(Panel(methods if methods != ("",) else (_ANY,), tuple(blocks)))
    others = "Every other number, the intervals' ends and the thresholds stand in the files."
    footer = (f"{words}, in %, {HALF}.", *conditions(matrix.table), others)
    return Layout(matrix.table.full_title, tuple(p for p in panels if p.blocks), footer=footer)


def _short(row: Result | OpenRow | None, found: Mapping[str, Line]) -> str:
    if row is None or row.row not in found:
        return "open" if isinstance(row, OpenRow) else NONE
    return with_half(found[row.row])


def _panels(matrix: Matrix, lines: dict[tuple[str, str], Line], metric: str) -> Layout | None:
    """The panel of one number, and that of the baselines; ``None`` where no row has the number."""
    by_row = {row: line for (row, name), line in lines.items() if name == metric}
    sizes = sorted({line.n for line in by_row.values() if line.n is not None})
    if not sizes:
        return None
    told = metric in matrix.panels
    blocks = [_block(matrix, by_row, name, told) for name in matrix.protocols]
    blind = [_block(matrix, by_row, name, told) for name in matrix.baselines]
    panels = [Panel(matrix.methods, tuple(filter(None, blocks))), Panel((_ANY,), tuple(filter(None, blind)))]
    counted = " to ".join(map(str, sizes[:: max(len(sizes) - 1, 1)]))
    words = matrix.panels.get(metric) or matrix.bounds[metric]
    title = f"{words} [%, n = {counted}]"
    return Layout(title, tuple(panel for panel in panels if panel.blocks), ())


def _block(matrix: Matrix, lines: dict[str, Line], protocol: str, told: bool) -> Block | None:
    """One protocol's numbers; ``told`` whether they are of its one threshold, which is then named."""
    methods = ("",) if protocol in matrix.baselines else matrix.methods
    rows = [matrix.row(method, protocol) for method in methods]
    found = [lines.get(row.row) if row else None for row in rows]
    result = matrix.any_result(protocol)
    if result is None or not any(found):
        return None
    values = [
        "open" if isinstance(row, OpenRow) else shown(line.metric, line.measured) if line else NONE
        for row, line in zip(rows, found, strict=True)
    ]
    strips = [
        Strip("", tuple(values)),
        Strip("", tuple(interval(line.metric, line.low, line.high) if line else NONE for line in found)),
    ]
    if protocol.endswith(CHOSEN):
        strips.insert(0, Strip("at", tuple(_at(row) for row in rows)))
        return Block((result.localizer.partition(",")[0], f"chosen on {matrix.split.name}"), tuple(strips))
    fixed = _at(result)
    return Block((result.localizer, f"fixed at {fixed}" if told and fixed != NONE else ""), tuple(strips))


def _at(row: Result | OpenRow | None) -> str:
    """A row's threshold."""
    threshold = threshold_of(row) if isinstance(row, Result) else None
    return NONE if threshold is None else f"{threshold:.3g}"


def _notes(matrix: Matrix) -> Iterator[Notes]:
    yield Notes("How to read it", tuple(_reading(matrix)))
    fixed = tuple(row for row in matrix.table.rows if not row.row.endswith(CHOSEN))
    told = notes(replace(matrix.table, rows=fixed))
    yield from (note for note in told if note.heading in _KEPT_NOTES)


def _reading(matrix: Matrix) -> Iterator[tuple[str, str]]:
    yield "", "Values are in %, errors unless it says accuracy; – stands where there is no number."
    noise = "under each value: bootstrap over the images, what other images of the kind would change, no more"
    yield "95 % interval", noise
    yield from _thresholds(matrix)
    weights = {str(row.conditions["weights"]["source"]) for row in matrix.table.measured}
    if weights:
        yield "weights", ", ".join(sorted(weights))
    yield _ANY, "the box does not depend on the map, so there is one row for all methods"
    yield (
        "curves",
        "GT-known error over thresholds, in the plot and in the csv of that name; a point marks the fixed "
        "threshold, a star the chosen one. Of several boxes at one threshold the largest contour's counts",
    )
    for names in _alike(matrix):
        yield ", ".join(names), "differ in the threshold alone: one curve, and at most one chosen threshold"


def _thresholds(matrix: Matrix) -> Iterator[tuple[str, str]]:
    split = matrix.split
    if not split.heldout:
        yield (
            "thresholds",
            "each protocol's own, fixed before any image was seen. None was tuned: the curves are shown, and "
            "nothing is picked from them. heldout=FILE names images to choose on",
        )
        return
    yield (
        "thresholds",
        f"each protocol's own is fixed. Beside it, for each method, the one with the least GT-known error on "
        f"the {len(split.heldout)} images of {split.name} (the blacklist left out; the lowest of equal "
        f"ones). None of those images is among the {len(split.rest.samples)} that are evaluated here",
    )


def _alike(matrix: Matrix) -> Iterator[list[str]]:
    """Protocols that share a curve."""
    groups: dict[str, list[str]] = {}
    for protocol in matrix.protocols:
        result = matrix.any_result(protocol)
        if result and threshold_of(result) is not None and not protocol.endswith(CHOSEN):
            groups.setdefault(family_of(result), []).append(protocol)
    return (names for names in groups.values() if len(names) > 1)


def curves_csv(matrix: Matrix) -> str:
    """Every curve, tidy: row, threshold, GT-known error as a fraction, images."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("row", "threshold", "gt_known", "n"))
    for row, curve in matrix.curves.items():
        points = zip(curve.thresholds.tolist(), curve.errors.tolist(), strict=True)
        writer.writerows((row, threshold, error, curve.n) for threshold, error in points)
    return buffer.getvalue()
