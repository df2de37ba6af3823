"""Find what is of no use below a results folder: runs of no table, and what dead processes left."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.core.claims import holder
from benchmark.core.errors import UserError
from benchmark.core.files import left_behind
from benchmark.pipeline.agenda import noted, read_agenda

_RUN = re.compile(r".*-([0-9a-f]{16})")
_REFERENCE = re.compile(r"\"fingerprint\": \"([0-9a-f]{16})|-([0-9a-f]{16})[./]")
_YOUNG = 600.0
"""Seconds for which a run stays after something was written into it: its maker may hold no claim just now."""
_NO_TABLE = "no table refers to it"
_OWN_TREES = {"runs", "records", "jobs", "mlartifacts"}
"""Folders below the results that hold no tables."""


@dataclass(frozen=True)
class Unused:
    """A file or a folder of no use.

    Attributes:
        path: Where it is.
        reason: Why it is of no use.
        size: Bytes of its files.
    """

    path: Path
    reason: str
    size: int


def unused_runs(results: Path) -> Iterator[Unused]:
    """Find the runs to which no table, no result and not the last experiment refers.

    An experiment that shares a run with a table belongs to it, with all of its runs: those of rows that were
    left out of the table as well. A run that somebody makes, or in which a file is younger than ten minutes,
    is in use, and so is all of its experiment.

    Raises:
        UserError: If an agenda is damaged, or a table or a folder cannot be read.
    """
    runs = {
        heatmaps: sorted(filter(_is_run, heatmaps.glob("*/")))
        for heatmaps in sorted(filter(_is_run, (results / "runs").glob("*/")))
    }
    in_use = {_hash(cell) for cells in runs.values() for cell in cells if _in_use(cell)}
    needed, gone = _needed(results, in_use), set[Path]()
    for heatmaps, cells in runs.items():
        unneeded = [cell for cell in cells if _hash(cell) not in needed]
        gone.update(unneeded)
        if unneeded == cells and not _in_use(heatmaps):
            unneeded = [heatmaps]
        for run in unneeded:
            yield Unused(run, _NO_TABLE, sum(status.st_size for _, status in _files(run)))
    for file in sorted((results / "records").glob("*/*.parquet")):
        run = results / "runs" / file.parent.name / file.name.rsplit(".", 2)[0]
        if run in gone or (_hash(run) not in needed and not run.exists()):
            yield Unused(file, _NO_TABLE, file.stat().st_size)


def left_by_the_dead(folders: Iterable[Path]) -> Iterator[Unused]:
    """Find claims that are void and temporary files of processes that are no more, in some folders.

    Raises:
        UserError: If a folder cannot be read.
    """
    sizes = {path: status.st_size for folder in folders for path, status in _files(folder)}
    for path, size in sizes.items():
        claim = path.parent.name == "_claims" and path.suffix == ".json"
        if (claim and holder(path) is None) or left_behind(path):
            yield Unused(path, "its process is no more", size)


def _needed(results: Path, in_use: set[str]) -> set[str]:
    """Return the hashes in the names of the runs that are in use, or that something refers to."""
    folders = [folder for folder in results.glob("*/") if folder.name not in _OWN_TREES]
    tables = (path for folder in folders for path, _ in _files(folder) if path.suffix == ".json")
    referred = (_REFERENCE.findall(_text(path)) for path in tables)
    needed = in_use.union(first or second for found in referred for first, second in found)
    agendas = [
        {_hash(Path(part.folder)) for parts in read_agenda(path).rows.values() for part in parts}
        for path in noted(results / "runs")
    ]
    return needed.union(*agendas[-1:], *(hashes for hashes in agendas if hashes & needed))


def _is_run(folder: Path) -> bool:
    return folder.is_dir() and _RUN.fullmatch(folder.name) is not None


def _hash(folder: Path) -> str:
    return folder.name.rpartition("-")[2]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); mend its rights") from error


def _in_use(folder: Path) -> bool:
    young = time.time() - _YOUNG
    return any(
        holder(path) is not None if path.parent.name == "_claims" else status.st_mtime > young
        for path, status in _files(folder)
    )


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Go over the files below a folder, but for those that others remove meanwhile.

    Raises:
        UserError: If a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise UserError(f"{error.filename}: cannot be read ({error.strerror}); mend its rights")

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for path in sorted(Path(parent, name) for name in names):
            try:
                status = path.stat()
            except OSError:  # removed meanwhile, or a link to nowhere
                continue
            yield path, status
