"""The lines of a table: each number beside the published one, and the verdict on it, judged here alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from benchmark.core.types import OpenRow, Result
from benchmark.reporting.verdicts import NOT_COMPARABLE, Verdict, causes, judge

if TYPE_CHECKING:
    from benchmark.reporting.published import PublishedRow
    from benchmark.reporting.table import Table


class Line(NamedTuple):
    """One metric of one row; numbers are fractions or correlations, ``None`` where there is none.

    Attributes:
        row: The row's name.
        model: The model's name.
        method: The method's name.
        protocol: Name and version of the localizer; empty for an open row.
        metric: The metric's name.
        dataset: Images of ``measured``, with their fingerprint and whether they are the whole set.
        measured: Value.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Images that it is an average over.
        published: Value.
        difference: ``measured - published``; ``None`` where the two are not comparable.
        inside: Whether the published value lies in the measured interval, its ends included; likewise.
        verdict: *matches*, *explained*, *unexplained* or, whether measured or not, *not comparable*
            (:mod:`benchmark.reporting.verdicts`); ``None`` where nothing was published.
        source: Source of the published value.
        why: Why a faithful measurement may differ from it, or why the two are not comparable.
        reproduced: Value that others measured; ``None`` where it is not comparable.
        reproduction: Name of the study that reproduced the number.
        open: Why the row has no measured value.
    """

    row: str
    model: str
    method: str
    protocol: str
    metric: str
    dataset: str
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    published: float | None = None
    difference: float | None = None
    inside: bool | None = None
    verdict: Verdict | None = None
    source: str = ""
    why: str = ""
    reproduced: float | None = None
    reproduction: str = ""
    open: str = ""


def lines(table: Table) -> list[Line]:
    """List a table row by row, the published columns of a row first, then its other metrics by name."""
    return [line for row in table.rows for line in _lines(table, row)]


def differences(table: Table) -> Iterator[Line]:
    """List the paired differences of a table, each as a row named ``first - second``."""
    for first, second, metric, estimate in table.differences:
        name, images = f"{first} - {second}", str(table.dataset)
        yield Line(name, "", "paired difference", "", metric, images, *estimate)


def _lines(table: Table, row: Result | OpenRow) -> Iterator[Line]:
    """List a line for each metric that the row has a measured, published or reproduced value of."""
    measured = row.metrics if isinstance(row, Result) else {}
    origin, reproduction = table.published_row(row.row), table.reproduction(row.row)
    who, study = reproduction or ("", None)
    published = origin.metrics if origin else {}
    reproduced = study.rows[row.row] if study else {}
    known = {*measured, *published, *reproduced}
    for metric in [key for key in table.titles if key in known] + sorted(known - set(table.titles)):
        line = Line(
            row=row.row,
            model=row.model,
            method=row.method,
            protocol=row.localizer if isinstance(row, Result) else "",
            metric=metric,
            dataset=str(table.dataset),
            reproduced=reproduced.get(metric),
            reproduction=who if metric in reproduced else "",
            open="" if isinstance(row, Result) else row.reason,
        )
        if metric in measured:
            value, low, high, n = measured[metric]
            line = line._replace(measured=value, low=low, high=high, n=n)
        yield _compared(table, row, line, origin) if origin and metric in published else line


def _compared(table: Table, row: Result | OpenRow, line: Line, origin: PublishedRow) -> Line:
    """Set a line beside what was published, and judge it where the two are comparable."""
    published, target = origin.metrics[line.metric], table.comparable_row(line.row)
    line = line._replace(published=published, source=origin.source)
    if target is None:
        line = line._replace(verdict=Verdict(NOT_COMPARABLE))
    if not isinstance(row, Result) or line.metric not in row.metrics:
        return line
    if target is None:
        why = table.mismatch(line.row) or origin.why if table.comparable else table.not_comparable
        return line._replace(why=why)
    value, low, high, _ = row.metrics[line.metric]
    return line._replace(
        # Rounded where the subtraction's own noise begins, so that the csv shows no 0.006100000000000005.
        difference=round(value - published, 12),
        inside=low <= published <= high,
        verdict=judge(row.metrics[line.metric], published, causes(row, target, line.metric)),
        why=origin.why,
    )
