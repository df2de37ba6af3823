"""``./scripts/doctor``: what a folder, a weights file or an image is, and what would stop a run."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from benchmark.cli.app.build import build, dataset_of
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.options import Count, check
from benchmark.core.progress import Counter
from benchmark.core.protocols import Dataset, SeveralViews, Transform
from benchmark.core.types import Model
from benchmark.datasets.ilsvrc.classes import load_classes
from benchmark.datasets.images import read_rgb
from benchmark.diagnostics.doctor import dataset as census
from benchmark.diagnostics.doctor import model as sanity
from benchmark.diagnostics.doctor import passport
from benchmark.diagnostics.doctor.causes import convict
from benchmark.diagnostics.doctor.verdict import review
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.transforms.normalize import to_input

_SHOWN = 10
_NOT_ONE = (
    "not one of {} images could be classified: each is unreadable or of another size than annotated; "
    "mend the files, or name the folder of the original ones (dataset.images=DIR)"
)


@dataclass(frozen=True)
class _Patient:
    """The dataset, the model, or both, which are examined."""

    dataset: Dataset | None
    model: Model | None
    transform: Transform
    settings: RunSettings


def main(cfg: DictConfig) -> int:
    """Examine what was named, with one line and the remedy for each reason why a run with it would fail."""
    _refuse_nonsense(cfg)
    settings: RunSettings = build(cfg.run)
    problems: list[str] = []
    dataset, model = (_made(cfg, group, problems) for group in ("dataset", "model"))
    patient = _Patient(dataset, model, build(cfg.transform), settings)
    with ThreadPoolExecutor(settings.thread_count) as pool:
        problems += _examine_dataset(patient, cfg.decode, pool)
        try:
            for problem in _examine_model(patient, cfg, pool):
                problems.append(problem)  # one by one: what was found before a refusal is kept
        except UserError as error:
            problems.append(str(error))
    for problem in problems:
        print(f"PROBLEM     {problem}")
    plural = "" if len(problems) == 1 else "s"
    print(f"{len(problems)} problem{plural}: a run would fail or mislead" if problems else "no problem found")
    return ExitCode.CHECKS_FAILED if problems else ExitCode.COMPLETE


def _refuse_nonsense(cfg: DictConfig) -> None:
    if cfg.get("dataset") is None and cfg.get("model") is None:
        raise UserError(
            "nothing to examine; give dataset=ilsvrc_val dataset.root=DIR, or model=NAME, or both"
        )
    if cfg.image is not None and cfg.get("model") is None:
        raise UserError(f"image={cfg.image}: name the model that is to classify it (model=NAME)")
    check("images", cfg.images, Count)
    if cfg.get("model") is not None:
        _ = build(cfg.run).torch_device  # refuses a device that is not here, before any work


def _made(cfg: DictConfig, group: str, problems: list[str]) -> Any:
    try:
        if cfg.get(group) is None:
            return None
        return dataset_of(cfg) if group == "dataset" else build(cfg[group])
    except UserError as error:
        problems.append(str(error))
        return None


def _examine_dataset(patient: _Patient, decode: bool, pool: Executor) -> list[str]:
    dataset = patient.dataset
    if dataset is None:
        return []
    report = getattr(dataset, "report", None)  # what a reader recognised, where it says so
    recognised = report.lines() if report is not None else []
    _show([f"dataset     {dataset.name}", *recognised, *census.count(dataset)])
    broken: list[str] = []
    if files := sum(sample.path is not None for sample in dataset.samples):
        with Counter("decoding" if decode else "reading headers", files) as counter:
            found = census.examine(dataset.samples, decode, pool, counter.add)
        _show(found.lines())
        broken = [*_abridged(found.unreadable), *_abridged(found.misfits)]
    _show([f"fingerprint {dataset.fingerprint}"])
    return [*broken, *filter(None, [census.class_fault(dataset)])]


def _examine_model(patient: _Patient, cfg: DictConfig, pool: Executor) -> Iterator[str]:
    model, dataset = patient.model, patient.dataset
    if model is None:
        return
    _show(sanity.describe(model))
    model.module.to(device=patient.settings.torch_device, dtype=patient.settings.dtype)
    known = passport.chosen(cfg.passport, model)
    if known is not None:
        _show(known.lines(model))
        yield from known.misfits(model)
    sanity.try_input(model, patient.settings)
    _classify(patient, model, cfg.image)
    if dataset is not None and dataset.samples[0].path is not None:
        yield from _compare(patient, known, cfg, pool)


def _compare(
    patient: _Patient, known: passport.Passport | None, cfg: DictConfig, pool: Executor
) -> Iterator[str]:
    """Measure the accuracy, say what it means, and try out what may be wrong."""
    dataset, model = patient.dataset, patient.model
    assert dataset is not None
    assert model is not None
    scene = Scene(dataset, model, patient.transform, patient.settings)
    rank = sanity.ranks(scene, cfg.images, pool)
    if not len(rank):
        yield _NOT_ONE.format(min(cfg.images, len(dataset.samples)))
        return
    measured = sanity.summary(rank)
    _show([f"accuracy    top-1 {measured.top1:.1%}, top-5 {measured.top5:.1%} on {measured.n} images"])
    found = review(scene, measured, known, _why_unfair(dataset, cfg.dataset))
    _show(found.lines)
    yield from found.problems
    if found.suspicious:
        yield from convict(scene, rank, cfg.images, pool)


def _why_unfair(dataset: Dataset, options: DictConfig) -> str:
    """Return why these images may be easier or harder than the whole set's; empty for a fair sample."""
    report = getattr(dataset, "report", None)
    all_here = report is not None and report.image_count == getattr(dataset, "count", -1)
    drawn = all_here and options.get("list") is None and options.get("order") == "stratified"
    if dataset.complete or drawn:
        return ""
    return (
        f"these {len(dataset.samples)} images are not known to be a fair sample of {dataset.name}: they may "
        "be easier or harder, so this decides nothing by itself"
    )


def _classify(patient: _Patient, model: Model, named: str | None) -> None:
    """Print the five best classes of the named image, or of the dataset's first."""
    path = None if named is None else Path(named)
    if path is None and patient.dataset is not None:
        path = patient.dataset.samples[0].path
    if path is None:
        return
    pixels, _ = patient.transform(read_rgb(path), model.input.size)
    cut = patient.transform.cut if isinstance(patient.transform, SeveralViews) else None
    fed = to_input(pixels, model.input, cut)[None]
    scores = sanity.probabilities(model, fed, patient.settings)[0]
    names = _names(patient, len(scores))
    best = torch.topk(scores, min(5, len(scores)))
    ranked = zip(*map(torch.Tensor.tolist, best), strict=True)
    _show([f"image       {path}", *(f"  {score:8.4%}  {names[index]}" for score, index in ranked)])


def _names(patient: _Patient, outputs: int) -> Sequence[str]:
    """Return the name of each output in words, or its number if nothing names it."""
    ilsvrc = load_classes()
    words = dict(zip(ilsvrc.wnids, ilsvrc.names, strict=True))
    identifiers: Sequence[str] = ilsvrc.wnids
    if patient.dataset is not None:
        words |= dict(zip(patient.dataset.classes, patient.dataset.class_names, strict=True))
        identifiers = patient.dataset.classes
    if patient.model is not None and patient.model.classes is not None:
        identifiers = patient.model.classes
    if len(identifiers) != outputs:
        return [f"output {index}" for index in range(outputs)]
    return [f"{words[name]} ({name})" if name in words else name for name in identifiers]


def _abridged(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - _SHOWN} more like the last"] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more]


def _show(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)
