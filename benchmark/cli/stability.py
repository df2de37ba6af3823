"""``./scripts/stability``: how far heatmaps and boxes move with precision, threads and batches."""

import os
from collections.abc import Mapping

import numpy as np
import torch
from omegaconf import DictConfig

from benchmark.cli.app.build import build, dataset_of, plain
from benchmark.cli.app.groups import compose
from benchmark.core.errors import UserError
from benchmark.core.options import Natural, check
from benchmark.core.protocols import Method
from benchmark.core.types import Model
from benchmark.diagnostics.stability import Movement, Way, movements
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings

_TITLES = ("computed", "method", "median", "95 %", "greatest", "sum", "boxes moved", "least IoU")


def main(cfg: DictConfig) -> int:
    """Print a table in Markdown: a line for each way to compute and each method."""
    check("listed", cfg.listed, Natural)
    settings: RunSettings = build(cfg.run)
    ways = {"": Way(settings), **{name: _way(cfg, name) for name in cfg.ways}}
    dataset, model = dataset_of(cfg), build(cfg.model)
    scene = Scene(dataset, model, build(cfg.transform), settings)
    methods = _methods(cfg, model)
    names = {method.name for method in methods}
    twins = [(first, second) for first, second in cfg.same_boxes if {first, second} <= names]
    print(_conditions(scene), flush=True)
    found = movements(scene, methods, build(cfg.localizer), ways, twins)
    print()
    for line in (_TITLES, ["---"] * len(_TITLES), *(_line(*key, each) for key, each in found.items())):
        print(f"| {' | '.join(line)} |")
    for (way, name), each in found.items():
        for moved in each.moved[: cfg.listed]:
            print(f"{way or 'the reference'}, {name}: {moved}")
    return 0


def _way(cfg: DictConfig, name: str) -> Way:
    """Return the run's settings with what a way changes in them."""
    changes = plain(cfg.ways[name])
    threads = changes.pop("torch_threads", None)
    return Way(build(cfg.run, **changes), threads)


def _methods(cfg: DictConfig, model: Model) -> list[Method]:
    """Build the methods, and leave out, with a line, those that refuse the model."""
    accepted: list[Method] = []
    for name in cfg.methods:
        method: Method = build(compose([f"+method@stable={name}"]).stable)
        try:
            method.check(model)
        except UserError as error:
            print(f"not compared: {name}: {error}")
            continue
        accepted.append(method)
    return accepted


def _conditions(scene: Scene) -> str:
    settings, dataset = scene.settings, scene.dataset
    said: Mapping[str, object] = {
        "reference": f"{settings.precision} on {settings.torch_device}, batches of {settings.batch_size}",
        "PyTorch": f"{torch.__version__}, {torch.get_num_threads()} threads on {os.cpu_count()} cores",
        "model": f"{scene.model.name} ({scene.model.weights.source})",
        "images": f"{len(dataset.samples)} of {dataset.name}, {settings.top_k} classes each",
    }
    return "; ".join(f"{key}: {value}" for key, value in said.items())


def _line(way: str, method: str, moved: Movement) -> list[str]:
    equal, overlaps = np.concatenate(moved.equal), np.concatenate(moved.overlaps)
    changes = np.concatenate(moved.changes) if moved.changes else None
    levels = [] if changes is None else [*np.quantile(changes, (0.5, 0.95, 1)), max(moved.sums)]
    texts = [f"{level:.1e}" for level in levels] or [""] * 4
    boxes = f"{(~equal).sum()} of {len(equal)}"
    return [way or "the reference", method, *texts, boxes, f"{overlaps.min():.2f}"]
