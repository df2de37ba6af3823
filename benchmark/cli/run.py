"""``./scripts/run``: measure what is missing, then make the table from what is stored."""

import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from benchmark.cli.app.build import build, dataset_of, plain, published, task_of
from benchmark.cli.app.finished import recall, remember
from benchmark.cli.app.groups import typed
from benchmark.cli.app.places import PUBLISHED
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.files import refuse_unwritable
from benchmark.core.options import check
from benchmark.core.protocols import Dataset
from benchmark.pipeline.exhibits import Pictures
from benchmark.pipeline.names import label


def main(cfg: DictConfig) -> int:
    """Run an experiment; its exit code says whether the table stands.

    A job of a sweep only measures: :mod:`benchmark.cli.app.sweep` makes the one table of all jobs at the end.
    """
    results = Path(cfg.results_dir).expanduser().resolve()
    if cfg.get("paper"):
        return _report(cfg, results)
    build(cfg.tracking)  # refuses its options now, and not after hours of work
    check("pictures", cfg.pictures, Pictures)
    if "bootstrap" in cfg:
        plain(cfg.bootstrap)  # a single value in its place is refused before the images are read
    dataset = dataset_of(cfg)
    multirun = HydraConfig.get().mode == RunMode.MULTIRUN
    if multirun and cfg.get("forecast"):
        raise UserError("forecast: a sweep has none; ask for it without -m and run.workers")
    known = None if multirun or cfg.get("forecast") else recall(results, cfg, dataset)
    if known:  # even where nothing can be written
        return known.tell(cfg.notes)
    _refuse_unwritable(results, dataset)
    return _measure(cfg, results, dataset, multirun)


def _report(cfg: DictConfig, results: Path) -> int:
    """Let a task that measures nothing itself report on the others."""
    from benchmark.tasks.paper.task import PaperTask

    task: PaperTask = build(cfg.task)
    task.check(typed())
    refuse_unwritable(results / "paper")
    return task.report(results, typed(), PUBLISHED / "claims" / "paper.yaml", published)


def _refuse_unwritable(results: Path, dataset: Dataset) -> None:
    try:
        refuse_unwritable(results / "runs")
    except UserError as error:
        for table in sorted((results / label(dataset)).glob("*.json")):
            raise UserError(f"{error}; ./scripts/table results={table} prints a table of it") from error
        raise


def _measure(cfg: DictConfig, results: Path, dataset: Dataset, multirun: bool) -> int:
    # Here, since a finished run needs none of it, and torch takes seconds.
    from benchmark.cli.app.finish import exit_code, finish
    from benchmark.cli.app.forecasting import tell_costs, tell_forecast
    from benchmark.cli.app.planning import experiment_of
    from benchmark.cli.app.rows import rows
    from benchmark.core.stages import accounted
    from benchmark.tasks.task import Task

    task: Task = task_of(cfg)
    task.check(typed())
    experiment = experiment_of(cfg, rows(cfg, typed()), results, dataset)
    if cfg.get("forecast"):
        tell_forecast(task, experiment, build(cfg.forecast))
        return ExitCode.COMPLETE
    with accounted() as costs:
        outcome = task.run(experiment)
        costs.settle()
    tell_costs(experiment, costs)
    settings = experiment.settings
    if settings.workers > 1 and not multirun:
        done = f"worker {settings.worker} of {settings.workers} is done"
        by_words = any(word.startswith("run.workers=") for word in typed())
        without = "run.worker and run.workers" if by_words else "torchrun"
        print(f"{done}; the table is made by the same command without {without}", file=sys.stderr)
    if settings.workers > 1 or multirun:
        return exit_code(outcome.table)
    folder = results / label(dataset)
    run = finish(cfg, outcome, folder, lambda _, path: outcome.sheet(Path(f"{path}.png")))
    if not outcome.table.open and run.tracked:  # else the same command tries again
        remember(results, cfg, dataset, experiment.rows, run)
    return run.status
