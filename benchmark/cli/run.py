"""``./scripts/run``: measure what is missing, then make the table from what is stored."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from benchmark.cli.app.build import build
from benchmark.cli.app.finish import failed_checks, finish
from benchmark.cli.app.groups import typed
from benchmark.cli.app.planning import experiment_of
from benchmark.cli.app.rows import rows
from benchmark.core.files import write_atomically
from benchmark.core.options import check
from benchmark.pipeline.exhibits import Pictures
from benchmark.pipeline.names import label
from benchmark.tasks.task import Task


def main(cfg: DictConfig) -> int:
    """Run an experiment; 0 if its table stands, 1 if a check of the table failed.

    A job of a sweep only measures: :mod:`benchmark.cli.app.sweep` makes the one table of all jobs at the end.
    """
    results = Path(cfg.results_dir).expanduser().resolve()
    _refuse_unwritable(results / "runs")
    build(cfg.tracking)  # refuses its options now, and not after hours of work
    check("pictures", cfg.pictures, Pictures)
    task: Task = build(cfg.task)
    task.check(typed())
    outcome = task.run(experiment_of(cfg, rows(cfg, typed()), results))
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return failed_checks(outcome)
    folder = results / label(outcome.dataset)
    return finish(cfg, outcome, folder, lambda _, path: outcome.sheet(Path(f"{path}.png")))


def _refuse_unwritable(folder: Path) -> None:
    """Before hours of work, not after."""
    trial = folder / ".writable"
    write_atomically(trial, "")
    trial.unlink(missing_ok=True)
