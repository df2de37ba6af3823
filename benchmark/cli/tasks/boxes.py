"""The task ``boxes``: heatmaps to boxes, held against the annotated ones. Table 1."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.config import build, rows, typed
from benchmark.cli.app.outcome import Outcome
from benchmark.cli.app.planning import announce, changes_of, note_of, plan_of, published_of, title_of
from benchmark.core.protocols import Metric
from benchmark.pipeline.plan import Plan, stem
from benchmark.pipeline.results import compare, merged_records, result
from benchmark.pipeline.run import measure
from benchmark.reporting.table import Table
from benchmark.tasks.boxes.pictures import picture_sheet


def measured(cfg: DictConfig, results: Path) -> Outcome:
    """Measure what is missing, and make the table from what is stored."""
    # First, since they may refuse their options.
    metrics: dict[str, Metric] = {str(name): build(node) for name, node in cfg.metric.items()}
    plan = plan_of(cfg, rows(cfg, typed()), results / "runs")
    announce(plan.dataset)
    for scene, cells in plan.work():
        measure(scene, cells)
    table = _table(cfg, plan, metrics)
    return Outcome(
        table=table,
        dataset=plan.dataset,
        records={row.row: merged_records(*plan.cells[row.row]) for row in table.measured},
        sheet=partial(picture_sheet, table=table, cells=plan.cells, count=cfg.pictures),
    )


def _table(cfg: DictConfig, plan: Plan, metrics: Mapping[str, Metric]) -> Table:
    measured = {name: result(scene, cell, metrics) for name, (scene, cell) in plan.cells.items()}
    order = cfg.table.rows if cfg.table else [*plan.cells, *plan.open]
    own_name = cfg.table.name if cfg.table else f"{cfg.model.name}-{cfg.method.name}-{cfg.localizer.name}"
    return Table(
        name=stem(own_name, changes_of(cfg)),
        title=title_of(cfg, plan.dataset),
        dataset=note_of(plan.dataset),
        rows=tuple({**plan.open, **measured}[str(row)] for row in order),
        published=published_of(cfg),
        checks=tuple(compare(twins) for twins in plan.twins),
    )
