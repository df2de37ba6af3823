"""What a table says about the number that is explained."""

from benchmark.reporting.lines import lines
from benchmark.reporting.table import Table
from benchmark.reporting.verdicts import MATCHES
from benchmark.tasks.boxes.gap.waterfall import Published

_APART = (
    "the published number is of other images or of another network, so that the walk begins at the paper's"
)


def target(table: Table, row: str, metric: str) -> Published | None:
    """Where the walk begins; ``None`` where no published number can be held against the row."""
    found = table.comparable_row(row)
    if found is None or metric not in found.metrics:
        return None
    return Published(found.metrics[metric], found.metrics.get(metric.replace("loc_", "cls_")))


def verdict_of(table: Table, metric: str) -> str:
    """The verdict on the first row's number, with what was weighed."""
    row = table.rows[0]
    found = next(
        (line.verdict for line in lines(table) if line[0] == row.row and line.metric == metric), None
    )
    if found is None:
        return "none: nothing was published for this row"
    if not table.comparable_row(row.row):
        return f"none: {_APART} conventions"
    if found.word == MATCHES:
        return "matches: the published number lies in the measured interval"
    weighed = ", ".join(map(str, found.causes)) or "no reason of known size"
    left = f"; {100 * found.left:+.2f} points left" if found.left else ""
    return f"{found.word}: weighed were {weighed}{left}"


def reproduced(table: Table, row: str, metric: str) -> str:
    """What another study measured, and why it differs; empty for none."""
    fits = table.comparable and not table.mismatch(row)
    for study in table.published.reproductions if table.published and fits else ():
        if metric in study.rows.get(row, {}):
            return f"reproduced by others ({study.name}): {100 * study.rows[row][metric]:.2f}. {study.why}"
    return ""
