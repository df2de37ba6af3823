"""``./scripts/explain-gap``: from a row's published number to the measured one, one convention at a time."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from benchmark.cli.planning import note_of, plan_of
from benchmark.command import entry_point
from benchmark.config import CONF, Row, build, plain, product, published, rows, typed, variation
from benchmark.errors import UserError
from benchmark.files import write_atomically
from benchmark.gap import render, words
from benchmark.gap.effect import effect
from benchmark.gap.explained import Alone, Gap
from benchmark.gap.plot import picture
from benchmark.gap.scoring import DEPTHS, Outcomes, Scoring, changed, outcomes
from benchmark.gap.stored import records_of
from benchmark.gap.told import reproduced, target, verdict_of
from benchmark.gap.waterfall import State, waterfall
from benchmark.guesses import top_errors
from benchmark.little import completed
from benchmark.plan import Plan, label, stem
from benchmark.report import terminal
from benchmark.results import result
from benchmark.table import Table, describe
from benchmark.types import Records

_OWN = ("row", "explain", "resamples", "knobs", "paper")
_RUN = "the run"
_METRICS = ("classification", "localization")


@entry_point("explain-gap", completed)
def main(cfg: DictConfig) -> int:
    """Explain one number of a finished run."""
    if cfg.explain not in DEPTHS:
        raise UserError(f"explain={cfg.explain}: choose {' | '.join(DEPTHS)}")
    results = Path(cfg.results_dir).expanduser().resolve()
    asked = _asked(cfg)
    answered = _answered(cfg, asked, results / "runs")
    gap = _gap(cfg, asked, answered)
    changes = [w for w in variation(_typed()) if not w.startswith(("model=", "method=", "localizer="))]
    name = stem(f"gap-{asked.row.replace('/', '-')}-{cfg.explain}", changes)
    folder = results / label(answered.plan.dataset)
    laid_out = render.layout(gap)
    files: dict[str, str | bytes] = {
        "txt": terminal.render(laid_out),
        "csv": render.rows(gap),
        "png": picture(gap),
    }
    for suffix, content in files.items():
        write_atomically(folder / f"{name}.{suffix}", content)
    terminal.show(laid_out, Console())
    print("\nwritten:", *(folder / f"{name}.{suffix}" for suffix in files), sep="\n  ")
    return 0


@dataclass(frozen=True)
class _Asked:
    """What has to be known.

    Attributes:
        row: The row's name.
        base: The run's overrides.
        settings: Name of a state or setting to its words; ``None`` where it does not apply.
        walk: States of the walk by name, with the knob just turned and in words from what to what.
        alone: Knob, name and state of each setting alone.
        same: Knobs that are the same in paper and run.
        rows: State to its composed row; one that cannot be composed is left out.
        refused: Those, and why.
    """

    row: str
    base: list[str]
    settings: Mapping[str, list[str]]
    walk: list[tuple[str, str, str]]
    alone: list[tuple[str, str, str]]
    same: tuple[str, ...]
    rows: Mapping[str, Row]
    refused: Mapping[str, str]


@dataclass(frozen=True)
class _Answered:
    """What the stored shards say, by state."""

    plan: Plan
    records: Mapping[str, Records]
    missing: Mapping[str, str]


def _is_group(key: str) -> bool:
    return (CONF / key).is_dir()


def _typed() -> list[str]:
    """What was typed for the run, without what is this command's own."""
    return [word for word in typed() if words.key_of(word).partition(".")[0] not in _OWN]


def _asked(cfg: DictConfig) -> _Asked:
    run = _run_row(cfg)
    fitting = [word for word in _typed() if _fits(run.cfg, word)]
    own = list(cfg.table.rows[run.name]) if cfg.table else []
    base = words.laid_over(own, fitting, _is_group)
    knobs, paper = plain(cfg.knobs), plain(cfg.paper).get(run.name, {})
    for knob in paper:
        if knob not in knobs:
            raise UserError(f"paper.{run.name}.{knob}: there is no such knob; choose {', '.join(knobs)}")
    settings: dict[str, list[str]] = {}
    walk: list[tuple[str, str, str]] = []
    for knob, left in words.walk(list(knobs), paper):
        name = f"the paper's {', '.join(k for k in knobs if paper.get(k) in left)}" if left else _RUN
        settings[name] = words.joined(left, _is_group)
        walk.append((name, knob, _turn(run.cfg, paper.get(knob, ()))))
    alone = []
    for knob, choices in knobs.items():
        for choice, told in choices.items():
            chosen = told if isinstance(told, list) else told.get(run.cfg.model.name)
            complete = words.filled(chosen, partial(_setting, run.cfg)) if chosen else None
            if complete is not None:
                settings[f"{knob}: {choice}"] = complete
                alone.append((knob, choice, f"{knob}: {choice}"))
    composed, refused = _composed(base, settings)
    same = tuple(knob for knob in knobs if knob not in paper)
    return _Asked(run.name, base, settings, walk, alone, same, composed, refused)


def _run_row(cfg: DictConfig) -> Row:
    """The row to explain, as the run had it."""
    every = {row.name: row for row in rows(cfg, _typed())}
    if cfg.row is None and len(every) == 1:
        return next(iter(every.values()))
    if cfg.row not in every:
        wrong = "row is not given" if cfg.row is None else f"row={cfg.row}: there is no such row here"
        raise UserError(f"{wrong}; choose {', '.join(f'row={name}' for name in every)}")
    return every[cfg.row]


def _fits(cfg: DictConfig, word: str) -> bool:
    key = words.key_of(word)
    parent, _, last = key.rpartition(".")
    node = OmegaConf.select(cfg, parent) if parent else cfg
    return _is_group(key) or word.startswith(("+", "~")) or (isinstance(node, DictConfig) and last in node)


def _setting(cfg: DictConfig, key: str) -> str | None:
    """The run's setting as text; of a group its name, of a convention of the scoring its side."""
    if key.startswith("score."):
        return str(getattr(Scoring(), key.removeprefix("score.")))
    found: Any = OmegaConf.select(cfg, key)
    if isinstance(found, DictConfig):
        found = found.get("name")
    return None if found is None else str(found)


def _turn(cfg: DictConfig, setting: Sequence[str]) -> str:
    """From the paper's setting to the run's."""
    pairs = ((word, _setting(cfg, words.key_of(word))) for word in setting)
    return ", ".join(f"{word} → {own}" for word, own in pairs)


def _composed(
    base: Sequence[str], settings: Mapping[str, list[str]]
) -> tuple[dict[str, Row], dict[str, str]]:
    found: dict[str, Row] = {}
    refused: dict[str, str] = {}
    known: dict[tuple[str, ...], Row] = {}
    for name, setting in settings.items():
        lines = tuple(words.laid_over(base, words.parted(setting)[0], _is_group))
        try:
            row = known.get(lines) or product("config", list(lines), {})[0]
        except UserError as error:
            refused[name] = f"does not apply: {error}"
            continue
        known[lines] = row
        found[name] = Row(name, row.cfg, row.changes)
    return found, refused


def _answered(cfg: DictConfig, asked: _Asked, runs: Path) -> _Answered:
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
        scene, cell = plan.cells[name]
        if cell.folder not in known:
            known[cell.folder] = records_of(scene, cell)
        found = known[cell.folder]
        if found is None:
            missing[name] = _command(asked, name)
        else:
            records[name] = found
    if _RUN not in records:
        raise UserError(f"{asked.row} has not been measured with these options; first: {missing[_RUN]}")
    for name in [n for n, found in records.items() if found.image_ids != records[_RUN].image_ids]:
        del records[name]
        missing[name] = "other images of it were skipped, so that nothing can be paired"
    return _Answered(plan, records, missing)


def _command(asked: _Asked, name: str) -> str:
    lines = words.laid_over(asked.base, words.parted(asked.settings[name])[0], _is_group)
    kept = [word for word in lines if words.key_of(word) != "experiment"]
    return shlex.join(["./scripts/run", *kept])


def _gap(cfg: DictConfig, asked: _Asked, answered: _Answered) -> Gap:
    metric, depth = str(cfg.explain), DEPTHS[cfg.explain]
    table = _table(cfg, asked, answered.plan)
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
        images=describe(table.dataset),
        complete=table.dataset.complete,
        waterfall=fall,
        same=asked.same,
        alone=tuple(_alone(asked, answered, scored, cfg.resamples)),
        verdict=verdict_of(table, metric),
        reproduced=reproduced(table, asked.row, metric),
    )


def _scoring(asked: _Asked, name: str) -> Scoring:
    return changed(Scoring(), words.parted(asked.settings[name])[1])


def _alone(asked: _Asked, answered: _Answered, scored: Mapping[str, Outcomes], resamples: int) -> list[Alone]:
    run = scored[_RUN]
    return [
        Alone(knob, choice, effect(run, scored[name], resamples))
        if name in scored
        else Alone(knob, choice, None, answered.missing[name])
        for knob, choice, name in asked.alone
    ]


def _table(cfg: DictConfig, asked: _Asked, plan: Plan) -> Table:
    """The run's row alone, as ``run`` has it, for its verdict."""
    metrics = {name: build(cfg.metric[name]) for name in _METRICS if name in cfg.metric}
    scene, cell = plan.cells[_RUN]
    made = result(scene, cell, metrics)
    named = replace(made, row=asked.row)
    name = cfg.table.get("published") if cfg.table else None
    return Table("gap", "", note_of(plan.dataset), (named,), published(name) if name else None)


if __name__ == "__main__":
    main()
