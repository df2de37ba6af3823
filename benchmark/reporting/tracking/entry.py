"""A run to log: its values, its files, and whether a tracker holds them already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from benchmark.core.types import Result
from benchmark.pipeline.names import file_name
from benchmark.reporting.table import DatasetNote, Table
from benchmark.reporting.tracking.leftovers import FILES
from benchmark.reporting.tracking.runs import Logged, cell_run, table_run

if TYPE_CHECKING:
    from benchmark.reporting.tracking.tracker import Curve, Files

_RECORDS = ".parquet"
_DIGITS = 12
_STORED = "stored"
_FAILURES = 2  # after which no further file is tried: each may have waited for a time-out


def entries(table: Table, files: Files) -> list[Entry]:
    """Return the run of a table, with its files and all rows' records, and the runs of its cells."""
    cells, records = list[Entry](), dict[Path, str]()
    for row in table.measured:
        own = files.get(row.row, ())
        records |= {path: f"records/{file_name(row.row)}" for path in own if path.suffix == _RECORDS}
        cells.append(_cell(table, row, [path for path in own if path.suffix != _RECORDS]))
    return [
        Entry(table_run(table), {**dict.fromkeys(files.get(None, ()), ""), **records}, once=False),
        *cells,
    ]


def _cell(table: Table, row: Result, files: Sequence[Path]) -> Entry:
    texts = {"config.yaml": row.config, "conditions.yaml": row.conditions}
    return Entry(cell_run(table, row), dict.fromkeys(files, ""), texts)


@dataclass(frozen=True)
class Entry:
    """A run to log.

    Attributes:
        logged: Its names and values.
        files: Files to keep with it, each with its folder there, which is empty for none.
        texts: Name to what is kept with it as yaml.
        curve: What was measured on the way.
        once: Whether a finished run keeps its tags and files; a table's are replaced where they changed, as
            when rows have joined.
    """

    logged: Logged
    files: Mapping[Path, str]
    texts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    curve: Curve = ()
    once: bool = True

    @property
    def stored(self) -> str:
        """Return the tag ``files`` of a run that has all files; that of a table changes with them."""
        return _STORED if self.once else f"{_STORED}, {_digest(self.files)}"

    def is_logged(self, run: Any) -> bool:
        """Return whether a run is finished and holds all values."""
        tags = {} if self.once else self.logged.tags
        same = not changed(run, self.logged) and tags.items() <= run.data.tags.items()
        same = same and self.logged.params.keys() <= run.data.params.keys()  # a former version had others
        return bool(run.info.status == "FINISHED" and same and not lacks_dataset(run, self.logged))

    def has_files(self, run: Any) -> bool:
        """Return whether a run has all files; one of a version without this tag has."""
        return bool(run.data.tags.get(FILES, _STORED) == self.stored)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with suppress(OSError):  # which is told when the file is to be stored
            digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def changed(run: Any, logged: Logged) -> dict[str, float]:
    """Find metrics that the run does not have yet, or has with another value (a metric was defined anew)."""
    return {name: value for name, value in logged.metrics.items() if run.data.metrics.get(name) != value}


def lacks_dataset(run: Any, logged: Logged) -> bool:
    """Return whether the images of a run are still to be noted in it."""
    there = [each.dataset.digest for each in run.inputs.dataset_inputs] if run.inputs else []
    return logged.dataset is not None and digest_of(logged.dataset) not in there


def digest_of(dataset: DatasetNote) -> str:
    """Return by what a tracker tells the images of one dataset from those of another."""
    return dataset.fingerprint[:_DIGITS]


def log_files(client: Any, runs: Sequence[tuple[str, Entry]], told: Callable[[Exception], str]) -> str:
    """Keep copies of each run's files; a second time they take the first ones' places.

    Args:
        client: MLflow's.
        runs: Identifier of each run, and what is to be kept with it.
        told: Says in one line what went wrong.

    Returns:
        Of how many runs the files are lacking, and why; empty if of none.
    """
    reasons, failures, stored = dict[str, None](), 0, 0
    for run_id, entry in runs:
        if failures >= _FAILURES:
            break
        try:
            _log_files_of(client, run_id, entry)
            stored += 1
        except Exception as error:  # a client of a store of files raises errors of its own kind
            failures += 1
            reasons[told(error)] = None
    return (
        f"the files of {len(runs) - stored} of {len(runs)} runs are not ({'; '.join(reasons)})"
        if reasons
        else ""
    )


def _log_files_of(client: Any, run_id: str, entry: Entry) -> None:
    for name, content in entry.texts.items():
        client.log_text(run_id, yaml.safe_dump(dict(content), sort_keys=True, allow_unicode=True), name)
    for path, folder in entry.files.items():
        if not (folder and _is_there(client, run_id, path, folder)):
            client.log_artifact(run_id, str(path), folder or None)
    client.set_tag(run_id, FILES, entry.stored)


def _is_there(client: Any, run_id: str, path: Path, folder: str) -> bool:
    """Return whether a file of records is stored: its name holds the hash of all that can change it."""
    there = {item.path: item.file_size for item in client.list_artifacts(run_id, folder)}
    return bool(there.get(f"{folder}/{path.name}") == path.stat().st_size)
