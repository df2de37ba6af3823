"""``./scripts/train``: train what a configuration names, or every net of an experiment."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from benchmark.cell import Scene
from benchmark.command import entry_point
from benchmark.config import Row, build, plain, rows, typed
from benchmark.errors import UserError
from benchmark.files import write_atomically
from benchmark.interfaces import Dataset
from benchmark.settings import RunSettings
from benchmark.training.job import Job
from benchmark.training.loop import train
from benchmark.training.options import TrainOptions
from benchmark.training.passport import Passport, compare, finished, publish, trained_weights, write
from benchmark.training.world import World, joined
from benchmark.types import Model

_PARTS = ("model", "train", "transform", "run", "train_set", "val_set")
_PREFIX = "trained:"


@entry_point("train")
def main(cfg: DictConfig) -> int:
    """Train; 0 if all is trained, 1 if a net does not agree with its passport."""
    recipes = _recipes(cfg)
    results = Path(cfg.results_dir).expanduser().resolve()
    made: dict[str, Path] = {}
    agree = True
    with joined(build(cfg.run)) as world:
        _ = world.settings.torch_device  # refused before anything is read
        if world.leads:
            _refuse_unwritable(results / "training")
        for recipe in recipes:
            job = _job(recipe.cfg, results, world, made)
            agree &= _one(job, world)
            made[job.name] = job.weights
    return 0 if agree else 1


def _refuse_unwritable(folder: Path) -> None:
    """Before hours of work, not after."""
    trial = folder / ".writable"
    write_atomically(trial, "")
    trial.unlink(missing_ok=True)


def _recipes(cfg: DictConfig) -> list[Row]:
    """The nets that are asked for: those of an experiment, one of them by its model, or the one named."""
    words = typed()
    if cfg.get("recipes") is None:
        if cfg.get("table") is not None:
            raise UserError(f"{cfg.table.name} is an experiment of ./scripts/run; it has no net to train")
        return [Row(str(cfg.model.name), cfg, ())]
    chosen = [word.partition("=")[2] for word in words if word.startswith("model=")]
    unknown = [name for name in chosen if name not in cfg.recipes]
    if unknown:
        known = ", ".join(map(str, cfg.recipes))
        raise UserError(
            f"model={unknown[0]}: this experiment trains {known}; leave experiment= out for others"
        )
    wanted = {name: lines for name, lines in cfg.recipes.items() if not chosen or name in chosen}
    table = OmegaConf.create({"table": {"name": "of recipes", "rows": wanted}})
    return rows(table, words, "train")


def _job(cfg: DictConfig, results: Path, world: World, made: dict[str, Path]) -> Job:
    model: Model = build(cfg.model, weights="random")
    options: TrainOptions = build(cfg.train)
    settings: RunSettings = replace(build(cfg.run), device=world.settings.device)
    transform = build(cfg.transform)
    learning, checking = (_dataset(cfg, name) for name in ("train_set", "val_set"))
    return Job(
        learning=Scene(learning, model, transform, settings),
        checking=Scene(checking, model, transform, settings),
        options=options,
        origin=_origin(options, results, made),
        config={name: plain(cfg[name]) for name in _PARTS},
        command=tuple(typed()),
        results=results,
    )


def _dataset(cfg: DictConfig, part: str) -> Dataset:
    """The loaders speak of ``dataset.root``; here it is ``train_set.root`` or ``val_set.root``."""
    try:
        dataset: Dataset = build(cfg[part])
    except UserError as error:
        raise UserError(str(error).replace("dataset.", f"{part}.")) from error
    return dataset


def _origin(options: TrainOptions, results: Path, made: dict[str, Path]) -> Path | None:
    if options.init is None:
        return None
    name = options.init.removeprefix(_PREFIX)
    if name == options.init:
        return Path(name).expanduser()
    return made.get(name) or trained_weights(name, results)


def _one(job: Job, world: World) -> bool:
    """Train one net unless it is trained; whether it agrees with its passport."""
    passport = finished(job)
    if passport is None:
        trained = train(job, world)
        passport = write(job, trained, world) if world.leads else None
    elif world.leads:
        print(f"{job.name}: already trained")
    agrees = _tell(job, passport) if world.leads and passport is not None else True
    world.wait()
    return agrees


def _tell(job: Job, passport: Passport) -> bool:
    paths: list[Any] = [job.weights, job.passport, job.curve]
    if job.options.publish is not None:
        paths += publish(job, Path(job.options.publish).expanduser())
    errors = f"{100 * passport['cls_top1']:.2f} % top-1, {100 * passport['cls_top5']:.2f} % top-5"
    print(f"{job.name}: error {errors} on {passport['n']} images, {passport['seconds']:.0f} s")
    agrees, line = compare(job, passport)
    print(*(f"  {told}" for told in [*([line] if line else []), *paths]), sep="\n", flush=True)
    return agrees


if __name__ == "__main__":
    main()
