"""Store the heatmaps of a shard, so that boxes can be made of them again without a forward pass.

``<model>-<method>-<fingerprint>/heatmaps-00007.npz`` below ``results/runs`` holds maps of at most 28 × 28
cells, relative to their scale, in half precision.
"""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.core.errors import UserError
from benchmark.core.files import damaged, write_atomically
from benchmark.core.reading import read_whole
from benchmark.core.types import Box, FloatArray, IntArray, View
from benchmark.pipeline.journal import Made, note_file
from benchmark.pipeline.store import refuse_others, tell

KEPT_SIDE = 28
"""Heatmaps of at most this many cells a side are stored; larger ones are used as they are made."""


@dataclass(frozen=True)
class Heatmaps:
    """The heatmaps of one shard, with what a localizer needs to turn them into boxes.

    Attributes:
        image_ids: ``[n]``.
        classes: ``[n, k]`` predicted classes, best first.
        scores: ``[n, k]`` their probabilities.
        maps: ``[n, k + 1, h, w]`` relative maps, the last one of the ground-truth class.
        scales: ``[n, k + 1]`` what to multiply a relative map by to get the method's own values.
        views: ``[n]`` how the network's input lay in each image.
        skipped: Images of the shard that could not be read, each with the reason.
        images: Identifiers of all images of the shard, each with the size of its file in bytes.
    """

    image_ids: tuple[str, ...]
    classes: IntArray
    scores: FloatArray
    maps: npt.NDArray[np.floating[Any]]
    scales: FloatArray
    views: tuple[View, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, int | None] = field(default_factory=dict)

    def image(self, number: int) -> "Heatmaps":
        """Return those of one image, without what was skipped."""
        one = slice(number, number + 1)
        arrays = (self.classes[one], self.scores[one], self.maps[one], self.scales[one])
        return Heatmaps(self.image_ids[one], *arrays, self.views[one])


def heatmap_file(folder: Path, shard: int) -> Path:
    """Return where a shard's heatmaps lie."""
    return folder / f"heatmaps-{shard:05d}.npz"


def stored_heatmaps(
    folder: Path, number: int, images: Mapping[str, int | None], *, complete: bool
) -> Heatmaps | None:
    """Return a shard's heatmaps as they are stored; ``None`` where they are missing, or told to be damaged.

    Args:
        folder: Folder of the heatmaps.
        number: Number of the shard.
        images: Identifiers of its images, each with the size of its file in bytes.
        complete: Whether heatmaps are of no use that lack images which could not be read.
    """
    path = heatmap_file(folder, number)
    if not path.exists():
        return None
    try:
        heatmaps = read_heatmaps(path)
        refuse_others(path, heatmaps.images, images)
    except UserError as error:
        tell(path, error)
        return None
    return None if complete and heatmaps.skipped else heatmaps


def write_heatmaps(path: Path, heatmaps: Heatmaps, made: Made) -> None:
    """Store a shard's heatmaps after the note of who made them; maps in half precision, all else as it is."""
    write_atomically(note_file(path), made.note())
    write_arrays(
        path,
        heatmaps.views,
        run=np.array(path.parent.name),
        image_ids=np.array(heatmaps.image_ids, dtype=np.str_),
        classes=heatmaps.classes,
        scores=heatmaps.scores,
        maps=heatmaps.maps.astype(np.float16),
        scales=heatmaps.scales,
        skipped=np.array(json.dumps(dict(heatmaps.skipped))),
        images=np.array(json.dumps(dict(heatmaps.images))),
    )


def read_heatmaps(path: Path) -> Heatmaps:
    """Read a shard's heatmaps back.

    Raises:
        UserError: If the file is damaged, or was made for another folder.
    """
    names = ("run", "image_ids", "classes", "scores", "maps", "scales", "skipped", "images")
    views, (run, image_ids, classes, scores, maps, scales, skipped, images) = read_arrays(path, *names)
    if str(run) != path.parent.name:
        raise damaged(path, f"it is of {run}")
    ids = tuple(image_ids.tolist())
    texts = json.loads(str(skipped)), json.loads(str(images))
    return Heatmaps(ids, classes, scores, maps, scales, views, *texts)


def write_arrays(path: Path, views: Iterable[View], **arrays: npt.NDArray[Any]) -> None:
    """Store views, and arrays by name, in one file of NumPy's."""
    rows = [(view.width, view.height, *view.region) for view in views]
    buffer = io.BytesIO()
    np.savez(buffer, views=np.array(rows, np.int32).reshape(-1, 6), **arrays)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


def read_arrays(path: Path, *names: str) -> tuple[tuple[View, ...], list[npt.NDArray[Any]]]:
    """Read views, and arrays of the given names, back.

    Raises:
        UserError: If the file is damaged.
    """
    try:
        with np.load(io.BytesIO(read_whole(path)), allow_pickle=False) as file:
            views = tuple(View(w, h, Box(*region)) for w, h, *region in file["views"].tolist())
            return views, [file[name] for name in names]
    except Exception as error:  # a wrong byte may lead the readers of zip and npy to raise anything
        raise damaged(path, error) from error
