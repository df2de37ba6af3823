"""Hold what is printed of a table against what its records say: each number of each file."""

from __future__ import annotations

import csv as reader
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmark.core.types import Difference, Estimate, Result
from benchmark.reporting.manifest import listed_records, manifest_file, sha256
from benchmark.reporting.render import rendered
from benchmark.reporting.table import Table

_NUMBER = re.compile(r"(?<![\w.])(?:(?<!-)[-+]|\$-\$)?\d+(?:\.\d+)?(?!\w)")
_LONGEST = 80
_MOST = 20
"""Differences that are listed of one file."""


@dataclass(frozen=True)
class Held:
    """What came of holding a file against what is derived.

    Attributes:
        name: The file.
        numbers: How many numbers were compared.
        apart: Each difference, in one line.
        reworded: The first of the lines whose words differ and whose numbers do not, if there is one.
    """

    name: str
    numbers: int
    apart: tuple[str, ...]
    reworded: str = ""


def hold_result(
    name: str, printed: Result, metrics: Mapping[str, Estimate], counts: Mapping[str, int]
) -> Held:
    """Hold a row's json against the numbers and counts that follow from its records."""
    ours = _leaves(printed.metrics) | {f"counts.{key}": printed.counts.get(key) for key in counts}
    theirs = _leaves(metrics) | {f"counts.{key}": count for key, count in counts.items()}
    apart = [
        f"{key} is {_shown(ours.get(key))}, the records give {_shown(theirs.get(key))}"
        for key in dict.fromkeys([*theirs, *ours])
        if ours.get(key) != theirs.get(key)
    ]
    return Held(name, len(ours), tuple(apart))


def hold_differences(
    name: str, printed: tuple[Difference, ...], derived: Mapping[Difference, Estimate]
) -> Held:
    """Hold the paired differences of a table's json against those that follow from the records."""
    apart = [
        f"{one.first} - {one.second}, {one.metric}.{key} is {_shown(ours)}, the records give {_shown(theirs)}"
        for one in printed
        if one in derived
        for key, ours, theirs in zip(Estimate._fields, one.estimate, derived[one], strict=True)
        if ours != theirs
    ]
    return Held(name, len(Estimate._fields) * len(derived), tuple(apart))


def hold_checks(name: str, derived: Mapping[str, str]) -> Held:
    """Hold sentences of a table's json against those that follow from the records."""
    apart = tuple(_both(printed, again) for printed, again in derived.items() if printed != again)
    return Held(name, sum(len(_NUMBER.findall(again)) for again in derived.values()), apart)


def hold_files(table: Table, folder: Path) -> Iterator[Held]:
    """Hold the rendered files of a table against what it renders to; one that is not there is left out.

    Args:
        table: The table with the numbers that follow from its records.
        folder: Folder of its files.
    """
    for suffix, text in rendered(table).items():
        path = folder / f"{table.name}.{suffix}"
        if path.is_file():
            there = path.read_bytes().decode("utf-8", "replace")
            numbers, words = _NUMBER.findall, ""
            if suffix == "csv":
                count, apart = _csv(there, text)
            else:
                count, found = len(numbers(text)), _text(there, text)
                words = next((what for what, same in found if same), "")
                apart = [what for what, same in found if not same and numbers(there) != numbers(text)]
            more = [f"and {len(apart) - _MOST} more"] if len(apart) > _MOST else []
            yield Held(path.name, count, (*apart[:_MOST], *more), words)


def missing_files(table: Table, folder: Path) -> list[str]:
    """Return the names of the rendered files of a table that are not in its folder."""
    names = [f"{table.name}.{suffix}" for suffix in rendered(table)]
    return [name for name in names if not (folder / name).is_file()]


def hold_hashes(manifest: Mapping[str, Any], archive: Path, results: Path) -> Held:
    """Hold the hashes of a manifest against the files: results, records and shards; those that are there."""
    listed = {archive.parent / name: digest for name, digest in manifest["results"].items()}
    for records in listed_records(manifest):
        listed |= {results / place: digest for place, digest in records["shards"].items()}
        listed[results / records["file"]] = records["sha256"]
    there = {path: sha256(path) for path in listed if path.is_file()}
    apart = [
        f"{_near(path, results)}: its sha256 is {found[:12]}…, not {str(listed[path])[:12]}… as listed"
        for path, found in there.items()
        if found != listed[path]
    ]
    return Held(manifest_file(archive).name, len(there), tuple(apart))


def absent(manifest: Mapping[str, Any], results: Path) -> int:
    """Return how many of the listed shards are not there, as where a table was copied without them."""
    shards = (place for records in listed_records(manifest) for place in records["shards"])
    return sum(not (results / place).is_file() for place in shards)


def _near(path: Path, results: Path) -> str:
    return (
        path.resolve().relative_to(results).as_posix()
        if path.resolve().is_relative_to(results)
        else str(path)
    )


def _leaves(metrics: Mapping[str, Estimate]) -> dict[str, float]:
    return {f"{name}.{key}": value for name, one in metrics.items() for key, value in one._asdict().items()}


def settled(printed: Estimate | None, derived: Estimate) -> Estimate:
    """Return the printed estimate where the derived one is it but for the last digits, else the derived one.

    Another version of a library may sum in another order. It is asked only of a json that is the listed one,
    since in one that was changed each digit counts.
    """
    if printed is None or printed.n != derived.n:
        return derived
    pairs = zip(printed[:3], derived[:3], strict=True)
    return printed if all(math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15) for a, b in pairs) else derived


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)


def _csv(printed: str, derived: str) -> tuple[int, list[str]]:
    """Compare two csv field by field; count the fields that are numbers."""
    ours, theirs = (list(reader.reader(io.StringIO(text))) for text in (printed, derived))
    header, apart = theirs[0], list[str]()
    for number, (here, there) in enumerate(zip_longest(ours, theirs), start=1):
        if here is None or there is None or len(here) != len(there):
            apart.append(f"line {number}: {_both(','.join(here or ()), ','.join(there or ()))}")
            continue
        named = dict(zip(header, there, strict=False))
        what = ", ".join(named[key] for key in ("row", "metric") if key in named)
        apart += [
            f"line {number}, {what}: {column} is {a or 'empty'}, derived: {b or 'nothing'}"
            for column, a, b in zip(header, here, there, strict=False)
            if a != b
        ]
    return sum(_is_number(field) for row in theirs for field in row), apart


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _text(printed: str, derived: str) -> list[tuple[str, bool]]:
    """Compare two texts line by line; of each line that differs, say how, and whether its numbers agree."""
    ours, theirs = printed.splitlines(), derived.splitlines()
    apart = []
    for kind, first, last, begin, end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        changed = [] if kind == "equal" else zip_longest(ours[first:last], theirs[begin:end], fillvalue="")
        apart += [_line(first + number, *both) for number, both in enumerate(changed, start=1)]
    return apart


def _line(number: int, here: str, there: str) -> tuple[str, bool]:
    """Say how a line differs from the derived one, either of which may be empty; and if numbers agree."""
    ours, theirs = (_NUMBER.findall(line) for line in (here, there))
    told = _both(here, there)
    if _NUMBER.sub("#", here) == _NUMBER.sub("#", there):
        pairs = [f"{a}, derived: {b}" for a, b in zip(ours, theirs, strict=True) if a != b]
        told = f"it says {'; '.join(pairs)}"
    return f"line {number}: {told}", ours == theirs


def _both(here: str, there: str) -> str:
    """Show two lines from shortly before the first difference on."""
    start = next((n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), 0)
    start = max(0, start - 20)
    ours, theirs = (line[start : start + _LONGEST] for line in (here, there))
    return f"it says “{ours}”, derived: “{theirs}”"
