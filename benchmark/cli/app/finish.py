"""The end of a run and of a sweep: a table is written, shown and logged."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from benchmark.cli.app.build import build, published
from benchmark.cli.app.finished import Finished, say_failed
from benchmark.cli.app.groups import typed
from benchmark.cli.app.places import PUBLISHED
from benchmark.cli.app.words import in_shell, parsed, rows_of, written
from benchmark.core.exit_codes import ExitCode, worst
from benchmark.reporting.archive import Archived, read_table, result_file, write_table
from benchmark.reporting.manifest import Commands, write_manifest
from benchmark.reporting.render import show, write_all

if TYPE_CHECKING:
    from benchmark.reporting.table import Table
    from benchmark.reporting.tracking.tracker import Tracker
    from benchmark.tasks.task import Outcome

_ELSEWHERE = re.compile(r"(results_dir|cache_dir|run\.workers?|run\.threads|tracking[\w.]*|notes)=")


def finish(
    cfg: DictConfig, outcome: Outcome, folder: Path, beside: Callable[[Table, Path], list[Path]]
) -> Finished:
    """Write, show and log a table.

    Args:
        cfg: The configuration.
        outcome: The table, and what belongs to it.
        folder: Folder of its files, directly below the results.
        beside: Writes more files there: of the table as it is on disk, under the given path and a suffix.

    Returns:
        Where it all lies, and the exit code.
    """
    results = folder.parent
    tracker: Tracker = build(cfg.tracking)
    places, references = (
        {row: path.relative_to(results).as_posix() for row, path in files.items()}
        for files in (outcome.records, outcome.references)
    )
    name = cfg.table.get("published") if cfg.table else None
    archive = write_table(folder, Archived(outcome.table, name, places, references))
    table = read_table(archive, published).table  # what is shown is what is on disk
    files = [archive, *write_all(table, folder, table.name)]
    show(table, notes=cfg.notes)
    files += beside(table, folder / table.name)
    numbers = PUBLISHED / f"{name}.yaml" if name else None
    files += write_manifest(archive, Archived(table, name, places, references), numbers, commands(cfg))
    print("\nwritten, with all notes:", *files, sep="\n  ", flush=True)
    kept: dict[str | None, list[Path]] = {None: files}
    kept |= {row: [result_file(folder, table.name, row), path] for row, path in outcome.records.items()}
    tracked = tracker.log(table, kept)
    tracked.tell()
    say_failed(table)
    return Finished(
        archive=str(archive),
        written=tuple(map(str, files)),
        records=tuple(map(str, dict.fromkeys((*outcome.records.values(), *outcome.references.values())))),
        look=tracked.look,
        tracked=not tracked.problems,
        status=exit_code(table),
    )


def commands(cfg: DictConfig) -> Commands:
    """Return what was typed for the whole table, and what to type for each of its rows alone.

    Left out is where the results go and how the work was shared: it is the same table.
    """
    words = [word for word in typed() if not _ELSEWHERE.match(word)]
    swept = any(word.is_sweep_override() for word in parsed(words))
    run = " ".join(["./scripts/run", *(["-m"] if swept else []), *map(in_shell, words)])
    rows = {} if swept or cfg.get("row") else rows_of(cfg)
    return Commands(run, {row: f"{run} {in_shell(written('row', row))}" for row in rows})


def exit_code(table: Table) -> ExitCode:
    """Say whether a table stands: all rows measured, all checks passed."""
    lacking = [ExitCode.UNFINISHED if row.unfinished else ExitCode.ROWS_OPEN for row in table.open]
    return worst([*lacking, *([ExitCode.CHECKS_FAILED] if table.failed_checks else [])])
