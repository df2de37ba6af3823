"""A few small pictures of two kinds, told apart at a glance, for trainings that take seconds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image
from torch import nn

from benchmark.core.provenance import fingerprint
from benchmark.core.types import InputFormat, Model, Sample
from benchmark.models.assembly import ModelSpec, assemble
from benchmark.models.caffe_layers import named
from benchmark.models.weights.parameters import randomize
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.training.job import Job
from benchmark.training.options import Augmentation, Schedule, TrainingOptions, TrainOptions
from benchmark.transforms import Warp

KINDS = ("lying", "standing")
Recipe = TypeVar("Recipe", bound=TrainingOptions)


@dataclass(frozen=True)
class Painted:
    """Noise with stripes that lie or stand."""

    samples: tuple[Sample, ...]
    name: str
    classes: tuple[str, ...] = KINDS
    class_names: tuple[str, ...] = KINDS
    complete: bool = False
    skipped: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        return fingerprint([[sample.image_id, sample.label] for sample in self.samples])

    @property
    def annotations(self) -> str:
        return self.fingerprint


def load(root: str, name: str, count: int, seed: int) -> Painted:
    """Pictures are made on first use; their number and seed name them."""
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    samples = []
    for number in range(count):
        height, width = random.integers(24, 40, 2).tolist()
        pixels = random.integers(0, 60, (height, width, 3), dtype=np.uint8)
        rows = np.arange(height)[:, None] if number % 2 == 0 else np.arange(width)[None, :]
        pixels[np.broadcast_to((rows + random.integers(8)) % 8 < 4, (height, width))] += 150
        path = folder / f"{name}_{seed}_{number:03d}.png"
        if not path.exists():
            Image.fromarray(pixels).save(path)
        samples.append(
            Sample(path.stem, path, number % 2, np.zeros((0, 4), np.int32), False, (width, height))
        )
    return Painted(tuple(samples), name)


def tiny(outputs: int = 2, dropout: float = 0.3, width: int = 8, **options: Any) -> Model:
    """Two convolutions, the second in groups under a name that is no identifier; 24 pixels square."""
    module = named(
        {
            "conv1": nn.Conv2d(3, width, 5, stride=2, padding=2),
            "relu1": nn.ReLU(),
            "block": named({"3x3": nn.Conv2d(width, width, 3, padding=1, groups=2), "relu": nn.ReLU()}),
            "pool": nn.AdaptiveAvgPool2d(1),
            "flat": nn.Flatten(),
            "drop": nn.Dropout(dropout),
            "fc": nn.Linear(width, outputs),
        }
    )
    form = InputFormat(24, (100, 110, 120), (60, 60, 60), "bgr")
    given = {"name": "tiny", "input": form, "layers": {"classifier": "fc"}, "weights": "random", **options}
    spec = ModelSpec(**given)
    return assemble(module, spec, randomize(module))


def options(**changes: Any) -> TrainOptions:
    """A recipe of seconds."""
    usual: dict[str, Any] = {
        "iterations": 12,
        "batch_size": 8,
        "optimizer": "adamw",
        "lr": 0.02,
        "schedule": Schedule("cosine", warmup=3),
        "augmentation": Augmentation(colour=0.1),
        "batch_norm": True,
        "checkpoint_every": 5,
        "validate_every": 4,
        "log_every": 3,
    }
    return TrainOptions(**{**usual, **changes})


def job(
    folder: Path, chosen: Recipe, model: Model | None = None, origin: Path | None = None, **run: Any
) -> Job[Recipe]:
    """A training on 20 pictures, validated on 12 others; its results below ``folder``."""
    settings = RunSettings(**{"device": "cpu", "batch_size": 8, "threads": 1, **run})
    model = model or tiny()
    some, others = (load(str(folder / "painted"), *which) for which in (("some", 20, 1), ("others", 12, 2)))
    config = {
        "model": {"_target_": "helpers.painted.tiny", "name": model.name},
        "transform": {"name": "warp"},
    }
    scenes = [Scene(dataset, model, Warp(), settings) for dataset in (some, others)]
    return Job(scenes[0], scenes[1], chosen, origin, config, ("words",), folder)
