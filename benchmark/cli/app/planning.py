"""From a configuration to what a task measures, for several commands."""

import sys
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.build import build, dataset_of, part, plain, published
from benchmark.cli.app.groups import typed
from benchmark.cli.app.rows import ComposedRow, changes_of
from benchmark.cli.app.words import SHARED, in_shell, written
from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.pipeline.names import refuse_shared_files, stem
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.rows import Row
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.plan import plan_of as box_plan_of
from benchmark.tasks.task import Experiment

_NOTICE = (
    "this is the embedded default, procedural images and compact nets; for ILSVRC's type "
    "dataset=ilsvrc_val dataset.root=DIR"
)


def experiment_of(
    cfg: DictConfig, composed: list[ComposedRow], results: Path, dataset: Dataset
) -> Experiment:
    """Give what a person wants measured, free of the library that read it.

    Raises:
        UserError: If a row has conditions of its own.
    """
    settings = build(cfg.run)
    _ = settings.torch_device  # refused before anything is read
    refuse_own_conditions(cfg, composed)
    refuse_wrong_options(composed)
    compared = _pairs(cfg)
    name = cfg.table.get("published") if cfg.table else None
    published_numbers = published(name) if name else None
    announce(dataset)
    cell = (cfg.model.name, cfg.method.name, cfg.get("classes", cfg.localizer).name)
    own_name = str(cfg.table.name) if cfg.table else "-".join(cell)
    refuse_shared_files((row.name for row in composed), own_name)
    chosen = [f"row-{cfg.row}"] if cfg.row else []
    title = str(cfg.table.title) if cfg.table else f"{cfg.method.name} on {cfg.model.name}"
    return Experiment(
        name=stem(own_name, [*chosen, *changes_of(cfg, typed())]),
        title=title.replace("{dataset}", dataset.name),
        rows=tuple(map(row_of, composed)),
        dataset=dataset,
        settings=settings,
        results=results,
        published=published_numbers,
        table=plain(cfg.table) if cfg.table and not cfg.row else None,
        words=tuple(typed()),
        compare=compared,
        pictures=cfg.pictures,
    )


def _pairs(cfg: DictConfig) -> tuple[tuple[str, str], ...]:
    """Return the pairs of rows of ``table.compare``, whose paired difference the table states.

    Raises:
        UserError: If it is no list of pairs of the table's rows.
    """
    wanted = (plain(cfg.table) if cfg.table and not cfg.row else {}).get("compare") or ()
    for pair in wanted:
        if not isinstance(pair, list) or len(pair) != 2 or not {*map(str, pair)} <= {*cfg.table.rows}:
            raise UserError(f"table.compare: {pair} is no pair of this table's rows; give [[ROW,ROW],…]")
    return tuple((first, second) for first, second in wanted)


def plan_of(
    cfg: DictConfig, composed: list[ComposedRow], runs: Path, *, curves: bool = True
) -> Plan[BoxCell]:
    """Plan the boxes of the given rows, on the dataset and with the run options of ``cfg``.

    Args:
        cfg: The configuration.
        composed: The rows.
        runs: Folder of the raw records.
        curves: Whether boxes over thresholds are needed.

    Raises:
        UserError: If an image holds objects of several classes, a row chooses another dataset or other run
            options, or not one row can be measured.
    """
    settings = build(cfg.run)
    _ = settings.torch_device
    refuse_own_conditions(cfg, composed)
    rows = list(map(row_of, composed))
    bare = [] if curves else [row.name for row in rows]
    plan = box_plan_of(dataset_of(cfg), settings, runs, rows, bare)
    plan.refuse_nothing_to_measure()
    return plan


_OPTIONS = (
    *("method", "reference", "localizer", "transform", "classes", "metric", "reading", "pair_metric"),
    "concepts",
)
"""Groups whose objects cost nothing to make."""


def refuse_wrong_options(composed: list[ComposedRow]) -> None:
    """Refuse an option out of its range before anything is read; its row would stay open otherwise.

    Raises:
        UserError: Naming the option and its range.
    """
    for row in composed:
        for group in _OPTIONS:
            part(row.cfg, group)


def row_of(composed: ComposedRow) -> Row:
    """Give a composed row without its configuration object."""
    cfg = composed.cfg
    config = {str(key): plain(node) for key, node in cfg.items() if isinstance(node, DictConfig)}
    return Row(composed.name, config, composed.changes, partial(part, cfg))


def refuse_odd_names(cfg: DictConfig) -> None:
    """Refuse names that no table can show, before anything is measured under them.

    Raises:
        UserError: Naming the option.
    """
    for key, node in cfg.items():
        option = f"{key!s}.name"
        name = node.get("name", "-") if isinstance(node, DictConfig) else "-"
        if name is None and str(key) in ("dataset", "train_set", "val_set"):
            continue  # VOC and COCO name themselves by their split
        if not isinstance(name, str):
            remedy = in_shell(written(option, str(name)))
            raise UserError(f"{option}={name}: must be text; type {remedy}")
        if not name.strip() or not name.isprintable():
            raise UserError(f"{option}={name!a}: must be text of printable characters")


def refuse_own_conditions(cfg: DictConfig, composed: list[ComposedRow]) -> None:
    """Refuse a row with another dataset, run option, bootstrap or task than its table, or with an odd name.

    Raises:
        UserError: Naming the row.
    """
    for row in composed:
        refuse_odd_names(row.cfg)
        own = [key for key in SHARED if key in cfg and plain(row.cfg[key]) != plain(cfg[key])]
        if own:
            raise UserError(f"{row.name}: all rows of a table share {own[0]}; choose it outside them")


def announce(dataset: Dataset) -> None:
    """Print which images are used if none were named."""
    if dataset.name == "embedded":
        print(_NOTICE, file=sys.stderr)
