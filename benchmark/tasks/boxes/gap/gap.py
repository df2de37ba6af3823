"""A gap as one value, what is printed and drawn of it, and what was published about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.reporting.lines import lines
from benchmark.reporting.text import shown
from benchmark.tasks.boxes.gap.waterfall import PublishedError, Step, Waterfall

if TYPE_CHECKING:
    from benchmark.reporting.table import Table


@dataclass(frozen=True)
class Gap:
    """Everything about the distance between a published and a measured number.

    Attributes:
        row: The row's name.
        metric: ``loc_top1`` or ``loc_top5``.
        images: The images that were measured, in one line.
        complete: Whether that is the whole official set.
        run: Model, method and protocol, in one line.
        waterfall: The walk from the published number.
        same: Conventions that are alike in paper and run, as far as is known.
        alone: Every other setting, all else as in the run.
        verdict: Verdict on the row's number with its reasons, or why there is none.
        reproduced: What another study measured, in a sentence; empty without one.
    """

    row: str
    metric: str
    images: str
    complete: bool
    run: str
    waterfall: Waterfall
    same: tuple[str, ...]
    alone: tuple[Step, ...]
    verdict: str
    reproduced: str


def published_error(table: Table, row: str, metric: str) -> PublishedError | None:
    """Return where the walk begins; ``None`` where no published number can be compared with the row."""
    found = table.comparable_row(row)
    if found is None or metric not in found.metrics:
        return None
    return PublishedError(found.metrics[metric], found.metrics.get(metric.replace("loc_", "cls_")))


def verdict_of(table: Table, metric: str) -> str:
    """Return the verdict on the first row's number, with what was weighed."""
    row = table.rows[0].row
    line = next((one for one in lines(table) if (one.row, one.metric) == (row, metric)), None)
    if line is None or line.verdict is None:
        return "none: nothing was published for this row"
    if not table.comparable_row(row):
        other = "the published number is of other images or of another network"
        return f"none: {other}, so that the walk begins at the paper's conventions"
    return line.verdict.describe(metric)


def reproduced(table: Table, row: str, metric: str) -> str:
    """Return what another study measured, and why it differs; empty without one."""
    found = table.reproduction(row)
    if found is None or metric not in found[1].rows[row]:
        return ""
    name, study = found
    return f"reproduced by others ({name}): {shown(metric, study.rows[row][metric])}. {study.why}"
