"""The table of a sweep: what its jobs measured, with a csv and a plot over the swept options."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.build import build, dataset_of, task_of
from benchmark.cli.app.finish import finish
from benchmark.cli.app.groups import compose, is_group, typed
from benchmark.cli.app.planning import experiment_of
from benchmark.cli.app.rows import ComposedRow, rows, variation
from benchmark.cli.app.words import key_of, parsed
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.provenance import fingerprint
from benchmark.pipeline.names import label, stem
from benchmark.reporting.sweep import Point, picture, tidy
from benchmark.reporting.table import Table
from benchmark.tasks.task import Experiment, Task

_WORKERS = ("run.worker", "run.workers")
Values = Mapping[str, str]
"""Swept option to its value in a job, as typed."""


@dataclass(frozen=True)
class _Swept:
    """A row of one job.

    Attributes:
        base: The row's name in the job's own table; empty for a single cell.
        values: Values of the swept options that the row has.
        row: Under the name that it has in the table of the sweep.
    """

    base: str
    values: Values
    row: ComposedRow


def tabulate(jobs: Sequence[Sequence[str]]) -> int:
    """Make the one table of a sweep's jobs, from what they stored.

    Args:
        jobs: The words of each job that did not fail.

    Returns:
        The exit status.

    Raises:
        UserError: If an option was swept that changes no row, or the jobs cannot share one table.
    """
    jobs = _without_workers(jobs)
    if {key_of(word) for word in parsed(typed()) if word.is_sweep_override()} == {"run.worker"}:
        return _one_table(jobs[0])  # whichever of the workers ended well
    values = _swept_values(jobs)
    cfgs = [compose(words) for words in jobs]
    found: dict[str, _Swept] = {}
    twins: list[list[str]] = []
    for words, cfg, own in zip(jobs, cfgs, values, strict=True):
        named = {row.name: _named(row, cfg, own) for row in rows(cfg, words)}
        for one in named.values():
            found.setdefault(one.row.name, one)  # a row without the swept options is the same in every job
        pairs = (cfg.table or {}).get("same_boxes", ()) if not cfg.get("row") else ()
        twins += [[named[name].row.name for name in pair] for pair in pairs]
    _refuse_idle(values, list(found.values()))
    results = Path(cfgs[0].results_dir).expanduser().resolve()
    task: Task = build(cfgs[0].task)
    experiment = _experiment(cfgs[0], list(found.values()), twins, results)
    outcome = task.run(experiment)
    digest = fingerprint({"name": experiment.name, "words": variation(typed())})[:8]
    folder = results / f"{label(outcome.dataset)}-sweep-{digest}"
    points = {name: Point(one.base, one.values) for name, one in found.items()}
    return finish(cfgs[0], outcome, folder, lambda table, path: _beside(table, path, points)).status


def _one_table(words: Sequence[str]) -> int:
    """Make the table of several workers of one run, as the run alone would have made it."""
    cfg = compose(words)
    results = Path(cfg.results_dir).expanduser().resolve()
    task: Task = task_of(cfg)
    outcome = task.run(experiment_of(cfg, rows(cfg, words), results, dataset_of(cfg)))
    folder = results / label(outcome.dataset)
    return finish(cfg, outcome, folder, lambda _, path: outcome.sheet(Path(f"{path}.png"))).status


def _beside(table: Table, path: Path, points: Mapping[str, Point]) -> list[Path]:
    if not table.measured:  # shards are missing, which other workers make
        return []
    written: dict[str, str | bytes] = {"csv": tidy(table, points), "png": picture(table, points)}
    for suffix, content in written.items():
        write_atomically(Path(f"{path}-sweep.{suffix}"), content)
    return [Path(f"{path}-sweep.{suffix}") for suffix in written]


def _experiment(
    cfg: DictConfig, swept: Sequence[_Swept], twins: list[list[str]], results: Path
) -> Experiment:
    plain = experiment_of(cfg, [one.row for one in swept], results, dataset_of(cfg))
    options = ", ".join(dict.fromkeys(key for one in swept for key in one.values)) or "no option"
    title = f"{plain.title if cfg.table else plain.dataset.name}, by {options}"
    name = stem(str(cfg.table.name) if cfg.table else "sweep", variation(typed()))
    table = {**(plain.table or {}), "same_boxes": twins}
    return replace(plain, name=name, title=title, table=table, compare=tuple(_pairs(swept)), pictures=0)


def _without_workers(jobs: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the words of each job once: workers that shared its shards differ in their numbers alone."""
    kept = (
        tuple(word for word, one in zip(job, parsed(job), strict=True) if key_of(one) not in _WORKERS)
        for job in jobs
    )
    return list(dict.fromkeys(kept))


def _swept_values(jobs: Sequence[Sequence[str]]) -> list[Values]:
    """Return each job's values of the options that differ between jobs."""
    every = [{key_of(word): word.get_value_element_as_str() for word in parsed(words)} for words in jobs]
    keys = [key for key in every[0] if any(one.get(key) != every[0][key] for one in every)]
    return [{key: one[key] for key in keys if key in one} for one in every]


def _named(row: ComposedRow, cfg: DictConfig, values: Values) -> _Swept:
    """Name a row by its name and its values, ``vgg16/cam/threshold=0.1``, without those in it already."""
    fitting = {key_of(word) for word in parsed(row.fitting)}
    own = {key: value for key, value in values.items() if key in fitting}
    shown = {key: value for key, value in own.items() if cfg.table or key not in ("model", "method")}
    lasts = [key.rpartition(".")[2] for key in shown]
    parts = [
        value if is_group(key) else f"{key if lasts.count(last) > 1 else last}={value}"
        for (key, value), last in zip(shown.items(), lasts, strict=True)
    ]
    return _Swept(row.name if cfg.table else "", own, replace(row, name="/".join([row.name, *parts])))


def _pairs(swept: Sequence[_Swept]) -> Iterator[tuple[str, str]]:
    """Pair the rows that differ by one swept option alone, the later job's first."""
    for first, second in combinations(swept, 2):
        keys = first.values.keys() | second.values.keys()
        differing = [key for key in keys if first.values.get(key) != second.values.get(key)]
        if first.base == second.base and len(differing) == 1:
            yield second.row.name, first.row.name


def _refuse_idle(values: Sequence[Values], swept: Sequence[_Swept]) -> None:
    idle = {key for one in values for key in one} - {key for one in swept for key in one.values}
    if idle:
        raise UserError(f"{min(idle)}: no row has this option; leave it out of the sweep")
