"""Images of two classes, each made of two images of another dataset that has one class an image.

Of each image a square around its largest box is taken, as far as the image goes, and scaled into one of two
opposite quadrants of the montage, proportions kept; the rest is mid-grey. Such images stand in for
photographs of two classes where there are none; a number of theirs is not a number of photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.locks import locked
from benchmark.core.options import Count, Natural, check
from benchmark.core.protocols import Dataset
from benchmark.core.provenance import fingerprint
from benchmark.core.types import Box, IntArray, Objects, Sample
from benchmark.datasets.images import read_sample
from benchmark.datasets.multi_label import ManyObjects, line_of, sample_of

__all__ = ["MontageReport", "load"]

_GREY = 127
_MARGIN = 1.15  # side of the square, in units of the longer side of the box
_VERSION = 2


@dataclass(frozen=True)
class MontageReport:
    """A report of what the montages were made of."""

    of: Dataset
    image_count: int
    seed: int

    @property
    def conditions(self) -> dict[str, Any]:
        """Return the conditions that every number is stored with."""
        return {"montages of two images of": self.of.name, "seed": self.seed}

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        return [f"montages    {self.image_count}, each of two images of {self.of.name}, seed {self.seed}"]


def load(
    of: Dataset, count: int, side: int, seed: int, cache: str, name: str, limit: int | None = None
) -> Any:
    """Make the montages unless they exist, and read them.

    Args:
        of: Images of one class each.
        count: Number of montages; no image is in two of them.
        side: Of a montage in pixels.
        seed: Of the choice of images and corners.
        cache: Folder for files that can be made again.
        name: Name of the results.
        limit: Number of montages to use, the first; ``None`` for all.

    Returns:
        A :class:`benchmark.datasets.multi_label.ManyObjects` whose images hold exactly two classes.

    Raises:
        UserError: If there are too few images of different classes, or the cache cannot be written.
    """
    check("dataset.count", count, Count)
    check("dataset.side", side, Count)
    check("dataset.seed", seed, Natural)
    check("dataset.limit", limit, Count | None)
    rng = np.random.Generator(np.random.PCG64(seed))
    pairs = _pairs(of, count, rng)
    corners = rng.random(len(pairs)) < 0.5
    made_of = [_VERSION, of.fingerprint, side, seed, [[a.image_id, b.image_id] for a, b in pairs]]
    folder = Path(cache).expanduser().absolute() / f"montage-{fingerprint(made_of)[:12]}"
    samples = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / "lock"):
            for number, (pair, falling) in enumerate(zip(pairs, corners, strict=True)):
                samples.append(_montage(folder / f"montage_{number + 1:04d}.png", pair, side, bool(falling)))
    except OSError as error:
        remedy = "name a folder for it with cache_dir= or $BENCHMARK_CACHE"
        raise UserError(f"{folder}: cannot be written ({error.strerror or error}); {remedy}") from error
    return ManyObjects(
        name=name,
        classes=tuple(of.classes),
        class_names=tuple(of.class_names),
        samples=tuple(samples[:limit]),
        skipped={},
        version=f"montage {_VERSION} of {of.fingerprint}",
        line=lambda sample: line_of(sample, of.classes),
        report=MontageReport(of, count, seed),
        count=count,
        bare=(),
    )


def _pairs(of: Dataset, count: int, rng: np.random.Generator) -> list[tuple[Sample, Sample]]:
    """Pair images of different classes, each used once."""
    waiting = [of.samples[place] for place in rng.permutation(len(of.samples))]
    pairs: list[tuple[Sample, Sample]] = []
    while waiting and len(pairs) < count:
        first = waiting.pop()
        other = next((one for one in reversed(waiting) if one.label != first.label), None)
        if other is None:
            break
        waiting.remove(other)
        pairs.append((first, other))
    if len(pairs) < count:
        raise UserError(
            f"dataset.count={count}: {of.name} has images for {len(pairs)} montages; ask for fewer"
        )
    return pairs


def _montage(path: Path, pair: Sequence[Sample], side: int, falling: bool) -> Sample:
    """Write a montage unless it is there, the first image at the left; return it with its objects."""
    half = side // 2
    canvas = np.full((side, side, 3), _GREY, np.uint8)
    write = not path.exists()
    boxes = []
    for column, sample in enumerate(pair):
        part = _square(sample, _size(sample))
        wide, tall = part.x1 - part.x0, part.y1 - part.y0
        scale = half / max(wide, tall)
        width, height = max(1, round(wide * scale)), max(1, round(tall * scale))
        row = column if falling else 1 - column
        left, top = column * half + (half - width) // 2, row * half + (half - height) // 2
        if write:
            shown = (
                Image.fromarray(read_sample(sample))
                .crop(part)
                .resize((width, height), Image.Resampling.BICUBIC)
            )
            canvas[top : top + height, left : left + width] = np.asarray(shown)
        boxes.append(_moved(sample.boxes, part, Box(left, top, left + width, top + height)))
    if write:
        half_done = path.with_suffix(".half")
        Image.fromarray(canvas).save(half_done, "PNG")
        half_done.replace(path)
    classes = [sample.label for sample, moved in zip(pair, boxes, strict=True) for _ in moved]
    found = Objects(np.array(classes, np.int32), np.concatenate(boxes), np.zeros(len(classes), np.bool_))
    return sample_of(path.stem, path, (side, side), found, path.stat().st_size)


def _square(sample: Sample, size: tuple[int, int]) -> Box:
    """Return the part of an image that is shown: a square around its largest box, within the image."""
    areas = (sample.boxes[:, 2:] - sample.boxes[:, :2]).prod(axis=1)
    x0, y0, x1, y1 = sample.boxes[areas.argmax()].tolist()
    reach = _MARGIN * max(x1 - x0, y1 - y0) / 2
    across, down = (x0 + x1) / 2, (y0 + y1) / 2
    return Box(
        max(0, int(across - reach)),
        max(0, int(down - reach)),
        min(size[0], int(across + reach) + 1),
        min(size[1], int(down + reach) + 1),
    )


def _moved(boxes: IntArray, part: Box, place: Box) -> IntArray:
    """Move the boxes of an image to where a part of it is shown; those outside of it are left out."""
    corner = np.array([part.x0, part.y0], np.float64)
    extent = np.array([part.x1, part.y1]) - corner
    scale = np.array([place.x1 - place.x0, place.y1 - place.y0]) / extent
    ends = np.clip(boxes.reshape(-1, 2, 2) - corner, 0, extent) * scale + [place.x0, place.y0]
    moved = np.concatenate([np.floor(ends[:, 0]), np.ceil(ends[:, 1])], axis=1).astype(np.int32)
    return moved[(ends[:, 1] > ends[:, 0]).all(axis=1)]


def _size(sample: Sample) -> tuple[int, int]:
    """Return width and height, as annotated or else as the file has them."""
    if sample.size is not None:
        return sample.size
    assert sample.path is not None, "an image of a dataset that is run on"
    with Image.open(sample.path) as image:
        return image.size
