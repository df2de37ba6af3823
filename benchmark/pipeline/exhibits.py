"""The few images that a picture sheet may show, and their heatmaps, kept by the run that makes them.

Which images these are is known before the run: they are chosen by place and class, never by what a method
makes of them. So a sheet needs no network. Below ``results/runs``, in a folder of heatmaps or of pairs::

    exhibits-00007.npz      the kept heatmaps of one shard, fp16; absent where it has no such image
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from benchmark.core.errors import UserError
from benchmark.core.files import damaged
from benchmark.core.heatmaps import upsample
from benchmark.core.types import FloatArray, ImageArray, Sample, View
from benchmark.datasets.images import UnreadableImage, read_sample
from benchmark.pipeline.heatmap_store import Heatmaps, read_arrays, write_arrays
from benchmark.pipeline.store import tell

MOST = 24
"""Images whose heatmaps are kept; a sheet shows at most so many."""
Pictures = Annotated[int, f"[0, {MOST}]"]
"""The option ``pictures``: how many images a sheet shows."""
SIDE = 112
"""A kept heatmap has at most so many cells a side; a larger one is averaged over areas."""
HOW_CHOSEN = "chosen by place and class alone"

_BRIGHTEST = 0.995  # the share of coloured values that are shown as they are; the rest is cut off

Key = tuple[str, int]
"""An image and a class, an index into the dataset's."""


@dataclass(frozen=True)
class Exhibit:
    """The heatmap of one image and class.

    Attributes:
        values: ``[C, h, w]``, shares of the largest absolute value; C is 1, or 3 for a map that has colours
            of its own, RGB.
        view: The region of the image that the network's input shows.
    """

    values: FloatArray
    view: View

    def shown(self) -> FloatArray:
        """Give the map in the image's own pixels; what the network has not seen is 0.

        Returns:
            ``[H, W]`` as a share of its maximum, 0 where it is negative; or ``[H, W, 3]`` signed colours.
        """
        channels = [upsample(np.ascontiguousarray(channel), self.view) for channel in self.values]
        pixels = np.stack(channels, axis=-1)
        pixels[~np.isfinite(pixels)] = 0
        if len(channels) > 1:
            return _divided(pixels, np.quantile(np.abs(pixels), _BRIGHTEST))
        positive = pixels[..., 0].clip(0)
        return _divided(positive, positive.max())


def exhibit(heatmap: npt.NDArray[np.floating[Any]], view: View) -> Exhibit:
    """Make what is kept of a heatmap ``[C, h, w]`` of any size and scale."""
    import cv2

    high, wide = (min(side, SIDE) for side in heatmap.shape[1:])
    channels = heatmap.astype(np.float32)
    small = np.stack([cv2.resize(one, (wide, high), interpolation=cv2.INTER_AREA) for one in channels])
    return Exhibit(_divided(small, np.abs(small).max()), view)


def _divided(values: FloatArray, by: float) -> FloatArray:
    quotient: FloatArray = values / np.float32(by or 1)
    return quotient


def best_exhibit(heatmaps: Heatmaps) -> dict[Key, Exhibit]:
    """Keep the most probable class's heatmap of a single image."""
    key = heatmaps.image_ids[0], int(heatmaps.classes[0, 0])
    return {key: exhibit(heatmaps.maps[0, :1], heatmaps.views[0])}


def chosen(
    samples: Sequence[Sample], count: int = MOST, fits: Callable[[Sample], bool] = lambda _: True
) -> list[Sample]:
    """Choose images by place and class: one of each of as many equal parts of the dataset.

    In its part it is the first from the middle on that fits, whose class no earlier one has and which the
    devkit scores; else the first that fits.

    Args:
        samples: Samples to choose from.
        count: Images wanted; there are fewer where a part has none that fits.
        fits: Whether an image can be shown; called for as few as possible.
    """
    picked: list[Sample] = []
    count = min(count, len(samples))
    for part in range(count):
        start, stop = part * len(samples) // count, (part + 1) * len(samples) // count
        middle = (start + stop) // 2
        places = [*samples[middle:stop], *samples[start:middle]]
        seen = {sample.label for sample in picked}
        new = (sample for sample in places if sample.label not in seen and not sample.blacklisted)
        fitting = (sample for order in (new, places) for sample in order if fits(sample))
        picked += itertools.islice(fitting, 1)
    return picked


def readable(samples: Sequence[Sample]) -> list[tuple[Sample, ImageArray]]:
    """Read images, without those that cannot be read; each ``[H, W, 3]``."""
    found = []
    for sample in samples:
        with suppress(UnreadableImage):
            found.append((sample, read_sample(sample)))
    return found


def write_exhibits(folder: Path, shard: int, exhibits: Mapping[Key, Exhibit]) -> None:
    """Store the kept heatmaps of a shard, all of one shape; none where no image could be read."""
    values = [one.values.astype(np.float16) for one in exhibits.values()]
    write_arrays(
        _file(folder, shard),
        [one.view for one in exhibits.values()],
        images=np.array([image for image, _ in exhibits], np.str_),
        classes=np.array([label for _, label in exhibits], np.int32),
        values=np.stack(values) if values else np.zeros((0, 1, 1, 1), np.float16),
    )


def holds_exhibits(folder: Path, shard: int, wanted: Set[str]) -> bool:
    """Return whether the file of a shard with images that may be shown is there and whole; else say so.

    Args:
        folder: Where it lies.
        shard: Number of the shard.
        wanted: Identifiers of those images; without any no file is needed.
    """
    path = _file(folder, shard)
    if not wanted:
        return True
    if not path.exists():
        return False
    try:
        if not {image for image, _ in _read(path)} <= wanted:
            raise damaged(path, "it is of other images")
    except UserError as error:
        tell(path, error)
        return False
    return True


def exhibit_files(folder: Path) -> list[Path]:
    """List the files of kept heatmaps."""
    return sorted(folder.glob("exhibits-*.npz"))


def read_exhibits(folder: Path) -> dict[Key, Exhibit]:
    """Read all kept heatmaps.

    Raises:
        UserError: If a file is damaged.
    """
    found: dict[Key, Exhibit] = {}
    for path in exhibit_files(folder):
        found |= _read(path)
    return found


def _file(folder: Path, shard: int) -> Path:
    return folder / f"exhibits-{shard:05d}.npz"


def _read(path: Path) -> dict[Key, Exhibit]:
    views, (images, classes, values) = read_arrays(path, "images", "classes", "values")
    keys = zip(images.tolist(), classes.tolist(), strict=True)
    kept = zip(keys, values.astype(np.float32), views, strict=True)
    return {key: Exhibit(one, view) for key, one, view in kept}
