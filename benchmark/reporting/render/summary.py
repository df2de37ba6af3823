"""The table at the end of a run: one line a row, at most 100 columns wide, and how to read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

from benchmark.core.types import OpenRow
from benchmark.reporting.lines import Line, lines
from benchmark.reporting.render.layout import UNEXPLAINED_MARK, Layout, Subtable
from benchmark.reporting.text import NONE, better, grouped, interval, one_line, plain, shown
from benchmark.reporting.verdicts import EXPLAINED, MATCHES, NOT_COMPARABLE, UNEXPLAINED

if TYPE_CHECKING:
    from benchmark.reporting.table import Table

WIDTH = 100
MARKS = {MATCHES: "=", EXPLAINED: "≈", UNEXPLAINED: UNEXPLAINED_MARK}
"""How a verdict stands between the measured number and the published one."""

HALF = "± the longer side of its 95 % interval"

_PRINTED_ROWS = 12
"""Rows of several subtables below each other; a longer table shows its first subtable alone."""

_PRINTED_CHECKS = 4

_Found = dict[tuple[str, str], Line]
_Form = Callable[[Line], str]


def summary(table: Table) -> Layout:
    """Lay a table out for a person at a terminal; everything else about it stands in its files.

    Shown are the metrics that were published, and those that the rows are compared by; of a table without
    either, all. Each cell holds the measured value with its 95 % interval, the verdict and the published
    value: ``56.51 [54.1, 58.9] ≠ 57.20``, or ``56.51±2.41 ≠ 57.20`` where that is too wide.
    """
    found = {(line.row, line.metric): line for line in lines(table)}
    keys, subtables, forms = _metrics(table, list(found.values())), list[Subtable](), set[_Form]()
    left = keys
    while left and (not subtables or (len(subtables) + 1) * len(table.rows) <= _PRINTED_ROWS):
        subtable, count, form = _subtable(table, found, left)
        subtables.append(subtable)
        forms.add(form)
        left = left[count:]
    footer = dict.fromkeys([*_reading(table, keys[: len(keys) - len(left)], forms), *_footer(table, found)])
    if left:
        footer[f"In the files alone: {', '.join(left)}."] = None
    return Layout(table.full_title, tuple(subtables), footer=tuple(footer))


def _metrics(table: Table, found: Sequence[Line]) -> list[str]:
    published = {line.metric for line in found if line.published is not None} | _always(table, found)
    compared = dict.fromkeys(difference.metric for difference in table.differences)
    chosen = dict.fromkeys([*(key for key in table.titles if key in published), *compared])
    return list(chosen or dict.fromkeys(line.metric for line in found))


def _always(table: Table, found: Sequence[Line]) -> set[str]:
    """Return the measured columns that are to be shown whether or not numbers of them were published."""
    columns = table.published.columns if table.published else {}
    measured = {line.metric for line in found}
    return {name for name, column in columns.items() if column.always and name in measured}


def _subtable(table: Table, found: _Found, keys: Sequence[str]) -> tuple[Subtable, int, _Form]:
    """Lay out as many of the metrics as fit; with their number, and the fullest form in which they do."""
    room = WIDTH - max(len(row.row) for row in table.rows)
    for count in range(len(keys), 0, -1):
        for form in _FORMS:
            columns = [_column(table, found, key, form) for key in keys[:count]]
            if sum(2 + len(column[0]) for column in columns) <= room or (count, form) == (1, _FORMS[-1]):
                heads, *rows = zip(*columns, strict=True)
                cells = zip(table.rows, rows, strict=True)
                blocks = tuple(((row.row, "", *texts),) for row, texts in cells)
                return Subtable(heads, blocks), count, form
    raise ValueError("there is no metric to show")


def _column(table: Table, found: _Found, metric: str, form: _Form) -> list[str]:
    """Write the title and the cells of one metric, all of one width, their parts below each other."""
    lines = [found.get((row.row, metric)) for row in table.rows]
    nothing = ["open" if isinstance(row, OpenRow) else NONE for row in table.rows]
    values = [form(line) if line else text for line, text in zip(lines, nothing, strict=True)]
    point = max(text.find(".") for text in values)
    values = [" " * (point - text.find(".")) + text if "." in text else text for text in values]
    width, title = max(map(len, values)), table.titles.get(metric, metric)
    cells = [
        f"{value:<{width}} {_published(line)}".rstrip() for value, line in zip(values, lines, strict=True)
    ]
    total = max(map(len, [title, *cells]))
    return [text.ljust(total) for text in [title, *cells]]


def _published(line: Line | None) -> str:
    """Write the verdict's mark and the published value; in parentheses what is not comparable."""
    if line is None or line.published is None:
        return ""
    value = shown(line.metric, line.published)
    word = line.verdict.word if line.verdict else ""
    return f"({value})" if word == NOT_COMPARABLE else f"{MARKS.get(word, ' ')} {value}"


def half_width(metric: str, value: float, low: float | None, high: float | None, digits: int = 2) -> str:
    """Write the longer side of a 95 % interval, such as ``±2.41``; nothing where it has no bounds."""
    if low is None or high is None or not isfinite(high - low):
        return ""
    half = max(value - low, high - value)
    return f"±{shown(metric, half) if plain(metric) else f'{100 * half:.{digits}f}'}"


def _with_interval(line: Line) -> str:
    ends = interval(line.metric, line.low, line.high)
    return _value(line) if ends == NONE else f"{_value(line)} [{re.sub('–| to ', ', ', ends)}]"


def _with_half(line: Line, digits: int = 2) -> str:
    if line.measured is None:
        return _value(line)
    value = _value(line) if plain(line.metric) else f"{100 * line.measured:.{digits}f}"
    return value + half_width(line.metric, line.measured, line.low, line.high, digits)


_FORMS: tuple[_Form, ...] = (_with_interval, _with_half, partial(_with_half, digits=1))


def _value(line: Line) -> str:
    return "open" if line.open else shown(line.metric, line.measured)


def _reading(table: Table, keys: Sequence[str], forms: Set[_Form]) -> Iterator[str]:
    """Say how the numbers shown are to be read; of published columns their own titles say what is better."""
    unscaled = [key for key in keys if plain(key)]
    but = f"In %, but for {', '.join(unscaled)}: m" if unscaled else "In %: m"
    sides = ["[its 95 % interval]"] * (_with_interval in forms) + [HALF] * bool(forms - {_with_interval})
    yield f"{'M' if unscaled == list(keys) else but}easured {' or '.join(sides)}."
    ours = [key for key in keys if key not in table.titles]
    yield from (f"{what}: {', '.join(names)}." for what, names in better(ours).items())


def _footer(table: Table, found: _Found) -> Iterator[str]:
    words = {line.verdict.word for line in found.values() if line.verdict}
    marks = ["= matches, ≈ explained by reasons of known size, ≠ unexplained"] if words & set(MARKS) else []
    marks += ["(…) not comparable"] if NOT_COMPARABLE in words else []
    if marks:
        yield f"Behind it the published number: {', '.join(marks)}."
    if NOT_COMPARABLE in words and not table.comparable:
        yield f"Not comparable: {table.not_comparable}."
    yield from conditions(table)
    yield from _comparisons(table)


def conditions(table: Table) -> Iterator[str]:
    """Say what a table was measured on, how it was computed, and why which rows of it are open."""
    yield f"Images: {str(table.dataset).partition('; ')[0]}."
    skipped = ((row.row, str(row.counts["skipped"])) for row in table.measured if row.counts.get("skipped"))
    for rows, count in grouped(skipped):
        yield f"Images left out, unreadable or without labels: {count} ({rows})."
    precisions = {str((row.conditions.get("run") or {}).get("precision")) for row in table.measured}
    for half in sorted(precisions & {"bfloat16", "float16"}):
        yield f"Computed in {half}, which moves boxes, most of all Backprop's (docs/precision.md)."
    makers = [maker for row in table.measured for maker in row.conditions.get("made_by") or ()]
    for what, key in (("devices", "device"), ("batch sizes", "batch_size")):
        several = sorted({str(maker[key]) for maker in makers if key in maker})
        if len(several) > 1:
            yield f"Made on several {what}, which round differently: {', '.join(several)}."
    reasons = grouped((row.row, one_line(row.reason)) for row in table.open)
    yield from (f"Open: {rows}: {reason}" for rows, reason in reasons)


def _comparisons(table: Table) -> Iterator[str]:
    """List each check that failed, and of the others the counts."""
    yield from table.failed_checks
    others = [_in_short(check) for check in table.checks if check not in table.failed_checks]
    yield from (f"Compared: {text}" for text in others[:_PRINTED_CHECKS])
    if others[_PRINTED_CHECKS:]:
        yield f"{len(others) - _PRINTED_CHECKS} more comparisons are in the files."
    if table.differences and not any(" differences " in text for text in others):
        ends = [difference.estimate[1:3] for difference in table.differences]
        certain = sum(low > 0 or high < 0 for low, high in ends)
        yield f"Paired differences: {certain} of {len(ends)} have an interval that excludes 0."


def _in_short(check: str) -> str:
    """Shorten a sentence about many comparisons by the clauses that list them."""
    subject, _, _ = check.partition(": ")
    counts = [clause for clause in check.split("; ")[1:] if clause[0].isdigit()]
    return f"{subject}: {'; '.join(counts)}." if counts else check
