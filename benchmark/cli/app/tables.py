"""Finished tables as a person names them, and their numbers derived again from the stored records."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmark.cli.app.build import build, published
from benchmark.core.errors import UserError
from benchmark.core.types import Records, Result
from benchmark.reporting.archive import Archived, read_table, results_folder
from benchmark.reporting.text import grouped
from benchmark.reporting.versus import SideBySide, Versus, differing
from benchmark.tasks.boxes.stored import StoredRow, annotated_otherwise, stored_row, versus

_METRIC = re.compile(r"(benchmark\.(?:tasks\.pairs\.)?metrics\.\w+)\.(\w+)")


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

    def reference(self, row: str) -> Path | None:
        """Return the file of the records that a row's are compared with, ``None`` if the table names none."""
        return self._file(self.archived.references.get(row))

    def _file(self, place: str | None) -> Path | None:
        return None if place is None else results_folder(self.path) / place

    def stored(self, row: str, records: Records | None = None) -> StoredRow:
        """Return a row with its records and metrics.

        Raises:
            UserError: With the reason why its numbers cannot be derived again.
        """
        return stored_row(self.measured[row], self.records(row), metric_of, records)


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
        if ours[first].fingerprint == theirs[second].fingerprint:
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
        unpaired += [(first, text) for text in _images(a.records, b.records)]
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


def _beside(one: Result, other: Result, why: str) -> Iterator[Versus]:
    for name in dict.fromkeys([*one.metrics, *other.metrics]):
        yield Versus(one.row, other.row, name, one.metrics.get(name), other.metrics.get(name), None, why)


def _images(one: Records, other: Records) -> Iterator[str]:
    """Say which images are not compared."""
    ours, theirs = set(one.image_ids), set(other.image_ids)
    unlike = annotated_otherwise(one, other)
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
