"""Checks of boxes: neither the scale of a heatmap nor the threads may move one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmark.core.protocols import Localizer
from benchmark.core.types import Box, FloatArray, ImageArray, View
from benchmark.diagnostics.selftest.check import EXACT, Deviation, Subjects

_VIEW = View(96, 72, Box(0, 0, 96, 72))
_MAPS = 4
_FACTORS = (2.0**-9, 2.0**9)
"""Powers of two, which no float rounds."""
_THREADS = 4


def scale_moves_no_box(subjects: Subjects) -> Iterator[Deviation]:
    """Check that a positive factor cancels: a protocol compares a map with its own values alone."""
    image = _picture(0)
    for name, localizer in subjects.localizers.items():
        maps = [_heatmap(seed) for seed in range(_MAPS)]
        boxes = [localizer(heatmap, _VIEW, image).box for heatmap in maps]
        for factor in _FACTORS:
            scaled = [localizer(heatmap * np.float32(factor), _VIEW, image).box for heatmap in maps]
            yield Deviation(name, _differing(scaled, boxes), EXACT, f"of {_MAPS} boxes, factor {factor:g}")


def threads_move_no_box(subjects: Subjects) -> Iterator[Deviation]:
    """Check that GrabCut, which draws random numbers, gives the same boxes on any number of threads."""
    for name, localizer in subjects.localizers.items():
        if not localizer.needs_image:
            continue
        boxes = [_boxed(localizer, seed) for seed in range(_MAPS)]
        with ThreadPoolExecutor(_THREADS) as pool:
            backwards = list(pool.map(lambda seed, by=localizer: _boxed(by, seed), reversed(range(_MAPS))))
        yield Deviation(name, _differing(backwards[::-1], boxes), EXACT, f"of {_MAPS} boxes")


def _boxed(localizer: Localizer, seed: int) -> Box:
    return localizer(_heatmap(seed), _VIEW, _picture(seed)).box


def _differing(found: list[Box], wanted: list[Box]) -> float:
    return float(sum(a != b for a, b in zip(found, wanted, strict=True)))


def _heatmap(seed: int) -> FloatArray:
    """Draw a signed map ``[14, 14]``: one hill on noise."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:14, :14]
    y, x = draw.uniform(3, 11, 2)
    hill = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
    heatmap: FloatArray = (hill + 0.1 * draw.standard_normal((14, 14))).astype(np.float32)
    return heatmap


def _picture(seed: int) -> ImageArray:
    """Draw noise with a brighter rectangle, ``[72, 96, 3]``."""
    draw = np.random.default_rng(seed)
    image = draw.integers(0, 120, (_VIEW.height, _VIEW.width, 3), np.uint8)
    image[20:50, 30:70] += 100
    return image
