"""Pairs made by hand, for the tests of what is computed from them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmark.core.paired import Statistic
from benchmark.tasks.pairs.types import Column, Pairs

NUMBERS = {
    "label": np.int32,
    "classes": np.int32,
    "rank": np.int32,
    "attack_rank": np.int32,
    "box": np.int32,
    "attacked_box": np.int32,
    "seed_truth": np.uint8,
    "seed_image": np.uint8,
    "units": np.int32,
}
BOOLEANS = ("labelled", "difficult", "constant", "attack_self", "attacked_constant", "answer")
USUAL = {
    "label": 0,
    "labelled": True,
    "difficult": False,
    "classes": 1,
    "rank": 0,
    "logit": 1.0,
    "share": 0.5,
    "other_share": 0.0,
}


def pairs(images: str | Sequence[str], **columns: Any) -> Pairs:
    """One pair for each image named; columns that are not given are as usual, a single value is of all."""
    made = {name: _column(name, value, len(images)) for name, value in {**USUAL, **columns}.items()}
    return Pairs(tuple(images), made, done=len(set(images)))


def number(statistic: Statistic) -> float:
    """What it is on its own images."""
    return float(statistic.reduce(statistic.values.mean(axis=0, keepdims=True))[0])


def redrawn(made: Pairs, drawn: Sequence[str]) -> Pairs:
    """The pairs of images drawn with replacement, each draw under a name of its own."""
    rows, names = [], []
    for turn, image in enumerate(drawn):
        own = [row for row, name in enumerate(made.image_ids) if name == image]
        rows += own
        names += [f"{image} {turn}"] * len(own)
    return Pairs(tuple(names), {key: column[rows] for key, column in made.columns.items()}, len(drawn))


def many(seed: int, images: int = 40, classes: int = 4) -> Pairs:
    """Random pairs, one for each class of each image, as a policy of the best classes gives them."""
    random = np.random.default_rng(seed)
    names = np.repeat([f"image{i}" for i in range(images)], classes)
    n = len(names)
    labelled = random.random(n) < 0.5
    return pairs(
        names.tolist(),
        label=np.concatenate([random.permutation(classes) for _ in range(images)]),
        labelled=labelled,
        difficult=labelled & (random.random(n) < 0.2),
        classes=np.repeat(labelled.reshape(images, classes).sum(axis=1), classes),
        rank=np.tile(np.arange(classes), images),
        share=random.random(n),
        other_share=random.random(n),
        own_distance=np.where(random.random(n) < 0.5, 0, 40 * random.random(n)),
        other_distance=np.where(random.random(n) < 0.5, 0, 40 * random.random(n)),
        highest=random.standard_normal(n) + labelled,
        lowest=np.zeros(n),
        constant=random.random(n) < 0.1,
        deletion=random.random(n),
        insertion=random.random(n),
        grid14=random.standard_normal((n, 14, 14)),
        grid28=random.standard_normal((n, 28, 28)),
        box=_boxes(random, n),
        box_iou=random.random(n),
        attacked_box=_boxes(random, n),
        attacked_box_iou=random.random(n),
        attacked_grid14=random.standard_normal((n, 14, 14)),
        attacked_constant=random.random(n) < 0.1,
        attacked_own_distance=40 * random.random(n),
        region_share=random.random(n) * (random.random(n) < 0.7),
        region_mass=random.random(n),
        attack_self=random.random(n) < 0.1,
        attack_before=random.random(n),
        attack_after=random.random(n),
        attack_rank=random.integers(0, 3, n),
        **_seed_columns(random, images, classes),
        units=np.stack([random.permutation(20)[:4] for _ in range(n)]),
        alphas=np.tile([2.0, 1.0, -2.0, -1.0], (n, 1)),
        unit_maps=np.zeros((n, 4, 1, 1)),
        inside=random.random(n),
        outside=0.1 + random.random(n),
        answer=random.random(n) < 0.5,
        blind_rank=random.integers(0, classes, n),
    )


def _boxes(random: np.random.Generator, count: int) -> Column:
    low = random.integers(0, 20, (count, 2))
    return np.concatenate([low, low + random.integers(5, 20, (count, 2))], axis=1)


def _seed_columns(random: np.random.Generator, images: int, classes: int) -> dict[str, Column]:
    shared = {
        "saliency": random.random((images, 41, 41)),
        "seed_truth": random.choice([*range(classes + 1), 255], (images, 41, 41)),
        "seed_image": random.integers(0, 256, (images, 41, 41, 3)),
    }
    repeated = {name: np.repeat(column, classes, axis=0) for name, column in shared.items()}
    return {"seed_map": random.standard_normal((images * classes, 41, 41)), **repeated}


def _column(name: str, value: Any, n: int) -> Column:
    kind = np.bool_ if name in BOOLEANS else NUMBERS.get(name, np.float32)
    filled = np.full(n, value) if np.ndim(value) == 0 else np.asarray(value)
    assert len(filled) == n
    return filled.astype(kind)
