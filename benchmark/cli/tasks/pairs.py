"""The task ``pairs``: questions to pairs of image and class, such as rank correlation."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig

from benchmark.cli.app.config import Row, build, plain, swept, typed
from benchmark.cli.app.outcome import Outcome
from benchmark.cli.app.planning import (
    announce,
    changes_of,
    note_of,
    published_of,
    refuse_own_conditions,
    title_of,
)
from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.core.types import Difference, OpenRow
from benchmark.pipeline.plan import stem
from benchmark.reporting.published import Published
from benchmark.reporting.table import Table
from benchmark.tasks.pairs.cell import Question
from benchmark.tasks.pairs.comparison import Headline, headlines
from benchmark.tasks.pairs.pictures.exhibit import Exhibit
from benchmark.tasks.pairs.plan import PairParts, PairPlan
from benchmark.tasks.pairs.ranking import orders
from benchmark.tasks.pairs.result import Measured, Resampling, differences, merged_pairs, result
from benchmark.tasks.pairs.run import measure

_NUMERIC_PARTS = (
    *("dataset", "transform", "model", "method", "reference", "classes", "reading", "pair_metric"),
    "run",
)
_OF_BOXES = ("localizer", "metric")


def measured(cfg: DictConfig, results: Path) -> Outcome:
    """Measure what is missing, and make the table from what is stored."""
    for word in typed():
        if word.lstrip("+~").startswith(_OF_BOXES):
            raise UserError(f"{word}: this experiment draws no box; leave it out (--help shows its options)")
    resampling: Resampling = build(cfg.bootstrap)
    sheet = build(cfg.sheet)
    plan = _plan(cfg, results / "runs")
    compared, published = _headlines(cfg, plan), published_of(cfg)
    announce(plan.dataset)
    for scene, question, cells in plan.work():
        measure(scene, question, cells)
    found = {name: result(row, resampling) for name, row in plan.rows.items()}
    done = [name for name, one in found.items() if isinstance(one, Measured)]
    comparison = _comparison(found, compared, resampling, published)
    table = _table(cfg, plan, found, comparison, published)
    return Outcome(
        table=table,
        dataset=plan.dataset,
        records={name: merged_pairs(plan.rows[name]) for name in done},
        sheet=partial(sheet, exhibit=Exhibit(table, plan.rows, cfg.pictures)),
    )


def _plan(cfg: DictConfig, runs: Path) -> PairPlan:
    settings = build(cfg.run)
    _ = settings.torch_device  # refused before anything is read
    asked = swept(cfg, typed())
    refuse_own_conditions(cfg, asked)
    for row in asked:
        if plain(row.cfg.bootstrap) != plain(cfg.bootstrap):
            raise UserError(f"{row.name}: all rows of a table share the bootstrap; choose it outside them")
    plan = PairPlan(build(cfg.dataset), settings, runs)
    for row in asked:
        plan.add(_parts(row))
    if not plan.rows:
        raise UserError(next(iter(plan.open.values())).reason)
    return plan


def _parts(row: Row) -> PairParts:
    cfg = row.cfg
    return PairParts(
        row=row.name,
        config={name: plain(cfg[name]) if cfg.get(name) else None for name in _NUMERIC_PARTS},
        model=partial(build, cfg.model),
        transform=partial(build, cfg.transform),
        method=partial(build, cfg.method),
        reference=partial(_reference, cfg),
        question=partial(_question, cfg),
        metrics=partial(_built, cfg.pair_metric),
    )


def _reference(cfg: DictConfig) -> Method | None:
    method: Method | None = build(cfg.reference) if cfg.get("reference") else None
    return method


def _question(cfg: DictConfig) -> Question:
    config = {"classes": plain(cfg.classes), "readings": plain(cfg.reading)}
    return Question(build(cfg.classes), _built(cfg.reading), config)


def _built(nodes: DictConfig) -> dict[str, Any]:
    """What a group that is chosen as a list describes, by name."""
    return {str(name): build(node) for name, node in nodes.items()}


def _headlines(cfg: DictConfig, plan: PairPlan) -> dict[str, Headline]:
    """What each row is compared by; a name that no row has is refused before anything is measured."""
    wanted = cfg.table.get("differences") if cfg.table else None
    words = [word.lstrip("+~") for word in typed()]
    own = any(word.startswith("table.differences=") for word in words)
    strict = own or not any(word.startswith("pair_metric") for word in words)
    rows = {name: row.metrics for name, row in plan.rows.items()}
    return headlines(rows, None if wanted is None else str(wanted), strict)


class _Comparison(NamedTuple):
    differences: tuple[Difference, ...]
    checks: tuple[str, ...]


def _comparison(
    found: Mapping[str, Measured | OpenRow],
    compared: Mapping[str, Headline],
    resampling: Resampling,
    published: Published | None,
) -> _Comparison:
    """Of the finished rows that are compared by one number with each other."""
    apart: tuple[Difference, ...] = ()
    checks: tuple[str, ...] = ()
    for headline in dict.fromkeys(compared.values()):
        names = [name for name, own in compared.items() if own == headline]
        done = [one for name in names if isinstance(one := found[name], Measured)]
        own = differences(done, headline.metric, resampling)
        apart += own
        checks += orders([one.result for one in done], headline, own, published)
    return _Comparison(apart, checks)


def _table(
    cfg: DictConfig,
    plan: PairPlan,
    found: Mapping[str, Measured | OpenRow],
    comparison: _Comparison,
    published: Published | None,
) -> Table:
    rows = {name: one.result if isinstance(one, Measured) else one for name, one in found.items()}
    order = [*plan.rows, *plan.open]
    own_name = cfg.table.name if cfg.table else f"{cfg.model.name}-{cfg.method.name}-{cfg.classes.name}"
    return Table(
        name=stem(own_name, changes_of(cfg)),
        title=title_of(cfg, plan.dataset),
        dataset=note_of(plan.dataset),
        rows=tuple({**plan.open, **rows}[name] for name in order),
        published=published,
        checks=comparison.checks,
        differences=comparison.differences,
    )
