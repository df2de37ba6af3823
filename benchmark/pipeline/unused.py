"""Find what is of no use below a results folder: runs of no table, and what dead processes left."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.core.claims import holder
from benchmark.core.files import left_behind
from benchmark.pipeline.agenda import noted, read_agenda

_RUN = re.compile(r".*-([0-9a-f]{16})")
_REFERENCE = re.compile(r"\"fingerprint\": \"([0-9a-f]{16})|-([0-9a-f]{16})[./]")
_YOUNG = 600.0
"""Seconds for which a run stays after something was written into it: its maker may hold no claim just now."""
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

    An experiment that shares a run with a table belongs to it, with all of its runs: a row's reference is in
    no table. A run that somebody makes, or in which a file is younger than ten minutes, is in use.

    Raises:
        UserError: If an agenda is damaged.
    """
    needed, gone = _needed(results), set[Path]()
    for heatmaps in sorted(filter(_is_run, (results / "runs").glob("*/"))):
        cells = sorted(filter(_is_run, heatmaps.glob("*/")))
        unneeded = [cell for cell in cells if _hash(cell) not in needed and not _in_use(cell)]
        gone.update(unneeded)
        if unneeded == cells and not _in_use(heatmaps):
            unneeded = [heatmaps]
        yield from (_unused(cell, "no table refers to it") for cell in unneeded)
    for file in sorted((results / "records").glob("*/*.parquet")):
        run = results / "runs" / file.parent.name / file.name.rsplit(".", 2)[0]
        if run in gone or (_hash(run) not in needed and not run.exists()):
            yield _unused(file, "no table refers to it")


def left_by_the_dead(folders: Iterable[Path]) -> Iterator[Unused]:
    """Find claims that are void and temporary files of processes that are no more, in some folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            claim = path.parent.name == "_claims" and path.suffix == ".json"
            if (claim and holder(path) is None) or left_behind(path):
                yield _unused(path, "its process is no more")


def _needed(results: Path) -> set[str]:
    """Return the hashes in the names of the runs that something refers to."""
    folders = [folder for folder in results.glob("*/") if folder.name not in _OWN_TREES]
    texts = (file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("*.json"))
    needed = {first or second for text in texts for first, second in _REFERENCE.findall(text)}
    agendas = [
        {_hash(Path(part.folder)) for parts in read_agenda(path).rows.values() for part in parts}
        for path in noted(results / "runs")
    ]
    return needed.union(*agendas[-1:], *(hashes for hashes in agendas if hashes & needed))


def _is_run(folder: Path) -> bool:
    return folder.is_dir() and _RUN.fullmatch(folder.name) is not None


def _hash(folder: Path) -> str:
    return folder.name.rpartition("-")[2]


def _in_use(folder: Path) -> bool:
    young = time.time() - _YOUNG
    return any(
        holder(path) is not None if path.parent.name == "_claims" else path.stat().st_mtime > young
        for path in folder.rglob("*")
        if path.is_file()
    )


def _unused(path: Path, reason: str) -> Unused:
    files = path.rglob("*") if path.is_dir() else [path]
    return Unused(path, reason, sum(file.stat().st_size for file in files if file.is_file()))
