"""Small pictures that show any of three kinds of patches, some of them difficult."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmark.core.types import Objects, Sample
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.training.job import Job
from benchmark.transforms import Warp
from helpers.painted import Painted, Recipe, tiny

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220)}
KINDS = tuple(COLOURS)


def load(root: str, name: str, count: int, seed: int) -> Painted:
    """Every fourth picture has a difficult object; classes are drawn each with a chance of one half."""
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    samples = tuple(
        _picture(folder / f"{name}_{seed}_{number:03d}.png", number, random) for number in range(count)
    )
    return Painted(samples, name, KINDS, KINDS)


def _picture(path: Path, number: int, random: np.random.Generator) -> Sample:
    pixels = random.integers(90, 160, (32, 48, 3), dtype=np.uint8)
    shown = np.flatnonzero(random.random(3) < 0.5)
    shown = shown if len(shown) else np.array([number % 3])
    boxes = []
    for kind in shown.tolist():
        x, y = 16 * kind + int(random.integers(4)), int(random.integers(20))
        pixels[y : y + 12, x : x + 12] = COLOURS[KINDS[kind]]
        boxes.append([x, y, x + 12, y + 12])
    if not path.exists():
        Image.fromarray(pixels).save(path)
    difficult = np.zeros(len(shown), np.bool_)
    difficult[-1] = number % 4 == 0 and len(shown) > 1
    objects = Objects(shown.astype(np.int32), np.array(boxes, np.int32), difficult)
    return Sample(path.stem, path, int(shown[0]), objects.boxes[:1], False, (48, 32), objects)


def of(root: Path, change: Callable[[Objects], Objects]) -> Painted:
    """Twelve pictures with changed objects."""
    made = load(str(root), "changed", 12, 5)
    samples = tuple(
        replace(sample, objects=change(sample.objects)) for sample in made.samples if sample.objects
    )
    return replace(made, samples=samples)


def job(
    folder: Path, chosen: Recipe, origin: Path | None = None, outputs: int = 3, **run: Any
) -> Job[Recipe]:
    """A training on 24 pictures, validated on 16 others; its results below ``folder``."""
    settings = RunSettings(**{"device": "cpu", "batch_size": 4, "threads": 1, **run})
    sets = (load(str(folder / "crowded"), *which) for which in (("some", 24, 1), ("others", 16, 2)))
    scenes = [Scene(dataset, tiny(outputs=outputs), Warp(), settings) for dataset in sets]
    config = {"model": {"_target_": "helpers.painted.tiny", "name": "tiny"}, "transform": {"name": "warp"}}
    return Job(scenes[0], scenes[1], chosen, origin, config, ("words",), folder)
