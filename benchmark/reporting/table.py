"""A table: measured cells beside published numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from benchmark.core.errors import UserError
from benchmark.core.types import Difference, OpenRow, Result
from benchmark.reporting.published import Published, PublishedRow
from benchmark.reporting.verdicts import NOT_COMPARABLE, Verdict, causes, judge


@dataclass(frozen=True, slots=True)
class DatasetNote:
    """What the measured numbers of a table were measured on.

    Attributes:
        name: The dataset's key.
        images: How many.
        complete: Whether this is the whole official set; otherwise its numbers are not that set's.
        fingerprint: sha256 of all of it that can change a number.
        note: Anything else a reader must know.
    """

    name: str
    images: int
    complete: bool
    fingerprint: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows in the order of the experiment, and what was published about them.

    Attributes:
        name: The experiment's table, such as ``table1``.
        title: What a person reads above it.
        dataset: What every measured row was measured on.
        rows: Measured or open.
        published: Numbers to stand beside, or ``None``.
        checks: What was asserted about the rows, each as a sentence.
        differences: Between rows, paired image by image.

    Raises:
        UserError: If a row stands twice, or was measured on other images than the table's.
    """

    name: str
    title: str
    dataset: DatasetNote
    rows: tuple[Result | OpenRow, ...]
    published: Published | None = None
    checks: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    def __post_init__(self) -> None:
        names = [row.row for row in self.rows]
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"table {self.name}: the row {name} stands twice; rename one of them")
        for row in self.rows:
            measured_on = _dataset_fingerprint(row)
            if measured_on not in (None, self.dataset.fingerprint):
                prints = f"{str(measured_on)[:12]}, not {self.dataset.fingerprint[:12]}"
                raise UserError(
                    f"table {self.name}: {row.row} was measured on other images than the table's ({prints}); "
                    f"run it again on {self.dataset.name}"
                )

    @property
    def measured(self) -> tuple[Result, ...]:
        """The rows that have numbers."""
        return tuple(row for row in self.rows if isinstance(row, Result))

    @property
    def open(self) -> tuple[OpenRow, ...]:
        """The rows that have none."""
        return tuple(row for row in self.rows if isinstance(row, OpenRow))

    @property
    def comparable(self) -> bool:
        """Whether there are published numbers, and of this very dataset, be it a part of it."""
        return self.published is not None and self.published.measured_on == self.dataset.name

    def origin(self, row: str) -> PublishedRow | None:
        """What was published about a row."""
        return self.published.rows.get(row) if self.published else None

    def target(self, row: str) -> PublishedRow | None:
        """The same, where a measurement may be held against it."""
        origin = self.origin(row)
        return origin if origin and self.comparable and not self.apart(row) else None

    def apart(self, row: str) -> str:
        """Why a row of these images is no measurement of the published one: empty where it is one."""
        origin, here = self.origin(row), next((one for one in self.rows if one.row == row), None)
        if origin is None or here is None:
            return ""
        if origin.models and here.model not in origin.models:
            return f"{here.model} is not the published network, for which {_either(origin.models)} stands"
        method = row.rpartition("/")[2]
        if here.method != method:
            return f"{here.method} is not the published method, {method}"
        return origin.not_comparable


def _either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _dataset_fingerprint(row: Result | OpenRow) -> Any:
    dataset = row.conditions.get("dataset") if isinstance(row, Result) else None
    return dataset.get("fingerprint") if isinstance(dataset, Mapping) else None


class Line(NamedTuple):
    """One metric of one row; numbers are fractions or correlations, ``None`` where there is none.

    Attributes:
        row: The row's name.
        model: The model's name.
        method: The method's name.
        protocol: Name and version of the localizer; empty for an open row.
        metric: The metric's name.
        measured: Value.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Images that it is an average over.
        published: Value.
        difference: ``measured - published``; ``None`` where the two are not comparable.
        inside: Whether the published value lies in the measured interval, its ends included; likewise.
        verdict: What follows (:mod:`benchmark.reporting.verdicts`): *matches*, *explained*, *unexplained*
            or, whether measured or not, *not comparable*; empty where nothing was published.
        reasons: That were weighed for it, each with its effect.
        source: Of the published value.
        why: Why a faithful measurement may differ from it, or why the two are not comparable.
        reproduced: Value that others measured; ``None`` where it is not comparable.
        reproduction: Who.
        dataset: What ``measured`` was measured on; names its fingerprint and whether it is the whole set.
        open: Why the row has no measured value.
    """

    row: str
    model: str
    method: str
    protocol: str
    metric: str
    measured: float | None
    low: float | None
    high: float | None
    n: int | None
    published: float | None
    difference: float | None
    inside: bool | None
    verdict: str
    reasons: str
    source: str
    why: str
    reproduced: float | None
    reproduction: str
    dataset: str
    open: str


def lines(table: Table) -> pd.DataFrame:
    """The table, tidy: one line for each metric of each row, with the columns of :class:`Line`.

    Paired differences follow, each as a row named ``first - second``.
    """
    frame = pd.DataFrame([*entries(table), *_paired(table)], columns=list(Line._fields))
    kinds = dict.fromkeys(("measured", "low", "high", "published", "difference", "reproduced"), "Float64")
    texts = dict.fromkeys(
        (
            *("row", "model", "method", "protocol", "metric", "verdict", "reasons", "source", "why"),
            *("reproduction", "dataset", "open"),
        ),
        "str",
    )
    return frame.astype({**kinds, **texts, "n": "Int64", "inside": "boolean"})


def entries(table: Table) -> Iterator[Line]:
    """The lines of :func:`lines`, typed: row by row, the published columns first, then the rest by name."""
    for row in table.rows:
        for metric in row_metrics(table, row):
            yield _line(table, row, metric)


def _paired(table: Table) -> Iterator[Line]:
    for difference in table.differences:
        value, low, high, n = difference.estimate
        yield Line(
            row=f"{difference.first} - {difference.second}",
            model="",
            method="paired difference",
            protocol="",
            metric=difference.metric,
            measured=value,
            low=low,
            high=high,
            n=n,
            published=None,
            difference=None,
            inside=None,
            verdict="",
            reasons="",
            source="",
            why="",
            reproduced=None,
            reproduction="",
            dataset=describe(table.dataset),
            open="",
        )


def row_metrics(table: Table, row: Result | OpenRow) -> list[str]:
    """Metrics that a row has a measured, published or reproduced value of."""
    measured = set(row.metrics) if isinstance(row, Result) else set()
    known = measured | set(_published(table, row.row)) | set(_reproduced(table, row.row)[0])
    columns = [column.key for column in table.published.columns] if table.published else []
    return [key for key in columns if key in known] + sorted(known - set(columns))


def _line(table: Table, row: Result | OpenRow, metric: str) -> Line:
    result = row if isinstance(row, Result) else None
    estimate = result.metrics.get(metric) if result else None
    published = _published(table, row.row).get(metric)
    reproduced, who = _reproduced(table, row.row)
    target = published if table.target(row.row) else None
    origin = table.origin(row.row) if published is not None else None
    found = verdict(table, row, metric)
    return Line(
        row=row.row,
        model=row.model,
        method=row.method,
        protocol=result.localizer if result else "",
        metric=metric,
        measured=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        n=estimate.n if estimate else None,
        published=published,
        # Rounded where the subtraction's own noise begins, so that the csv shows no 0.006100000000000005.
        difference=round(estimate.value - target, 12) if estimate and target is not None else None,
        inside=estimate.low <= target <= estimate.high if estimate and target is not None else None,
        verdict=found.word if found else "",
        reasons="; ".join(map(str, found.causes)) if found else "",
        source=origin.source if origin else "",
        why=_why(table, row.row, origin) if origin and estimate else "",
        reproduced=reproduced.get(metric),
        reproduction=who if metric in reproduced else "",
        dataset=describe(table.dataset),
        open="" if isinstance(row, Result) else row.reason,
    )


def verdict(table: Table, row: Result | OpenRow, metric: str) -> Verdict | None:
    """What became of a published number; ``None`` where there is none, or nothing to hold against it."""
    published = _published(table, row.row).get(metric)
    target = table.target(row.row)
    if published is None:
        return None
    if target is None:
        return Verdict(NOT_COMPARABLE, (), 0.0)
    if not isinstance(row, Result) or metric not in row.metrics:
        return None
    return judge(row.metrics[metric], published, causes(row, target, metric))


def _why(table: Table, row: str, origin: PublishedRow) -> str:
    return (table.apart(row) or origin.why) if table.comparable else not_comparable(table)


def not_comparable(table: Table) -> str:
    """Why no measured number of a table may be held against a published one, in one sentence."""
    published_on = table.published.measured_on if table.published else "nothing"
    models = ", ".join(dict.fromkeys(row.model for row in table.rows))
    return (
        f"measured on other images ({published_on}, not {table.dataset.name}) and with other networks than "
        f"these ({models}): no difference between the two means anything"
    )


def describe(dataset: DatasetNote) -> str:
    """One line that tells these images from any others."""
    part = "complete" if dataset.complete else "not the whole official set"
    note = f"; {dataset.note}" if dataset.note else ""
    return f"{dataset.name}: {dataset.images} images, {part}, fingerprint {dataset.fingerprint[:12]}{note}"


def _published(table: Table, row: str) -> Mapping[str, float]:
    entry = table.origin(row)
    return entry.metrics if entry else {}


def _reproduced(table: Table, row: str) -> tuple[Mapping[str, float], str]:
    """The first reproduction that has the row, and its key; nothing where it is not comparable."""
    fits = table.comparable and not table.apart(row)
    for reproduction in table.published.reproductions if table.published and fits else ():
        if row in reproduction.rows:
            return reproduction.rows[row], reproduction.name
    return {}, ""
