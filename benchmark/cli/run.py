"""``./scripts/run``: measure what is missing, then make the table from what is stored."""

import sys
from pathlib import Path

from omegaconf import DictConfig

from benchmark.archive import Archived, read_table, result_file, write_table
from benchmark.cli.planning import note_of, plan_of
from benchmark.command import entry_point
from benchmark.config import build, published, rows, typed, variation
from benchmark.files import write_atomically
from benchmark.interfaces import Metric
from benchmark.little import NOTICE, completed
from benchmark.pictures import checked_count, picture_sheet
from benchmark.plan import Plan, label, stem
from benchmark.report import show, write_all
from benchmark.results import compare, merged_records, result
from benchmark.run import measure
from benchmark.table import Table
from benchmark.tracking import Tracker


@entry_point("config", completed)
def main(cfg: DictConfig) -> int:
    """Run an experiment; 0 if its table stands, 1 if a check of the table failed."""
    results = Path(cfg.results_dir).expanduser().resolve()
    _refuse_unwritable(results / "runs")
    tracker: Tracker = build(cfg.tracking)
    checked_count(cfg.pictures)
    plan = plan_of(cfg, rows(cfg, typed()), results / "runs")
    if plan.dataset.name == "embedded":
        print(NOTICE, file=sys.stderr)
    for scene, cells in plan.work():
        measure(scene, cells)
    return _finish(cfg, plan, tracker)


def _refuse_unwritable(folder: Path) -> None:
    """Before hours of work, not after."""
    trial = folder / ".writable"
    write_atomically(trial, "")
    trial.unlink(missing_ok=True)


def _finish(cfg: DictConfig, plan: Plan, tracker: Tracker) -> int:
    """Make the table from what is stored, write, show and log it."""
    results = plan.runs.parent
    measured = _table(cfg, plan)
    records = {row.row: merged_records(*plan.cells[row.row]) for row in measured.measured}
    places = {row: path.relative_to(results).as_posix() for row, path in records.items()}
    folder = results / label(plan.dataset)
    archive = write_table(folder, Archived(measured, _published(cfg), places))
    table = read_table(archive, published).table  # what is shown is what is on disk
    written = [archive, *write_all(table, folder, table.name)]
    show(table)
    written += picture_sheet(folder / f"{table.name}.png", table, plan.cells, cfg.pictures)
    print("\nwritten:", *written, sep="\n  ", flush=True)
    files: dict[str | None, list[Path]] = {None: written}
    files |= {row: [result_file(folder, table.name, row), path] for row, path in records.items()}
    look = tracker.log(table, files)
    print(*([f"\nto look at it: {look}"] if look else []))
    return int(any(check.startswith("FAILED") for check in table.checks))


def _published(cfg: DictConfig) -> str | None:
    return None if cfg.table is None else cfg.table.get("published")


def _table(cfg: DictConfig, plan: Plan) -> Table:
    metrics: dict[str, Metric] = {str(name): build(node) for name, node in cfg.metric.items()}
    measured = {name: result(scene, cell, metrics) for name, (scene, cell) in plan.cells.items()}
    order = cfg.table.rows if cfg.table else [*plan.cells, *plan.open]
    dataset = plan.dataset
    own_name = cfg.table.name if cfg.table else f"{cfg.model.name}-{cfg.method.name}-{cfg.localizer.name}"
    named = () if cfg.table else ("model=", "method=", "localizer=")
    changes = [change for change in variation(typed()) if not change.startswith(named)]
    return Table(
        name=stem(own_name, changes),
        title=cfg.table.title if cfg.table else f"{cfg.method.name} on {cfg.model.name}",
        dataset=note_of(dataset),
        rows=tuple({**plan.open, **measured}[str(row)] for row in order),
        published=published(name) if (name := _published(cfg)) else None,
        checks=tuple(compare(twins) for twins in plan.twins),
    )


if __name__ == "__main__":
    main()
