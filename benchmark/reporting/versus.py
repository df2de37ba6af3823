"""Two runs side by side: each number of the one beside the other's, with their paired difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from benchmark.core.nested import flatten
from benchmark.core.paired import PairedDifference, Statistic, compared
from benchmark.core.types import Estimate, Result
from benchmark.reporting.render.csv import written
from benchmark.reporting.render.layout import Layout, Notes, Subtable
from benchmark.reporting.text import NONE, grouped, one_line, plain, shown

if TYPE_CHECKING:
    from benchmark.reporting.table import Table

_COLUMNS = ("A", "B", "B - A [95 %]", "A : B alone", "p", "images")
_MADE_BY = "made_by."


class Comparable(Protocol):
    """A measured row that is read again from its records, of boxes or of pairs."""

    @property
    def result(self) -> Result:
        """Return the row as its table holds it."""
        ...

    @property
    def statistics(self) -> Mapping[str, Statistic]:
        """Return the numbers that can be compared image by image, by name."""
        ...

    @property
    def annotations(self) -> Mapping[str, object]:
        """Return what the dataset says of each image, to be compared with what another says."""
        ...

    def maker(self, number: str) -> type:
        """Return the kind of the metric that makes a number that can be compared."""
        ...


class Versus(NamedTuple):
    """One number of two rows.

    Attributes:
        row: Row of the first run, A.
        other: Row of the second run, B; mostly of the same name.
        metric: The metric's name.
        first: A's number; ``None`` if it has none.
        second: B's.
        difference: B less A, paired image by image; ``None`` where the two cannot be paired.
        why: Why they cannot; empty where they are.
    """

    row: str
    other: str
    metric: str
    first: Estimate | None
    second: Estimate | None
    difference: PairedDifference | None = None
    why: str = ""


@dataclass(frozen=True)
class SideBySide:
    """Two runs.

    Attributes:
        tables: Both runs' tables.
        places: Where they lie, as they were named.
        lines: Their numbers, row by row.
        options: Option, A's value, B's value to the rows in which it differs.
        unpaired: What is compared in part or not at all, each with the reason.
    """

    tables: tuple[Table, Table]
    places: tuple[str, str]
    lines: Sequence[Versus]
    options: Mapping[tuple[str, str, str], Sequence[str]]
    unpaired: Sequence[tuple[str, str]]


def versus(one: Comparable, other: Comparable) -> Iterator[Versus]:
    """Compare two rows metric by metric: the second less the first, over the images that both have alike.

    Options of a metric may differ, as in a sweep over them; :func:`differing` says in which.
    """
    unlike = annotated_otherwise(one, other)
    first, second = one.result.metrics, other.result.metrics
    for name in [*first, *(name for name in second if name not in first)]:
        line = Versus(one.result.row, other.result.row, name, first.get(name), second.get(name))
        ours, theirs = one.statistics.get(name), other.statistics.get(name)
        if name not in first or name not in second:
            line = line._replace(why=f"only {'B' if name not in first else 'A'} has it")
        elif ours is None or theirs is None:
            line = line._replace(why="it is no function of means over images")
        elif one.maker(name) is not other.maker(name):
            line = line._replace(why="another metric gives it in the other")
        else:
            found = compared(_without(theirs, unlike), _without(ours, unlike))
            line = line._replace(difference=found, why="" if found else "no image is in both")
        yield line


def annotated_otherwise(one: Comparable, other: Comparable) -> set[str]:
    """Return the images of both of which the two datasets do not say the same."""
    ours, theirs = one.annotations, other.annotations
    return {image for image in ours.keys() & theirs.keys() if ours[image] != theirs[image]}


def _without(statistic: Statistic, images: set[str]) -> Statistic:
    if not images:
        return statistic
    kept = [n for n, image in enumerate(statistic.image_ids) if image not in images]
    ids = tuple(statistic.image_ids[n] for n in kept)
    return Statistic(ids, statistic.values[kept], statistic.reduce, statistic.fraction)


def differing(pairs: Iterable[tuple[Result, Result]]) -> dict[tuple[str, str, str], list[str]]:
    """Return the options and conditions in which rows differ, each with the rows."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one, other in pairs:
        ours, theirs = _stated(one), _stated(other)
        for key in sorted(ours.keys() | theirs.keys()):
            a, b = ours.get(key, NONE), theirs.get(key, NONE)
            if a != b:
                found.setdefault((key, a, b), []).append(one.row)
    return found


def _stated(row: Result) -> dict[str, str]:
    """Return all options of a row, and what its numbers depend on beside them."""
    conditions = {key: value for key, value in row.conditions.items() if key in ("weights", "dataset")}
    makers = [maker for maker in row.conditions.get("made_by") or () if isinstance(maker, Mapping)]
    by = {
        f"{_MADE_BY}{key}": ", ".join(sorted({str(maker.get(key)) for maker in makers}))
        for key in {key for maker in makers for key in maker}
    }
    return {**flatten(conditions), **flatten(row.config), **by}


def layout(found: SideBySide, everything: bool = False) -> Layout:
    """Lay two runs out side by side.

    Args:
        found: The two runs.
        everything: Whether all numbers are shown; if not, those that the tables have columns of, if any.
    """
    titles = {key: title for table in found.tables for key, title in table.titles.items()}
    lines = [line for line in found.lines if everything or not titles or line.metric in titles]
    rows: dict[tuple[str, str], list[Versus]] = {}
    for line in lines:
        rows.setdefault((line.row, line.other), []).append(line)
    blocks = tuple(
        tuple(
            (_head(names) if not number else "", titles.get(line.metric, line.metric), *_cells(line))
            for number, line in enumerate(own)
        )
        for names, own in rows.items()
    )
    subtables = (Subtable(_COLUMNS, blocks),) if blocks else ()
    title = " and ".join(dict.fromkeys(table.full_title for table in found.tables))
    return Layout(f"A and B, side by side: {title}", subtables, tuple(_notes(found, len(lines))))


def _head(names: tuple[str, str]) -> str:
    return names[0] if names[0] == names[1] else " and ".join(names)


def _cells(line: Versus) -> Iterator[str]:
    """Write the cells of a line: values in percent, differences in points."""
    metric = line.metric
    for one in (line.first, line.second):
        yield NONE if one is None else shown(metric, one.value)
    if line.difference is None:
        yield from [NONE] * 4
        return
    (value, low, high, count), test = line.difference
    ends = [shown(metric, end, signed=True) if plain(metric) else f"{100 * end:+.1f}" for end in (low, high)]
    bounds = f" [{', '.join(ends)}]" if isfinite(high - low) else ""
    yield f"{shown(metric, value, signed=True)}{bounds}"
    yield from (f"{test.second} : {test.first}", f"{test.p:.2g}") if test else (NONE, NONE)
    yield str(count)


def _notes(found: SideBySide, count: int) -> Iterator[Notes]:
    places = zip("AB", found.places, found.tables, strict=True)
    yield Notes(
        "The two", tuple((name, f"{place}; {one_line(table.dataset)}") for name, place, table in places)
    )
    by = [(one, rows) for one, rows in found.options.items() if one[0].startswith(_MADE_BY)]
    options = [(one, rows) for one, rows in found.options.items() if not one[0].startswith(_MADE_BY)]
    if not options:
        yield Notes("Options in which they differ", (("", "none"),))
    for heading, some in (("Options in which they differ", options), ("Made by", by)):
        items = grouped((f"{key}: {a} → {b}", ", ".join(rows)) for (key, a, b), rows in some)
        if items:
            yield Notes(heading, tuple((rows, what) for what, rows in items))
    if found.unpaired:
        yield Notes("Not paired", tuple(found.unpaired))
    if any(line.difference for line in found.lines):
        yield Notes("How to read it", tuple(("", text) for text in _reading(found.lines, count)))


def _reading(lines: Sequence[Versus], count: int) -> Iterator[str]:
    names = {line.metric for line in lines}
    unscaled = sorted(filter(plain, names))
    but = f", but for {', '.join(unscaled)}, which are plain numbers" if unscaled else ""
    yield (
        f"Values are in %, over each run's own images; differences in percentage points{but}, over the "
        "images that both have."
    )
    yield "The interval is the paired bootstrap's: images are drawn, each with both runs' outcomes."
    yield (
        "A : B alone: images that count as an error (or whatever the metric counts) in A alone and in B "
        "alone; p is McNemar's exact two-sided one of these two counts."
    )
    yield f"Each interval and p-value is of its line alone, uncorrected for the number of lines, {count}."


def tidy(found: SideBySide) -> str:
    """Write every number as csv, unscaled: one line for each metric of each pair of rows."""
    header = ("row", "other_row", "metric", "a", "a_low", "a_high", "b", "b_low", "b_high")
    more = ("difference", "low", "high", "n", "a_alone", "b_alone", "mcnemar_p", "not_paired")
    return written((*header, *more), map(_record, found.lines))


def _record(line: Versus) -> list[Any]:
    values: list[Any] = [line.row, line.other, line.metric]
    for one in (line.first, line.second):
        values += [None] * 3 if one is None else [one.value, *one[1:3]]
    estimate, test = line.difference or (None, None)
    values += [None] * 4 if estimate is None else list(estimate)
    values += [None] * 3 if test is None else [test.second, test.first, test.p]
    return [*values, line.why]
