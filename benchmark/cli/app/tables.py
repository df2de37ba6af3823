"""Finished tables as a person names them, and their numbers derived again from the stored records."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmark.cli.app.build import build, published
from benchmark.core.errors import UserError
from benchmark.core.types import Result
from benchmark.pipeline.store import Shards, ShardStore
from benchmark.reporting.archive import Archived, read_table, results_folder
from benchmark.reporting.text import grouped
from benchmark.reporting.versus import (
    Comparable,
    SideBySide,
    Versus,
    annotated_otherwise,
    differing,
    versus,
)
from benchmark.tasks.boxes.records import STORE as BOXES
from benchmark.tasks.boxes.records import records_in
from benchmark.tasks.boxes.stored import StoredRow, stored_row
from benchmark.tasks.pairs.records import STORE as PAIRS
from benchmark.tasks.pairs.records import pairs_in
from benchmark.tasks.pairs.stored import StoredPairs, stored_pairs
from benchmark.tasks.pairs.types import Answers

_METRIC = re.compile(r"(benchmark\.(?:tasks\.pairs\.)?metrics\.\w+)\.(\w+)")


Stored = StoredRow | StoredPairs


def _whole(store: ShardStore, file: Path) -> Shards:
    return store.read([file])


@dataclass(frozen=True)
class Named:
    """A finished table.

    Attributes:
        path: Its json.
        archived: The table, and where its records lie.
        only: The row that was named alone, by its own json; ``None`` for all.
    """

    path: Path
    archived: Archived
    only: str | None = None

    @property
    def measured(self) -> dict[str, Result]:
        """Return the measured rows that were named."""
        return {row.row: row for row in self.archived.table.measured if self.only in (None, row.row)}

    def records(self, row: str) -> Path | None:
        """Return the file of a row's records, ``None`` if the table names none."""
        return self._file(self.archived.records.get(row))

    def stored(self, row: str, read: Callable[[ShardStore, Path], Shards] = _whole) -> Stored:
        """Return a row with its records and metrics.

        Args:
            row: The row's name.
            read: Reads a file of all shards.

        Raises:
            UserError: With the reason why its numbers cannot be derived again.
        """
        file, reference = self.records(row), self._file(self.archived.references.get(row))
        if file is None or not file.name.endswith((BOXES.suffix, PAIRS.suffix)):
            raise UserError("its records are neither of boxes nor of pairs")
        for path in (file, reference):
            if path is not None and not path.is_file():
                raise UserError(f"its records are not there ({path})")
        if file.name.endswith(BOXES.suffix):
            return stored_row(self.measured[row], records_in(read(BOXES, file)), metric_of, file)
        pairs = pairs_in(read(PAIRS, file), file.parent)
        compared = pairs_in(read(PAIRS, reference), reference.parent) if reference else None
        return stored_pairs(self.measured[row], Answers(pairs, compared), metric_of)

    def _file(self, place: str | None) -> Path | None:
        return None if place is None else results_folder(self.path) / place


def named(place: str) -> Named:
    """Read a finished table: by its json, by the json of one of its rows, or by the folder that it is in.

    Raises:
        UserError: If there is no such table, or several are in the folder.
    """
    path = Path(place).expanduser()
    if path.is_dir():
        found = sorted(file for file in path.glob("*.json") if _is_table(file))
        if len(found) != 1:
            choice = f"name one of {', '.join(map(str, found))}" if found else "name a table's json"
            raise UserError(f"{place}: this folder holds {len(found) or 'no'} tables; {choice}")
        path = found[0]
    whole = Path(f"{path.absolute().parent}.json")
    if path.is_file() and not _is_table(path) and _is_table(whole):
        row = json.loads(path.read_text(encoding="utf-8")).get("row")
        return Named(whole, read_table(whole, published), row)
    return Named(path, read_table(path, published))


def _is_table(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "rows" in content and "records" in content


def metric_of(name: str, node: Mapping[str, Any]) -> Any:
    """Make a metric, of boxes or of pairs, as a result's configuration describes it.

    Raises:
        UserError: If it is none of this package: a file from elsewhere names no code that is run here.
    """
    target = _METRIC.fullmatch(str(node.get("_target_")))
    kind = getattr(import_module(target[1]), target[2], None) if target else None
    if target is None or not isinstance(kind, type) or kind.__module__ != target[1]:
        raise UserError(f"its metric {name} is none of this package ({node.get('_target_')})")
    return build(node)


def side_by_side(one: Named, other: Named) -> SideBySide:
    """Compare two runs row by row, rows of the same name, or the one row of each."""
    ours, theirs = one.measured, other.measured
    pairs = [(row, row) for row in ours if row in theirs]
    if not pairs and len(ours) == len(theirs) == 1:
        pairs = [(next(iter(ours)), next(iter(theirs)))]
    if not pairs:
        raise UserError(
            f"{one.path} and {other.path}: they have no row in common; name the json of a row of each"
        )
    lines, unpaired = list[Versus](), list[tuple[str, str]]()
    for first, second in pairs:
        if _same(ours[first], theirs[second]):
            unpaired.append((first, "it is one and the same measurement in both"))
            continue
        try:
            a, b = one.stored(first), other.stored(second)
        except UserError as error:
            unpaired.append((first, str(error)))
            lines += _beside(ours[first], theirs[second], str(error))
            continue
        found = list(versus(a, b))
        lines += found
        unpaired += [(first, text) for text in _images(a, b)]
        whys = grouped((line.metric, line.why) for line in found if line.why)
        unpaired += [(first, f"{metrics}: {why}") for metrics, why in whys]
    if one.only is None and other.only is None:
        unpaired += _alone(one, other, {name for pair in pairs for name in pair})
    return SideBySide(
        tables=(one.archived.table, other.archived.table),
        places=(str(one.path), str(other.path)),
        lines=lines,
        options=differing((ours[first], theirs[second]) for first, second in pairs),
        unpaired=grouped(unpaired),
    )


def _same(one: Result, other: Result) -> bool:
    """Return whether two rows are of the same records, held against the same by the same metrics."""
    judged_by = ("metric", "pair_metric", "reference")
    options = [[row.config.get(group) for group in judged_by] for row in (one, other)]
    return one.fingerprint == other.fingerprint and options[0] == options[1]


def _beside(one: Result, other: Result, why: str) -> Iterator[Versus]:
    for name in dict.fromkeys([*one.metrics, *other.metrics]):
        yield Versus(one.row, other.row, name, one.metrics.get(name), other.metrics.get(name), None, why)


def _images(one: Comparable, other: Comparable) -> Iterator[str]:
    """Say which images are not compared."""
    ours, theirs, unlike = set(one.annotations), set(other.annotations), annotated_otherwise(one, other)
    for images, what in (
        (ours - theirs, "only in A"),
        (theirs - ours, "only in B"),
        (unlike, "annotated otherwise in B"),
    ):
        if images:
            few = sorted(images)[:3]
            more = ", …" if len(images) > len(few) else ""
            yield f"{len(images)} images are {what} ({', '.join(few)}{more})"


def _alone(one: Named, other: Named, paired: set[str]) -> Iterator[tuple[str, str]]:
    """Say which rows are not compared."""
    for name, here, there in (("A", one, "B"), ("B", other, "A")):
        opened = {row.row: row.reason for row in here.archived.table.open}
        for row in [row for row in here.measured if row not in paired]:
            yield row, f"it is measured in {name} alone, not in {there}"
        for row, reason in opened.items():
            yield row, f"it is open in {name}: {reason}"
