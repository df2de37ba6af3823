"""From a finished table's cells to what a sheet shows: recorded boxes over the heatmaps behind them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmark.core.boxes import iou, matches
from benchmark.core.heatmaps import upsample
from benchmark.core.protocols import Dataset, Method
from benchmark.core.types import Box, ImageArray, Records, Sample
from benchmark.datasets.images import UnreadableImage, read_sample
from benchmark.pipeline.batches import read_batches
from benchmark.pipeline.explain import explain
from benchmark.pipeline.heatmap_store import Heatmaps, heatmap_file, read_heatmaps
from benchmark.pipeline.results import files_of
from benchmark.pipeline.scene import Scene
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.locate import Slots, slots
from benchmark.tasks.boxes.pictures.sheet import Column, Guess
from benchmark.tasks.boxes.records import STORE, read_records

Cells = Mapping[str, BoxCell]
"""Row to its cell; all of one dataset."""

HOW_CHOSEN = "chosen by place and class alone"


def chosen(samples: Sequence[Sample], count: int) -> list[int]:
    """Indices of at most ``count`` samples, ascending: one of each of as many equal parts of the dataset.

    In its part it is the first from the middle on whose class no earlier one has and which the devkit scores.
    Only place and class decide, never what a method makes of the image.
    """
    picked: list[int] = []
    count = min(count, len(samples))
    for part in range(count):
        start, stop = part * len(samples) // count, (part + 1) * len(samples) // count
        middle = (start + stop) // 2
        places = [*range(middle, stop), *range(start, middle)]
        seen = {samples[index].label for index in picked}
        new = (i for i in places if samples[i].label not in seen and not samples[i].blacklisted)
        picked.append(next(new, middle))
    return picked


def gather(cells: Cells, indices: Sequence[int]) -> tuple[Column, ...]:
    """The columns of a sheet: the given images, without those that cannot be read.

    Classes, scores and boxes are the recorded ones. Heatmaps are the stored ones, and made anew where none
    are stored: those of image size.

    Raises:
        UserError: If a stored file is damaged.
    """
    dataset = next(iter(cells.values())).scene.dataset
    records = {row: read_records(files_of(cell, STORE)) for row, cell in cells.items()}
    known = set.intersection(*(set(entry.image_ids) for entry in records.values()))
    pixels = {i: _pixels(dataset.samples[i]) for i in indices if dataset.samples[i].image_id in known}
    images = {index: image for index, image in pixels.items() if image is not None}
    maps = _maps(cells, list(images)) if images else {}
    columns = []
    for index, image in images.items():
        sample = dataset.samples[index]
        guesses = [
            _guess(dataset, sample, records[row], maps[cell.heatmap_folder][sample.image_id])
            for row, cell in cells.items()
        ]
        name = _name(dataset, sample.label)
        columns.append(Column(sample.image_id, name, image, sample.boxes, tuple(guesses)))
    return tuple(columns)


def _pixels(sample: Sample) -> ImageArray | None:
    try:
        return read_sample(sample)
    except UnreadableImage:
        return None


def _maps(cells: Cells, indices: Sequence[int]) -> dict[Path, dict[str, Slots]]:
    """Heatmaps by their folder and image; one forward pass a scene for all that is not stored."""
    found: dict[Path, dict[str, Slots]] = {}
    scenes = list({id(cell.scene): cell.scene for cell in cells.values()}.values())
    for scene in scenes:
        lacking: dict[Path, Method] = {}
        for cell in (cell for cell in cells.values() if cell.scene is scene):
            found[cell.heatmap_folder] = _stored(cell, indices)
            if len(found[cell.heatmap_folder]) < len(indices):
                lacking[cell.heatmap_folder] = cell.method
        if lacking:
            found |= _made(scene, lacking, [scene.dataset.samples[index] for index in indices])
    return found


def _stored(cell: BoxCell, indices: Sequence[int]) -> dict[str, Slots]:
    scene = cell.scene
    found: dict[str, Slots] = {}
    wanted = {scene.dataset.samples[index].image_id for index in indices}
    for number, shard in enumerate(scene.shards):
        file = heatmap_file(cell.heatmap_folder, number)
        if any(index in shard for index in indices) and file.exists():
            heatmaps = read_heatmaps(file)
            found |= {image: one for image, one in _by_image(heatmaps).items() if image in wanted}
    return found


def _made(
    scene: Scene, methods: Mapping[Path, Method], samples: Sequence[Sample]
) -> dict[Path, dict[str, Slots]]:
    found: dict[Path, dict[str, Slots]] = {folder: {} for folder in methods}
    scene.prepare()
    size = scene.settings.batch_size  # never more at once than the run itself
    groups = [samples[start : start + size] for start in range(0, len(samples), size)]
    with ThreadPoolExecutor(scene.settings.thread_count) as pool:
        for batch in read_batches(scene, groups, pool):
            made = explain(scene, list(methods.values()), batch).fetch()
            for folder, heatmaps in zip(methods, made, strict=True):
                found[folder] |= _by_image(heatmaps)
    return found


def _by_image(heatmaps: Heatmaps) -> dict[str, Slots]:
    return {image_id: slots(heatmaps, number) for number, image_id in enumerate(heatmaps.image_ids)}


def _guess(dataset: Dataset, sample: Sample, records: Records, image: Slots) -> Guess:
    row = records.image_ids.index(sample.image_id)
    label, box = int(records.classes[row, 0]), records.boxes[row, 0]
    # The recorded class's own map, should a forward pass of another batch have ordered a tie otherwise.
    slot = int(np.argmax(image.classes == label))
    known = label == sample.label
    return Guess(
        heat=upsample(image.maps[slot], image.view).clip(0, 1),
        box=Box(*box.tolist()),
        name=_name(dataset, label),
        score=float(records.scores[row, 0]),
        known=known,
        iou=float(iou(box, sample.boxes).max(initial=0)),
        right=known and bool(matches(box, sample.boxes).any()),
        empty=bool(records.empty[row, 0]),
    )


def _name(dataset: Dataset, label: int) -> str:
    """The first of a class's names; an output may be no class of the dataset."""
    return dataset.class_names[label].partition(",")[0] if label >= 0 else "another class"
