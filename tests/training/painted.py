"""A few small pictures of two kinds, told apart at a glance, for trainings that take seconds."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.provenance import fingerprint
from benchmark.types import Sample

KINDS = ("lying", "standing")


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
