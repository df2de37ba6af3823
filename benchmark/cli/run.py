"""``./scripts/run``: measure what is missing, then make the table from what is stored."""

from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.build import build, published
from benchmark.cli.app.groups import typed
from benchmark.cli.app.planning import experiment_of
from benchmark.cli.app.rows import rows
from benchmark.core.files import write_atomically
from benchmark.core.options import check
from benchmark.pipeline.exhibits import Pictures
from benchmark.pipeline.names import label
from benchmark.reporting.archive import Archived, read_table, result_file, write_table
from benchmark.reporting.render import show, write_all
from benchmark.reporting.tracking.mlflow import Tracker
from benchmark.tasks.task import Outcome, Task


def main(cfg: DictConfig) -> int:
    """Run an experiment; 0 if its table stands, 1 if a check of the table failed."""
    results = Path(cfg.results_dir).expanduser().resolve()
    _refuse_unwritable(results / "runs")
    tracker: Tracker = build(cfg.tracking)
    check("pictures", cfg.pictures, Pictures)
    task: Task = build(cfg.task)
    task.check(typed())
    experiment = experiment_of(cfg, rows(cfg, typed()), results)
    return _finish(cfg, task.run(experiment), results, tracker)


def _refuse_unwritable(folder: Path) -> None:
    """Before hours of work, not after."""
    trial = folder / ".writable"
    write_atomically(trial, "")
    trial.unlink(missing_ok=True)


def _finish(cfg: DictConfig, outcome: Outcome, results: Path, tracker: Tracker) -> int:
    """Write, show and log a table."""
    places = {row: path.relative_to(results).as_posix() for row, path in outcome.records.items()}
    folder = results / label(outcome.dataset)
    name = cfg.table.get("published") if cfg.table else None
    archive = write_table(folder, Archived(outcome.table, name, places))
    table = read_table(archive, published).table  # what is shown is what is on disk
    written = [archive, *write_all(table, folder, table.name)]
    show(table, notes=cfg.notes)
    written += outcome.sheet(folder / f"{table.name}.png")
    print("\nwritten, with all notes:", *written, sep="\n  ", flush=True)
    files: dict[str | None, list[Path]] = {None: written}
    files |= {row: [result_file(folder, table.name, row), path] for row, path in outcome.records.items()}
    look = tracker.log(table, files)
    print(*([f"\nto look at it: {look}"] if look else []))
    return int(any(check.startswith("FAILED") for check in table.checks))
