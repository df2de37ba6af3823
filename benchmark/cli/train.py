"""``./scripts/train``: train what a configuration names, or every net of an experiment."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig

from benchmark.cli.app.build import build, dataset_of, plain
from benchmark.cli.app.groups import typed
from benchmark.cli.app.planning import refuse_odd_names
from benchmark.cli.app.rows import ComposedRow, composed
from benchmark.cli.app.words import key_of, parsed
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode, worst
from benchmark.core.files import refuse_unwritable
from benchmark.core.types import Model
from benchmark.models.weights.files import is_file
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.reporting.tracking.runs import training_run
from benchmark.reporting.tracking.tracker import Tracked, Tracker
from benchmark.training.distributed import World, joined
from benchmark.training.job import Job, Trained
from benchmark.training.loop import train
from benchmark.training.options import ProbeOptions, TrainingOptions, TrainOptions
from benchmark.training.passport import (
    Passport,
    compare,
    expected,
    finished,
    publish,
    read,
    replaced,
    trained_weights,
    write,
)
from benchmark.training.probe import probe
from benchmark.training.state import CurvePoint, from_csv
from benchmark.training.text import TextOptions, teach

_PARTS = ("model", "train", "transform", "run", "train_set", "val_set")
_PREFIX = "trained:"
_Made = dict[str, Job[TrainingOptions] | None]
"""The nets that this command has trained, and ``None`` for those that could not be."""


def main(cfg: DictConfig) -> int:
    """Train; that a net does not agree with its passport is a failed check.

    Of several nets, the mistake of one is told, and the others are trained.
    """
    recipes = _recipes(cfg)
    results = Path(cfg.results_dir).expanduser().resolve()
    tracker: Tracker = build(cfg.tracking)
    made: _Made = {}
    codes: list[ExitCode] = []
    with joined(build(cfg.run)) as world:
        _ = world.settings.torch_device  # refused before anything is read
        if world.leads:
            refuse_unwritable(results / "training")
        for recipe in recipes:
            try:
                job = _job(recipe.cfg, results, world, made)
                codes.append(ExitCode.COMPLETE if _one(job, world) else ExitCode.CHECKS_FAILED)
                made[job.name] = job
            except UserError as error:
                # Only this process may have met it, and the others of torchrun would wait for it for ever.
                if world.size > 1 or len(recipes) == 1:
                    raise
                made[recipe.name] = None
                codes.append(ExitCode.MISTAKE)
                print(f"error: {recipe.name}: {error}", file=sys.stderr)
        if world.leads and any(made.values()):
            _log([job for job in made.values() if job is not None], tracker)
    return worst(codes)


def _refuse_early(job: Job[TrainingOptions], world: World) -> None:
    """Refuse what would otherwise be found only after the training."""
    stated = expected(job)
    if stated is not None:
        read(stated)
    if job.options.publish is not None and world.leads:
        refuse_unwritable(Path(job.options.publish).expanduser())


def _recipes(cfg: DictConfig) -> list[ComposedRow]:
    """Return the networks to train: those of an experiment, one of them by its model, or the one named."""
    words = typed()
    if cfg.get("recipes") is None:
        if cfg.get("table") is not None:
            raise UserError(f"{cfg.table.name} is an experiment of ./scripts/run; it has no net to train")
        return [ComposedRow(str(cfg.model.name), cfg, (), ())]
    chosen = [str(word.value()) for word in parsed(words) if key_of(word) == "model"]
    unknown = [name for name in chosen if name not in cfg.recipes]
    if unknown:
        known = ", ".join(map(str, cfg.recipes))
        raise UserError(
            f"model={unknown[0]}: this experiment trains {known}; leave experiment= out for others"
        )
    wanted = {
        str(name): [str(word) for word in own]
        for name, own in cfg.recipes.items()
        if not chosen or name in chosen
    }
    return composed(wanted, words, "no net of this experiment has this option")


def _job(cfg: DictConfig, results: Path, world: World, made: _Made) -> Job[TrainingOptions]:
    refuse_odd_names(cfg)
    model: Model = build(cfg.model, weights="random")
    options: TrainingOptions = build(cfg.train)
    settings: RunSettings = replace(build(cfg.run), device=world.settings.device)
    transform = build(cfg.transform)
    learning, checking = (dataset_of(cfg, name) for name in ("train_set", "val_set"))
    return Job(
        learning=Scene(learning, model, transform, settings),
        checking=Scene(checking, model, transform, settings),
        options=options,
        origin=_origin(options, cfg.weights_dir, results, made),
        config={name: plain(cfg[name]) for name in _PARTS},
        command=tuple(typed()),
        results=results,
    )


def _origin(options: TrainingOptions, weights_dir: str | None, results: Path, made: _Made) -> Path | None:
    """Return the file to start from, trained by this command or found."""
    if options.init is None:
        return None
    name = options.init.removeprefix(_PREFIX)
    if name == options.init:
        return _found(Path(name).expanduser(), weights_dir)
    if name not in made:
        return trained_weights(name, results)
    if (job := made[name]) is None:
        raise UserError(f"train.init={options.init}: {name} could not be trained, for the reason above")
    return job.weights


def _found(given: Path, weights_dir: str | None) -> Path:
    """Return the path of a file as it is named, or else in the folder of weights."""
    if is_file(given) or given.is_absolute() or weights_dir is None:
        return given
    kept = Path(weights_dir).expanduser() / given
    if not is_file(kept):
        raise UserError(
            f"train.init={given}: no such file here, nor {kept}; give its path or weights_dir=FOLDER"
        )
    return kept


def _one(job: Job[TrainingOptions], world: World) -> bool:
    """Train one net unless it is trained; whether it agrees with its passport."""
    passport = finished(job)
    if passport is None:
        _refuse_early(job, world)
        trained = _trained(job, world)
        passport = write(job, trained, world) if world.leads else None
    elif world.leads:
        print(f"{job.name}: already trained")
    agrees = _tell(job, passport) if world.leads and passport is not None else True
    world.wait()
    return agrees


def _trained(job: Job[TrainingOptions], world: World) -> Trained:
    """Train by the kind of training that the options are of."""
    if isinstance(job.options, ProbeOptions):
        return probe(cast(Job[ProbeOptions], job), world)
    if isinstance(job.options, TextOptions):
        return teach(cast(Job[TextOptions], job), world)
    return train(cast(Job[TrainOptions], job), world)


def _tell(job: Job[TrainingOptions], passport: Passport) -> bool:
    paths: list[Any] = _files(job)
    if job.options.publish is not None:
        folder = Path(job.options.publish).expanduser()
        paths += [*replaced(job, folder), *publish(job, folder)]
    told = job.options.objective.sentence(passport)
    print(f"{job.name}: {told} on {passport['n']} images, {passport['seconds']:.0f} s")
    agrees, line = compare(job, passport)
    lines = [line] * bool(line) + [str(job.options.published)] * (job.options.published is not None)
    print(*(f"  {told}" for told in [*lines, *paths]), sep="\n", flush=True)
    return agrees


def _files(job: Job[TrainingOptions]) -> list[Path]:
    """Return the files that the training wrote; a probe has no curve."""
    return [job.weights, job.passport] + [job.curve] * job.curve.is_file()


def _log(made: Sequence[Job[TrainingOptions]], tracker: Tracker) -> None:
    """Log the training at the end; an unreachable tracking server stops nothing."""
    ended: list[Tracked] = []
    for job in made:
        passport = read(job.passport)
        start = job.passport.stat().st_mtime - passport["seconds"]
        points = from_csv(job.curve) if job.curve.is_file() else []
        column = job.options.objective.column
        curve = [(point.iteration, start + point.seconds, _measured(point, column)) for point in points]
        ended.append(tracker.log_training(training_run(passport), curve, _files(job)))
    problems = dict.fromkeys(problem for tracked in ended for problem in tracked.problems)
    Tracked(ended[-1].look if ended else "", tuple(problems)).tell()


def _measured(point: CurvePoint, column: str) -> dict[str, float]:
    found = {} if point.found is None else {column: point.found}
    return {"loss": point.loss, "lr": point.lr, **found}
