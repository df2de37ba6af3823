"""Random records, and the devkit's overlap written out with inclusive pixels."""

from typing import Any

import numpy as np

from benchmark.core.types import IntArray, Records


def random_boxes(rng: np.random.Generator, *shape: int) -> IntArray:
    """``[*shape, 4]`` half-open boxes of which about half match each other."""
    low = rng.integers(0, 15, (*shape, 2))
    return np.concatenate([low, low + rng.integers(30, 70, (*shape, 2))], axis=-1).astype(np.int32)


def make(seed: int, n: int = 60, k: int = 5, **columns: Any) -> Records:
    """``n`` images of eight classes with 1 to 3 ground-truth boxes each and ``k`` guesses, some right.

    Args:
        seed: Of everything random.
        n: Images.
        k: Guesses an image, each of another class.
        **columns: Replace those of the records.
    """
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(n, dtype=np.int32), rng.integers(1, 4, n))
    classes = np.array([rng.permutation(8)[:k] for _ in range(n)], np.int32).reshape(n, k)
    given: dict[str, Any] = {
        "image_ids": tuple(f"image_{row:05}" for row in range(n)),
        "labels": rng.integers(0, 8, n).astype(np.int32),
        "sizes": np.full((n, 2), 100, np.int32),
        "blacklisted": rng.random(n) < 0.2,
        "truth": random_boxes(rng, len(owner)),
        "owner": owner,
        "classes": classes,
        "scores": np.zeros((n, k), np.float32),
        "boxes": random_boxes(rng, n, k),
        "peaks": np.zeros((n, k, 2), np.int32),
        "empty": np.zeros((n, k), np.bool_),
        "label_boxes": random_boxes(rng, n),
        "curve": random_boxes(rng, n, 4),
        "grid": (0.1, 0.2, 0.3, 0.4),
    }
    return Records(**(given | columns))


def overlap(a: IntArray, b: IntArray) -> float:
    """The IoU of two half-open boxes by the devkit's formula; -1 where they share nothing."""
    ax1, ay1, ax2, ay2 = (int(v) for v in a - [0, 0, 1, 1])
    bx1, by1, bx2, by2 = (int(v) for v in b - [0, 0, 1, 1])
    width = min(ax2, bx2) - max(ax1, bx1) + 1
    height = min(ay2, by2) - max(ay1, by1) + 1
    if width <= 0 or height <= 0:
        return -1
    union = (ax2 - ax1 + 1) * (ay2 - ay1 + 1) + (bx2 - bx1 + 1) * (by2 - by1 + 1) - width * height
    return width * height / union
