"""The gallery of a report page: a sample of the images, with each row's stored heatmaps and boxes."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmark.core.boxes import iou
from benchmark.core.types import FloatArray, ImageArray, Records, Sample
from benchmark.metrics.common.anatomy import KINDS, Thresholds, anatomy
from benchmark.pipeline.exhibits import Exhibit, chosen, exhibit, read_exhibits, readable
from benchmark.pipeline.heatmap_store import Heatmaps, heatmap_file, read_heatmaps
from benchmark.pipeline.scene import shards_of
from benchmark.reporting.page.content import Node

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset

BUDGET = 12_000_000
"""Bytes of a page that its gallery takes at most."""
_SIDE, _QUALITY = 224, 76
_CELLS = 56


def sample_of(dataset: Dataset, count: int) -> list[Sample]:
    """Choose images by place and class alone, first those of which a run keeps every method's map."""
    kept, more = chosen(dataset.samples), chosen(dataset.samples, count)
    seen = {sample.image_id for sample in kept}
    return [*kept, *(sample for sample in more if sample.image_id not in seen)][:count]


@dataclass
class Gallery:
    """The images of a gallery, and what each row says of them.

    Attributes:
        dataset: The images.
        samples: Those that are shown, if they can be read.
        rows: Row to image to its prediction, plain.
    """

    dataset: Dataset
    samples: Sequence[Sample]
    rows: dict[str, dict[str, Node]] = field(default_factory=dict)

    def add(self, row: str, records: Records, limits: Thresholds, heatmaps: Path) -> None:
        """Take what a row says of the images.

        Args:
            row: The row's name.
            records: Its records.
            limits: Where one kind of its errors ends and the next begins.
            heatmaps: Folder of its stored heatmaps; without it there are boxes alone.

        Raises:
            UserError: If a stored file is damaged.
        """
        places = {image_id: place for place, image_id in enumerate(records.image_ids)}
        kinds = anatomy(records, "predicted", limits)
        maps = _StoredMaps(heatmaps, len(self.dataset.samples), self.dataset.samples)
        own = self.rows.setdefault(row, {})
        for sample in self.samples:
            place = places.get(sample.image_id)
            if place is None:
                continue
            label, score = int(records.classes[place, 0]), float(records.scores[place, 0])
            box, truth, least = records.boxes[place, 0], sample.boxes, limits.iou
            node = _box_node(box, truth, least) | {
                "class": label,
                "score": None if math.isnan(score) else round(score, 3),
                "kind": KINDS[kinds[place]],
                "map": maps.find(sample, label, 0),
            }
            if label != sample.label and records.label_boxes is not None:
                known = maps.find(sample, sample.label, -1)
                node["label"] = _box_node(records.label_boxes[place], truth, least) | {"map": known}
            own[sample.image_id] = node

    def content(self, budget: int = BUDGET) -> Node:
        """Return the gallery as plain json: the images that can be read, as many as the budget allows.

        Of images beyond it, some are left out evenly.

        Args:
            budget: Bytes that all pictures and maps may take.
        """
        images = list(self._images())
        sizes = [sum(map(len, _texts(image))) for image in images]
        kept = images
        if sum(sizes) > budget:
            count = int(len(images) * budget / sum(sizes))
            kept = [images[place] for place in np.linspace(0, len(images) - 1, count).astype(int)]
        labels = {image["label"] for image in kept}
        labels |= {node["class"] for image in kept for node in image["rows"].values()}
        return {
            "rows": list(self.rows),
            "images": sorted(kept, key=lambda image: str(image["id"])),
            "names": {label: class_name(self.dataset, label) for label in sorted(labels)},
            "chosen": len(self.samples),
            "unreadable": len(self.samples) - len(images),
            "of": len(self.dataset.samples),
        }

    def _images(self) -> Iterator[Node]:
        for sample, pixels in readable(self.samples):
            yield {
                "id": sample.image_id,
                "size": [pixels.shape[1], pixels.shape[0]],
                "label": sample.label,
                "truth": sample.boxes.tolist(),
                "picture": picture(pixels),
                "rows": {
                    row: own[sample.image_id] for row, own in self.rows.items() if sample.image_id in own
                },
            }


def class_name(dataset: Dataset, label: int) -> str:
    """Give the first of a class's names; an output may be no class of the dataset."""
    return dataset.class_names[label].partition(",")[0] if label >= 0 else "another class"


def picture(pixels: ImageArray) -> str:
    """Return an image ``[H, W, 3]`` as a small JPEG in a data URI."""
    small = Image.fromarray(pixels)
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _box_node(box: np.ndarray[Any, Any], truth: np.ndarray[Any, Any], least: float) -> Node:
    overlap = float(iou(box, truth).max(initial=0))
    return {"box": [int(edge) for edge in box], "iou": round(overlap, 4), "hit": overlap >= least}


def _texts(node: Any) -> Iterator[str]:
    """Yield all texts of a plain tree."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)


class _StoredMaps:
    """The heatmaps that a run stored of one method: small ones of every image, large ones of a few."""

    def __init__(self, folder: Path, count: int, samples: Sequence[Sample]) -> None:
        self._folder = folder
        self._exhibits = read_exhibits(folder)
        stored = len([*folder.glob("heatmaps-*.npz")])
        shards = next((s for s in (shards_of(count), shards_of(count, costly=True)) if len(s) == stored), [])
        self._shard_of = {samples[i].image_id: number for number, shard in enumerate(shards) for i in shard}
        self._open: tuple[int, Heatmaps] | None = None

    def find(self, sample: Sample, label: int, slot: int) -> Node | None:
        """Return the map of a class: of the first or the last slot, or of the few that were kept."""
        number = self._shard_of.get(sample.image_id)
        if number is None:
            found = self._exhibits.get((sample.image_id, label))
            return None if found is None else map_node(found)
        heatmaps = self._read(number)
        if sample.image_id not in heatmaps.image_ids:
            return None
        one = heatmaps.image(heatmaps.image_ids.index(sample.image_id))
        return map_node(exhibit(one.maps[0, [slot]], one.views[0]))

    def _read(self, number: int) -> Heatmaps:
        if self._open is None or self._open[0] != number:
            self._open = number, read_heatmaps(heatmap_file(self._folder, number))
        return self._open[1]


def map_node(shown: Exhibit) -> Node:
    """Return a map as bytes: shares of its maximum, or signed colours with 0 at 128.

    A map of more than 56 cells a side is averaged over areas.
    """
    values = shown.values
    high, wide = values.shape[1:]
    if max(high, wide) > _CELLS:
        values = _reduced(values)
        high, wide = values.shape[1:]
    if len(values) > 1:
        scaled = 128 + 127 * values / max(float(np.abs(values).max()), 1e-12)
    else:
        scaled = 255 * values.clip(0) / max(float(values.max()), 1e-12)
    data = base64.b64encode(np.rint(scaled).clip(0, 255).astype(np.uint8).tobytes()).decode()
    return {"data": data, "shape": [len(values), high, wide], "region": list(shown.view.region)}


def _reduced(values: FloatArray) -> FloatArray:
    import cv2

    high, wide = (min(side, _CELLS) for side in values.shape[1:])
    return np.stack([cv2.resize(one, (wide, high), interpolation=cv2.INTER_AREA) for one in values])
