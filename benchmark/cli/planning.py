"""From configured rows to a plan: what ``run`` and ``matrix`` share."""

from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from benchmark.config import Row, build, plain
from benchmark.errors import UserError
from benchmark.interfaces import Dataset
from benchmark.plan import Plan, RowParts
from benchmark.settings import RunSettings
from benchmark.table import DatasetNote

_NUMERIC_PARTS = ("dataset", "transform", "model", "method", "localizer", "metric", "run")


def plan_of(cfg: DictConfig, asked: list[Row], runs: Path) -> Plan:
    """What the given rows compute, on the dataset and with the run options of ``cfg``.

    Raises:
        UserError: If a row chooses another dataset or other run options, or not one row can be measured.
    """
    settings: RunSettings = build(cfg.run)
    _ = settings.torch_device  # refused before anything is read
    plan = Plan(build(cfg.dataset), settings, runs)
    for row in asked:
        if plain(row.cfg.dataset) != plain(cfg.dataset) or plain(row.cfg.run) != plain(cfg.run):
            raise UserError(
                f"{row.name}: all rows of a table share dataset and run options; choose them outside it"
            )
        plan.add(_parts(row))
    if not plan.cells:
        raise UserError(next(iter(plan.open.values())).reason)
    for first, second in (cfg.table or {}).get("same_boxes", ()):
        plan.add_twins(first, second)
    return plan


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
