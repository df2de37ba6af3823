"""The lines of a table: each number beside the published one, and the verdict on it, judged here alone."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmark.core.types import OpenRow, Result
from benchmark.reporting.table import Table
from benchmark.reporting.verdicts import NOT_COMPARABLE, Verdict, causes, judge


class Line(NamedTuple):
    """One metric of one row; numbers are fractions or correlations, ``None`` where there is none.

    Attributes:
        row: The row's name.
        model: The model's name.
        method: The method's name.
        protocol: Name and version of the localizer; empty for an open row.
        metric: The metric's name.
        dataset: What ``measured`` was measured on; names its fingerprint and whether it is the whole set.
        measured: Value.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Images that it is an average over.
        published: Value.
        difference: ``measured - published``; ``None`` where the two are not comparable.
        inside: Whether the published value lies in the measured interval, its ends included; likewise.
        verdict: *matches*, *explained*, *unexplained* or, whether measured or not, *not comparable*
            (:mod:`benchmark.reporting.verdicts`); ``None`` where nothing was published.
        source: Of the published value.
        why: Why a faithful measurement may differ from it, or why the two are not comparable.
        reproduced: Value that others measured; ``None`` where it is not comparable.
        reproduction: Who.
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
    return [_line(table, row, metric) for row in table.rows for metric in _metrics(table, row)]


def differences(table: Table) -> Iterator[Line]:
    """List the paired differences of a table, each as a row named ``first - second``."""
    for first, second, metric, estimate in table.differences:
        name, images = f"{first} - {second}", str(table.dataset)
        yield Line(name, "", "paired difference", "", metric, images, *estimate)


def _metrics(table: Table, row: Result | OpenRow) -> list[str]:
    """Metrics that a row has a measured, published or reproduced value of."""
    measured = set(row.metrics) if isinstance(row, Result) else set()
    known = measured | set(_published(table, row.row)) | set(_reproduced(table, row.row)[0])
    columns = [column.key for column in table.published.columns] if table.published else []
    return [key for key in columns if key in known] + sorted(known - set(columns))


def _line(table: Table, row: Result | OpenRow, metric: str) -> Line:
    estimate = row.metrics.get(metric) if isinstance(row, Result) else None
    published = _published(table, row.row).get(metric)
    reproduced, who = _reproduced(table, row.row)
    origin = table.published_row(row.row) if published is not None else None
    line = Line(
        row=row.row,
        model=row.model,
        method=row.method,
        protocol=row.localizer if isinstance(row, Result) else "",
        metric=metric,
        dataset=str(table.dataset),
        published=published,
        verdict=_verdict(table, row, metric),
        source=origin.source if origin else "",
        reproduced=reproduced.get(metric),
        reproduction=who if metric in reproduced else "",
        open="" if isinstance(row, Result) else row.reason,
    )
    if estimate is None:
        return line
    target = published if table.comparable_row(row.row) else None
    value, low, high, n = estimate
    why = (table.mismatch(row.row) or origin.why) if origin and table.comparable else table.not_comparable
    return line._replace(
        measured=value,
        low=low,
        high=high,
        n=n,
        # Rounded where the subtraction's own noise begins, so that the csv shows no 0.006100000000000005.
        difference=None if target is None else round(value - target, 12),
        inside=None if target is None else low <= target <= high,
        why=why if origin else "",
    )


def _verdict(table: Table, row: Result | OpenRow, metric: str) -> Verdict | None:
    """What became of a published number; ``None`` where there is none, or nothing to compare with it."""
    published = _published(table, row.row).get(metric)
    target = table.comparable_row(row.row)
    if published is None:
        return None
    if target is None:
        return Verdict(NOT_COMPARABLE, (), 0.0)
    if not isinstance(row, Result) or metric not in row.metrics:
        return None
    return judge(row.metrics[metric], published, causes(row, target, metric))


def _published(table: Table, row: str) -> Mapping[str, float]:
    found = table.published_row(row)
    return found.metrics if found else {}


def _reproduced(table: Table, row: str) -> tuple[Mapping[str, float], str]:
    """The first reproduction that has the row, and its key; nothing where it is not comparable."""
    fits = table.comparable and not table.mismatch(row)
    for reproduction in table.published.reproductions if table.published and fits else ():
        if row in reproduction.rows:
            return reproduction.rows[row], reproduction.name
    return {}, ""
