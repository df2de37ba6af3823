"""From stored pairs to what a sheet of them shows; no image is seen by a network again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.masks import objects_of
from benchmark.core.protocols import Dataset
from benchmark.core.types import FloatArray, ImageArray, Sample, View
from benchmark.datasets.images import UnreadableImage, read_sample
from benchmark.reporting.text import shown
from benchmark.tasks.boxes.pictures.gather import chosen
from benchmark.tasks.pairs.pictures.columns import Column, Key, by_key, stored
from benchmark.tasks.pairs.pictures.page import Answer, Line
from benchmark.tasks.pairs.protocols import PairMetric
from benchmark.tasks.pairs.types import Answers, Pairs

CLASSES = 3
"""Of an image, at most: of those asked, labelled ones before others, then the network's best first."""


@dataclass(frozen=True)
class Gathered:
    """Lines, and what the title says of them.

    Attributes:
        lines: Those of one image beside each other.
        images: Of how many images there was a choice.
        grid: Side of the grids shown, cells; 0 where no reading stored any, and there is no line.
    """

    lines: tuple[Line, ...]
    images: int
    grid: int


def gather(columns: Sequence[Column], count: int) -> Gathered:
    """The lines of a sheet: pairs of at most ``count`` of the images that the first column was asked of.

    Raises:
        UserError: If a stored file is damaged.
    """
    every = stored(columns[0])
    dataset, asked = columns[0].scene.dataset, set(every.image_ids)
    samples = [sample for sample in dataset.samples if sample.image_id in asked]
    picked = [samples[place] for place in chosen(samples, count)]
    ids = [sample.image_id for sample in picked]
    pairs = [by_key(every if column is columns[0] else stored(column), ids) for column in columns]
    grid = _grid([one for found in pairs for one in found.values()])
    read = [(sample, pixels) for sample in picked if grid and (pixels := _pixels(sample)) is not None]
    lines: list[Line] = []
    for sample, pixels in read:
        views = list(_views(columns, pixels))
        for key in _keys(pairs, sample.image_id):
            own = [found.get(key) for found in pairs]
            answers = tuple(
                None if one is None else _answer(column, one, own, (grid, view))
                for column, one, view in zip(columns, own, views, strict=True)
            )
            lines.append(_line(dataset, sample, key[1], pixels, answers))
    return Gathered(tuple(lines), len(samples), grid)


def _grid(pairs: Sequence[Pairs]) -> int:
    """Side of the largest grid that all of them have."""
    sides = [
        {int(found[1]) for name in one.columns if (found := re.fullmatch(r"grid(\d+)", name))}
        for one in pairs
    ]
    return max(set.intersection(*sides), default=0) if sides else 0


def _pixels(sample: Sample) -> ImageArray | None:
    try:
        return read_sample(sample)
    except UnreadableImage:
        return None


def _views(columns: Sequence[Column], pixels: ImageArray) -> Iterator[View]:
    """How each column's network sees the image."""
    found: dict[int, View] = {}
    for column in columns:
        scene = column.scene
        if id(scene) not in found:
            found[id(scene)] = scene.transform(pixels, scene.model.input.size)[1]
        yield found[id(scene)]


def _keys(pairs: Sequence[Mapping[Key, Pairs]], image_id: str) -> list[Key]:
    """An image's pairs that are shown, in order."""
    every = {key: one for found in pairs for key, one in found.items() if key[0] == image_id}

    def foremost(key: Key) -> tuple[bool, int, int]:
        columns = every[key].columns
        return not columns["labelled"][0], int(columns["rank"][0]), key[1]

    return sorted(every, key=foremost)[:CLASSES]


def _line(
    dataset: Dataset, sample: Sample, label: int, pixels: ImageArray, answers: tuple[Answer | None, ...]
) -> Line:
    objects = objects_of(sample)
    own = objects.classes == label
    name = dataset.class_names[label].partition(",")[0]
    return Line(sample.image_id, name, pixels, objects.boxes[own], objects.boxes[~own], answers)


def _answer(column: Column, pair: Pairs, others: Sequence[Pairs | None], shape: tuple[int, View]) -> Answer:
    grid, view = shape
    columns = pair.columns
    constant = bool(columns["constant"][0])
    peak = None if constant else (int(columns["peak"][0, 0]), int(columns["peak"][0, 1]))
    reference = None if column.reference is None else others[column.reference]
    value, right = number(column.metrics, Answers(pair, reference))
    return Answer(painted(columns[f"grid{grid}"][0], view), peak, value, place(pair), right)


def number(metrics: Mapping[str, PairMetric], answers: Answers) -> tuple[str, bool | None]:
    """What the table's first metric says of a single pair by its first number, and whether that is a hit.

    Nothing where the pair alone cannot answer it.
    """
    metric = next(iter(metrics.values()), None)
    if metric is None:
        return "", None
    try:
        statistic = metric(answers).get(name := metric.gives[0])
    except UserError:  # it answered the whole table: what this pair lacks is the others
        return "", None
    if statistic is None:
        return "", None
    value = float(statistic.reduce(statistic.values.mean(axis=0, keepdims=True))[0])
    if statistic.fraction:
        return f"{name}: {'hit' if value else 'miss'}", bool(value)
    return f"{name} {shown(name, value)}", None


def place(pair: Pairs) -> str:
    """Where the peak of a single pair's map lies, in words."""
    own, other = (float(pair.columns[f"{whose}_distance"][0]) for whose in ("own", "other"))
    if pair.columns["constant"][0]:
        return "constant map"
    if own == 0:
        return "peak on both" if other == 0 else "peak on the class"
    if other == 0:
        return "peak on another class"
    return f"peak {own:.0f} px beside" if np.isfinite(own) else "no object of the class"


def painted(grid: FloatArray, view: View) -> FloatArray:
    """Averages over equal areas of what the network sees, as shares of their maximum in the image's pixels.

    Bilinear between the areas' centres; negative averages and what the network does not see are 0.

    Args:
        grid: ``[g, g]``.
        view: How the region lies in the image.

    Returns:
        ``[view.height, view.width]`` in [0, 1].
    """
    x0, y0, x1, y1 = view.region
    positive = grid.clip(0).astype(np.float32)
    highest = positive.max()
    relative = Image.fromarray(positive / highest if highest > 0 else positive)
    heat = np.zeros((view.height, view.width), np.float32)
    smooth = relative.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR)
    heat[y0:y1, x0:x1] = np.asarray(smooth, np.float32).clip(0, 1)
    return heat
