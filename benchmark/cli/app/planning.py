"""From configured rows to a plan: what ``run`` and ``matrix`` share."""

import sys
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.config import Row, build, plain, published, typed, variation
from benchmark.cli.app.defaults import NOTICE
from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.datasets.multi_label import refuse_several_classes
from benchmark.pipeline.plan import Plan, RowParts
from benchmark.pipeline.settings import RunSettings
from benchmark.reporting.published import Published
from benchmark.reporting.table import DatasetNote

_NUMERIC_PARTS = ("dataset", "transform", "model", "method", "localizer", "metric", "run")


def plan_of(cfg: DictConfig, asked: list[Row], runs: Path) -> Plan:
    """What the given rows compute, on the dataset and with the run options of ``cfg``.

    Raises:
        UserError: If an image holds objects of several classes, a row chooses another dataset or other run
            options, or not one row can be measured.
    """
    settings: RunSettings = build(cfg.run)
    _ = settings.torch_device  # refused before anything is read
    plan = Plan(build(cfg.dataset), settings, runs)
    refuse_several_classes(plan.dataset)
    refuse_own_conditions(cfg, asked)
    for row in asked:
        plan.add(_parts(row))
    if not plan.cells:
        raise UserError(next(iter(plan.open.values())).reason)
    for first, second in (cfg.table or {}).get("same_boxes", ()):
        plan.add_twins(first, second)
    return plan


def refuse_own_conditions(cfg: DictConfig, asked: list[Row]) -> None:
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


def _parts(row: Row) -> RowParts:
    cfg = row.cfg
    return RowParts(
        row=row.name,
        config={name: plain(cfg[name]) for name in _NUMERIC_PARTS},
        changes=row.changes,
        model=partial(build, cfg.model),
        transform=partial(build, cfg.transform),
        method=partial(build, cfg.method),
        localizer=partial(build, cfg.localizer),
    )


def note_of(dataset: Dataset) -> DatasetNote:
    """What a table says about its images."""
    told = {key: value for key, value in dataset.conditions.items() if key not in ("images", "complete")}
    note = ", ".join(f"{key} {value}" for key, value in told.items())
    return DatasetNote(dataset.name, len(dataset.samples), dataset.complete, dataset.fingerprint, note)
