"""``./scripts/explain-gap``: from a row's published number to the measured one, one convention at a time."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from benchmark.cli.app.build import build, published
from benchmark.cli.app.gap_states import RUN, Asked, asked_of
from benchmark.cli.app.groups import is_group
from benchmark.cli.app.planning import plan_of
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.types import Records
from benchmark.metrics.common.top_k import top_errors
from benchmark.pipeline.names import label
from benchmark.pipeline.plan import Plan
from benchmark.reporting.render import terminal
from benchmark.reporting.table import Table
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.gap import overrides as words
from benchmark.tasks.boxes.gap import render
from benchmark.tasks.boxes.gap.effect import effect
from benchmark.tasks.boxes.gap.gap import Alone, Gap
from benchmark.tasks.boxes.gap.plot import picture
from benchmark.tasks.boxes.gap.published_side import reproduced, target, verdict_of
from benchmark.tasks.boxes.gap.scoring import DEPTHS, Outcomes, Scoring, changed, outcomes
from benchmark.tasks.boxes.gap.stored_records import records_of
from benchmark.tasks.boxes.gap.waterfall import State, waterfall
from benchmark.tasks.boxes.result import result
from benchmark.tasks.task import note_of

_METRICS = ("classification", "localization")


def main(cfg: DictConfig) -> int:
    """Explain one number of a finished run."""
    if cfg.explain not in DEPTHS:
        raise UserError(f"explain={cfg.explain}: choose {' | '.join(DEPTHS)}")
    _refuse_other_overlaps(cfg)
    results = Path(cfg.results_dir).expanduser().resolve()
    asked = asked_of(cfg)
    answered = _answered(cfg, asked, results / "runs")
    gap = _gap(cfg, asked, answered)
    folder = results / label(answered.plan.dataset)
    laid_out = render.layout(gap)
    files: dict[str, str | bytes] = {
        "txt": terminal.render(laid_out),
        "csv": render.rows(gap),
        "png": picture(gap),
    }
    for suffix, content in files.items():
        write_atomically(folder / f"{asked.stem}.{suffix}", content)
    terminal.show(laid_out, Console())
    print("\nwritten:", *(folder / f"{asked.stem}.{suffix}" for suffix in files), sep="\n  ")
    return 0


@dataclass(frozen=True)
class _Answered:
    """What the stored shards say, by state."""

    plan: Plan[BoxCell]
    records: Mapping[str, Records]
    missing: Mapping[str, str]


def _refuse_other_overlaps(cfg: DictConfig) -> None:
    iou = OmegaConf.select(cfg, "metric.localization.iou")
    if iou is not None and iou != 0.5:
        raise UserError(f"metric.localization.iou={iou}: explain-gap takes the devkit's rule, 0.5, alone")


def _answered(cfg: DictConfig, asked: Asked, runs: Path) -> _Answered:
    """Records of every state that is stored; those of the run itself must be."""
    alike = cfg.copy()
    alike.table = None  # its other rows, and what holds between them, are not asked for
    plan = plan_of(alike, list(asked.rows.values()), runs)
    records: dict[str, Records] = {}
    missing = dict(asked.refused)
    known: dict[Path, Records | None] = {}
    for name in asked.rows:
        if name in plan.open:
            missing[name] = f"{_command(asked, name)}  ({plan.open[name].reason})"
            continue
        cell = plan.rows[name]
        if cell.folder not in known:
            known[cell.folder] = records_of(cell)
        found = known[cell.folder]
        if found is None:
            missing[name] = _command(asked, name)
        else:
            records[name] = found
    if RUN not in records:
        raise UserError(f"{asked.row} has not been measured with these options; first: {missing[RUN]}")
    for name in [n for n, found in records.items() if found.image_ids != records[RUN].image_ids]:
        del records[name]
        missing[name] = "other images of it were skipped, so that nothing can be paired"
    return _Answered(plan, records, missing)


def _command(asked: Asked, name: str) -> str:
    lines = words.laid_over(asked.base, words.parted(asked.settings[name])[0], is_group)
    kept = [word for word in lines if words.key_of(word) != "experiment"]
    return shlex.join(["./scripts/run", *kept])


def _gap(cfg: DictConfig, asked: Asked, answered: _Answered) -> Gap:
    metric, depth = str(cfg.explain), DEPTHS[cfg.explain]
    table = _table(cfg, asked, answered.plan)
    (made,) = table.measured
    scored = {
        name: outcomes(records, _scoring(asked, name), depth) for name, records in answered.records.items()
    }
    states = [
        State(knob, turn, scored.get(name), answered.missing.get(name, "")) for name, knob, turn in asked.walk
    ]
    classes = [
        float(top_errors(found, found.classes == found.labels[:, None])[depth].mean()) if found else None
        for found in (answered.records.get(name) for name, _, _ in asked.walk)
    ]
    fall = waterfall(target(table, asked.row, metric), states, classes, cfg.resamples)
    return Gap(
        row=asked.row,
        metric=metric,
        images=str(table.dataset),
        complete=table.dataset.complete,
        run=", ".join((made.model, made.method, made.localizer)),
        waterfall=fall,
        same=asked.same,
        alone=tuple(_alone(asked, answered, scored, cfg.resamples)),
        verdict=verdict_of(table, metric),
        reproduced=reproduced(table, asked.row, metric),
    )


def _scoring(asked: Asked, name: str) -> Scoring:
    return changed(Scoring(), words.parted(asked.settings[name])[1])


def _alone(asked: Asked, answered: _Answered, scored: Mapping[str, Outcomes], resamples: int) -> list[Alone]:
    run = scored[RUN]
    return [
        Alone(knob, choice, effect(run, scored[name], resamples))
        if name in scored
        else Alone(knob, choice, None, answered.missing[name])
        for knob, choice, name in asked.alone
    ]


def _table(cfg: DictConfig, asked: Asked, plan: Plan[BoxCell]) -> Table:
    """The run's row alone, as ``run`` has it, for its verdict."""
    metrics = {name: build(cfg.metric[name]) for name in _METRICS if name in cfg.metric}
    made = result(plan.rows[RUN], metrics)
    named = replace(made, row=asked.row)
    name = cfg.table.get("published") if cfg.table else None
    return Table("gap", "", note_of(plan.dataset), (named,), published(name) if name else None)
