"""The notes under a table: what each number means, where it came from, and why it may differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.core.nested import flatten
from benchmark.reporting.lines import lines
from benchmark.reporting.render.layout import Notes
from benchmark.reporting.text import better, grouped, one_line, plain, shown
from benchmark.reporting.verdicts import CLASSIFICATION
from benchmark.reporting.verdicts import NOT_COMPARABLE as NO_VERDICT

if TYPE_CHECKING:
    from benchmark.core.types import Result
    from benchmark.reporting.published import Condition
    from benchmark.reporting.table import Table

NOT_COMPARABLE = "published, not comparable"
"""What stands beside published numbers of another dataset than the table's."""

_APART = ("dataset", "weights", "protocol", "input", "layers")
"""Conditions that have a note of their own, or stand in the result's json alone."""

_ELSEWHERE = ("_target_", "name", "version", "grid")
"""Options of a localizer that stand elsewhere, or do not change its box."""

_CORRECTED = "_corrected"
"""What the name of an estimate ends in that has the bias of the one beside it taken off."""

_BETTER = {
    "error": " (lower is better)",
    "accuracy": " (higher is better)",
    "correlation": " (higher is better)",
    "number": " (higher is better)",
}


def notes(table: Table) -> tuple[Notes, ...]:
    """List what a reader must know before quoting a number; a section without items is left out."""
    sections = (
        Notes("How to read it", tuple(_reading(table))),
        Notes("Images", tuple(_images(table))),
        Notes("Protocols", tuple(_protocols(table.measured))),
        Notes("Open rows", tuple(grouped((row.row, one_line(row.reason)) for row in table.open))),
        Notes("Checks", tuple(("", one_line(check)) for check in table.checks)),
        Notes("Paired differences", tuple(_differences(table))),
        Notes("Verdicts", tuple(_verdicts(table))),
        Notes(f"Published numbers, {_relation(table)}", tuple(grouped(_published(table)))),
        Notes("Measured rows", tuple((row.row, _about(row, table.measured)) for row in table.measured)),
        Notes("Conditions of all measured rows", tuple(_common(table.measured).items())),
    )
    return tuple(section for section in sections if section.items)


def _reading(table: Table) -> Iterator[tuple[str, str]]:
    points = "" if table.beside and not table.comparable else ", differences in percentage points"
    columns = table.published.columns if table.published else {}
    measured = {name for row in table.measured for name in row.metrics}
    known = measured | set(columns)
    unscaled = sorted(filter(plain, known))
    if known == set(unscaled) and unscaled:
        yield "", "Values are plain numbers, not %; – stands where there is no number."
    else:
        but = f", but for {', '.join(unscaled)}, which are plain numbers" if unscaled else ""
        yield "", f"Values are in %{points}{but}; – stands where there is no number."
    for column in columns.values():
        yield column.title, f"{column.kind}{_BETTER.get(column.kind, '')}: {column.means}"
    others = measured - set(columns)
    if others:
        where = "explained in benchmark/metrics or benchmark/tasks/pairs/metrics"
        yield ", ".join(sorted(others)), f"{where}; thresholds are 100 times the localizer's own"
        if not columns:
            yield from ((", ".join(names), what.lower()) for what, names in better(sorted(others)).items())
    corrected = sorted(name for name in others if name.endswith(_CORRECTED))
    if corrected:
        uncorrected = [name.removesuffix(_CORRECTED) for name in corrected]
        yield (
            ", ".join(table.titles.get(name, name) for name in uncorrected),
            "at the threshold that is best on the scored images: biased upward, most on few images",
        )
        yield (
            ", ".join(corrected),
            "the same without the optimism of that choice: quote this one on few images",
        )
    if table.measured:
        noise = "bootstrap over the images: what other images of the kind would change, no more"
        yield "95 % interval", noise
    if table.beside and not table.comparable:
        yield NOT_COMPARABLE, table.not_comparable
    elif table.measured and table.beside:
        mark = "* marks a published number outside the measured interval"
        yield "difference", f"measured minus published; {mark}"
        yield (
            "verdict",
            "matches: the published number lies in the interval; explained: it does once the effects of the "
            "reasons under Verdicts are added to it; unexplained: not even then. A reason without a known "
            "size explains nothing",
        )


def _differences(table: Table) -> Iterator[tuple[str, str]]:
    """List each difference with its interval, and whether that excludes 0."""
    for first, second, metric, (value, low, high, n) in table.differences:
        number, *ends = (shown(metric, one, signed=True) for one in (value, low, high))
        number += "" if plain(metric) else " points"
        if high - low == math.inf:
            text = f"{number}, n {n}; one image cannot tell it from 0"
        else:
            apart = "; the interval excludes 0" if low > 0 or high < 0 else ""
            text = f"{number} [{', '.join(ends)}], n {n}{apart}"
        yield table.titles.get(metric, metric), f"{first} - {second}: {text}"


def _verdicts(table: Table) -> Iterator[tuple[str, str]]:
    """List the verdicts row by row, with the reasons that were weighed, and the sources of their sizes."""
    sources: dict[str, dict[str, None]] = {}  # source to the reasons that it sizes, in order
    judged: dict[str, list[str]] = {}
    for line in lines(table):
        if line.verdict and line.verdict.word != NO_VERDICT:
            text = f"{table.titles[line.metric]} {line.verdict.describe(line.metric)}"
            judged.setdefault(line.row, []).append(text)
            for cause in (cause for cause in line.verdict.causes if cause.source):
                sources.setdefault(cause.source, {})[cause.what] = None
    yield from ((row, "; ".join(texts)) for row, texts in judged.items())
    yield from (("; ".join(reasons), source) for source, reasons in sources.items())
    if not sources and not any(table.comparable_row(row.row) for row in table.measured):
        return
    yield (
        CLASSIFICATION,
        "computed: the difference in classification times the published share of right boxes among rightly "
        "classified images. The sizes of all other reasons hold with the published classification",
    )
    if not table.dataset.complete:
        yield (
            "",
            "A verdict is on these images alone, where a match may be chance. That the images are others is "
            "no reason: its effect has no bound.",
        )


def _images(table: Table) -> Iterator[tuple[str, str]]:
    yield "measured", one_line(table.dataset)
    if table.beside:
        yield "published", table.beside.dataset
    if table.comparable and not table.dataset.complete:
        advice = (
            "compare measured rows with one another, since other images alone move a number by whole points"
        )
        yield "", f"The measured images are not the published set: {advice}."


def _protocols(rows: Sequence[Result]) -> Iterator[tuple[str, str]]:
    """List each localizer with its meaning, and with its rows where one name stands for several settings."""
    meanings: dict[tuple[str, str], list[str]] = {}
    for row in (row for row in rows if row.localizer):  # a row without boxes may have no protocol
        meanings.setdefault((row.localizer, _protocol(row)), []).append(row.row)
    names = [name for name, _ in meanings]
    for (name, text), users in meanings.items():
        ambiguous = names.count(name) > 1
        yield f"{name} ({', '.join(users)})" if ambiguous else name, text


def _protocol(row: Result) -> str:
    """Return what the run recorded about its localizer or reference, and the options that it ran with."""
    options = flatten(_mapping(row.config.get("localizer", row.config.get("reference"))))
    chosen = [f"{key} {value}" for key, value in options.items() if key not in _ELSEWHERE]
    meaning = str(row.conditions.get("protocol", "")).rstrip(".")
    return (
        "; ".join(part for part in (one_line(meaning), ", ".join(chosen)) if part) or "options not recorded"
    )


def _relation(table: Table) -> str:
    return (
        "and why a measured one may differ" if table.comparable else "not comparable with the measured ones"
    )


def _published(table: Table) -> Iterator[tuple[str, str]]:
    """List sources and conditions; reasons for a difference, and other studies, only where one is shown."""
    if table.beside is None:
        return
    names = {row.row for row in table.rows}
    for row in table.rows:
        entry = table.beside.rows.get(row.row)
        if entry:
            mismatch = table.mismatch(row.row)
            apart = f" NOT COMPARABLE: {mismatch}" if mismatch else ""
            why = f"{apart} {entry.why}" if table.comparable else ""
            yield row.row, f"{entry.source}. {_circumstances(entry.conditions)}.{why}"
        else:
            yield row.row, "nothing published is known for this row"
    for name, other in table.beside.reproductions.items() if table.comparable else ():
        if names & set(other.rows):
            yield (
                f"reproduced ({name})",
                f"{other.source}. {_circumstances(other.conditions)}. {other.why}",
            )


def _circumstances(conditions: Mapping[str, Condition]) -> str:
    return "; ".join(f"{key}: {value.what} ({value.sure})" for key, value in conditions.items())


def _about(row: Result, rows: Sequence[Result]) -> str:
    """Return weights, counts, and the conditions that not all rows share."""
    averaged: dict[int, list[str]] = {}
    for name, estimate in sorted(row.metrics.items()):
        averaged.setdefault(estimate.n, []).append(name)
    common = _common(rows)
    parts = [
        _weights(row.conditions.get("weights")),
        *(
            f"n = {n} for {', '.join(names) if averaged.keys() != {n} else 'every metric'}"
            for n, names in averaged.items()
        ),
        ", ".join(f"{name} {count}" for name, count in row.counts.items()),
        ", ".join(f"{key} {value}" for key, value in _conditions(row).items() if key not in common),
        f"cell {row.fingerprint[:12]}",
    ]
    return one_line("; ".join(part for part in parts if part))


def _weights(weights: Any) -> str:
    found = _mapping(weights)
    if not found:
        return "weights not recorded"
    note = "".join(f", {found[key]}" for key in ("note", "read") if found.get(key))
    return f"weights {found.get('source', '?')} (sha256 {str(found.get('sha256', '?'))[:12]}{note})"


def _common(rows: Sequence[Result]) -> dict[str, str]:
    """Find the conditions that are the same for all rows."""
    every = [_conditions(row) for row in rows]
    first = every[0] if every else {}
    return {key: value for key, value in first.items() if all(one.get(key) == value for one in every)}


def _conditions(row: Result) -> dict[str, str]:
    shown = {key: value for key, value in row.conditions.items() if key not in _APART}
    return {key: one_line(value) for key, value in flatten(shown).items()}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
