"""Turn a configuration into what a task measures: what several commands share."""

import sys
from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.config import Row as Composed
from benchmark.cli.app.config import build, built, plain, published, typed, variation
from benchmark.cli.app.defaults import NOTICE
from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.pipeline.names import stem
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.rows import Row
from benchmark.reporting.published import Published
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.plan import plan_of as box_plan_of
from benchmark.tasks.task import Experiment


def plan_of(cfg: DictConfig, composed: list[Composed], runs: Path) -> Plan[BoxCell]:
    """Plan the boxes of the given rows, on the dataset and with the run options of ``cfg``.

    Raises:
        UserError: If an image holds objects of several classes, a row chooses another dataset or other run
            options, or not one row can be measured.
    """
    settings = build(cfg.run)
    refuse_own_conditions(cfg, composed)
    return box_plan_of(build(cfg.dataset), settings, runs, [row_of(one) for one in composed])


def experiment_of(cfg: DictConfig, composed: list[Composed], results: Path) -> Experiment:
    """Return what a person wants measured, free of the library that read it."""
    settings = build(cfg.run)
    refuse_own_conditions(cfg, composed)
    dataset = build(cfg.dataset)
    announce(dataset)
    parts = (cfg.model.name, cfg.method.name, cfg.localizer.name)
    return Experiment(
        name=stem(str(cfg.table.name) if cfg.table else "-".join(parts), changes_of(cfg)),
        title=title_of(cfg, dataset),
        rows=tuple(row_of(one) for one in composed),
        dataset=dataset,
        settings=settings,
        results=results,
        published=published_of(cfg),
        table=plain(cfg.table) if cfg.table else None,
        words=tuple(typed()),
        pictures=cfg.pictures,
    )


def row_of(composed: Composed) -> Row:
    """Return a composed row without its configuration object."""
    cfg = composed.cfg
    config = {str(key): plain(node) for key, node in cfg.items() if isinstance(node, DictConfig)}
    return Row(composed.name, config, composed.changes, lambda group: built(cfg.get(group)))


def refuse_own_conditions(cfg: DictConfig, asked: list[Composed]) -> None:
    """Refuse a row that chooses another dataset or other run options than its table.

    Raises:
        UserError: Naming the row.
    """
    for row in asked:
        if plain(row.cfg.dataset) != plain(cfg.dataset) or plain(row.cfg.run) != plain(cfg.run):
            raise UserError(
                f"{row.name}: all rows of a table share dataset and run options; choose them outside it"
            )


def published_of(cfg: DictConfig) -> Published | None:
    """The published numbers beside a table, if it has any."""
    name = cfg.table.get("published") if cfg.table else None
    return published(name) if name else None


def title_of(cfg: DictConfig, dataset: Dataset) -> str:
    """Of a table, ``{dataset}`` in it replaced, or of the one cell that is measured."""
    title = str(cfg.table.title) if cfg.table else f"{cfg.method.name} on {cfg.model.name}"
    return title.replace("{dataset}", dataset.name)


def announce(dataset: Dataset) -> None:
    """Tell who named no images what is used instead."""
    if dataset.name == "embedded":
        print(NOTICE, file=sys.stderr)


def changes_of(cfg: DictConfig) -> list[str]:
    """What the user changed in an experiment, or, without one, beside the cell's own parts."""
    named = () if cfg.table else ("model=", "method=", "localizer=")
    return [change for change in variation(typed()) if not change.startswith(named)]
