"""``./scripts/explain-gap``: from a row's published number to the measured one, one convention at a time."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from benchmark.cli.app.build import build, published
from benchmark.cli.app.gap_states import RUN, GapStates, Setting, states_of
from benchmark.cli.app.groups import is_group, search_path
from benchmark.cli.app.planning import plan_of
from benchmark.cli.app.words import in_shell
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.types import Records
from benchmark.metrics.common.top_k import top_errors
from benchmark.pipeline.names import label
from benchmark.pipeline.plan import Plan
from benchmark.reporting.render import terminal
from benchmark.reporting.table import Table
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.gap import render
from benchmark.tasks.boxes.gap.gap import Gap, published_error, reproduced, verdict_of
from benchmark.tasks.boxes.gap.overrides import key_of, laid_over, parted
from benchmark.tasks.boxes.gap.plot import picture
from benchmark.tasks.boxes.gap.scoring import DEPTHS, Outcomes, Scoring, changed, outcomes
from benchmark.tasks.boxes.gap.waterfall import State, Step, effect, waterfall
from benchmark.tasks.boxes.recorder import records_of
from benchmark.tasks.boxes.result import result
from benchmark.tasks.task import note_of

_METRICS = ("classification", "localization")


def main(cfg: DictConfig) -> int:
    """Explain one number of a finished run."""
    if cfg.explain not in DEPTHS:
        raise UserError(f"explain={cfg.explain}: choose {' | '.join(DEPTHS)}")
    _refuse_other_overlaps(cfg)
    results = Path(cfg.results_dir).expanduser().resolve()
    states = states_of(cfg)
    stored = _stored(cfg, states, results / "runs")
    gap = _gap(cfg, states, stored)
    folder = results / label(stored.plan.dataset)
    laid_out = render.layout(gap)
    files: dict[str, str | bytes] = {
        "txt": terminal.render(laid_out),
        "csv": render.rows(gap),
        "png": picture(gap),
    }
    for suffix, content in files.items():
        write_atomically(folder / f"{states.stem}.{suffix}", content)
    terminal.show(laid_out, Console())
    print("\nwritten:", *(folder / f"{states.stem}.{suffix}" for suffix in files), sep="\n  ")
    return 0


class _Stored(NamedTuple):
    """Numbers of the stored shards, by state."""

    plan: Plan[BoxCell]
    records: dict[str, Records]
    missing: dict[str, str]


def _refuse_other_overlaps(cfg: DictConfig) -> None:
    iou = OmegaConf.select(cfg, "metric.localization.iou")
    if iou is not None and iou != 0.5:
        raise UserError(f"metric.localization.iou={iou}: explain-gap takes the devkit's rule, 0.5, alone")


def _stored(cfg: DictConfig, states: GapStates, runs: Path) -> _Stored:
    """Read the records of every state that is stored; those of the run itself must be."""
    alike = cfg.copy()
    alike.table = None  # its other rows, and what holds between them, play no part
    plan = plan_of(alike, list(states.rows.values()), runs, curves=False)
    records: dict[str, Records] = {}
    missing = dict(states.refused)
    known: dict[Path, Records | None] = {}
    for setting in (one for one in (*states.walk, *states.alone) if one.name in states.rows):
        name, command = setting.name, _command(states, setting)
        if name in plan.open:
            missing[name] = f"{command}  ({plan.open[name].reason})"
            continue
        cell = plan.rows[name]
        if cell.folder not in known:
            known[cell.folder] = records_of(cell)
        found = known[cell.folder]
        if found is None:
            missing[name] = command
        else:
            records[name] = found
    if RUN not in records:
        raise UserError(f"{states.row} has not been measured with these options; first: {missing[RUN]}")
    for name in [n for n, found in records.items() if found.image_ids != records[RUN].image_ids]:
        del records[name]
        missing[name] = "other images of it were skipped, so that nothing can be paired"
    return _Stored(plan, records, missing)


def _command(states: GapStates, setting: Setting) -> str:
    words = laid_over(states.base, parted(setting.words)[0], is_group)
    own = (word for word in words if key_of(word) != "experiment")
    return " ".join(["./scripts/run", *map(in_shell, [*search_path(), *own])])


def _gap(cfg: DictConfig, states: GapStates, stored: _Stored) -> Gap:
    metric, depth = str(cfg.explain), DEPTHS[cfg.explain]
    table = _table(cfg, states, stored.plan)
    (made,) = table.measured
    scored = {
        setting.name: outcomes(found, changed(Scoring(), parted(setting.words)[1]), depth)
        for setting in (*states.walk, *states.alone)
        if (found := stored.records.get(setting.name)) is not None
    }
    walk = [
        State(one.convention, one.change, scored.get(one.name), stored.missing.get(one.name, ""))
        for one in states.walk
    ]
    classification = [
        float(top_errors(found, found.classes == found.labels[:, None])[depth].mean()) if found else None
        for found in (stored.records.get(one.name) for one in states.walk)
    ]
    begin = published_error(table, states.row, metric)
    return Gap(
        row=states.row,
        metric=metric,
        images=str(table.dataset),
        complete=table.dataset.complete,
        run=", ".join((made.model, made.method, made.localizer)),
        waterfall=waterfall(begin, walk, classification, cfg.resamples),
        same=states.same,
        alone=tuple(_step(one, scored, stored, cfg.resamples) for one in states.alone),
        verdict=verdict_of(table, metric),
        reproduced=reproduced(table, states.row, metric),
    )


def _step(setting: Setting, scored: Mapping[str, Outcomes], stored: _Stored, resamples: int) -> Step:
    name, convention, choice, _ = setting
    if name not in scored:
        return Step(convention, choice, None, missing=stored.missing[name])
    return Step(convention, choice, effect(scored[RUN], scored[name], resamples), scored[name].error)


def _table(cfg: DictConfig, states: GapStates, plan: Plan[BoxCell]) -> Table:
    """Return the table of the run's row alone, for its verdict."""
    metrics = {name: build(cfg.metric[name]) for name in _METRICS if name in cfg.metric}
    made = result(plan.rows[RUN], metrics)
    named = replace(made, row=states.row)
    name = cfg.table.get("published") if cfg.table else None
    return Table("gap", "", note_of(plan.dataset), (named,), published(name) if name else None)
