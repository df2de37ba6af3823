"""Turn heatmaps into boxes: the part of a run that needs neither a device nor a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.protocols import CountsOverlap
from benchmark.core.stages import stage
from benchmark.core.types import FloatArray, IntArray, LocatedBox, Overlaps, Records, Sample, View
from benchmark.datasets.images import read_sample

if TYPE_CHECKING:
    from benchmark.core.protocols import Localizer
    from benchmark.pipeline.heatmap_store import Heatmaps


class Slots(NamedTuple):
    """The heatmaps of one image: one for each predicted class, and the last of the ground-truth class."""

    classes: IntArray
    scores: FloatArray
    maps: FloatArray
    view: View


class Located(NamedTuple):
    """The located boxes of one image."""

    sample: Sample
    slots: Slots
    found: tuple[LocatedBox, ...]
    curve: IntArray | None
    overlaps: Overlaps | None = None


def slots(heatmaps: Heatmaps, number: int) -> Slots:
    """Return one image of a batch or shard."""
    maps = heatmaps.maps[number].astype(np.float32)
    return Slots(heatmaps.classes[number], heatmaps.scores[number], maps, heatmaps.views[number])


def locate(localizer: Localizer, sample: Sample, image: Slots) -> Located:
    """Make one box for each heatmap of an image; safe to call from several threads.

    The ground-truth class's map is not looked at a second time where the class is among the predicted ones.

    Raises:
        UserError: Naming the image, if a score or a heatmap is not finite, or if the localizer needs the
            image's pixels and they cannot be read.
    """
    try:
        if not np.isfinite(image.scores).all() or not np.isfinite(image.maps).all():
            raise UserError(
                "NaN or infinity in scores or heatmaps; use run.precision=float32, check the weights"
            )
        pixels = None
        if localizer.needs_image:
            with stage("decode again"):
                pixels = read_sample(sample)
        with stage("boxes"):
            found = [localizer(heatmap, image.view, pixels) for heatmap in image.maps[:-1]]
            known = np.flatnonzero(image.classes == sample.label)
            found.append(found[known[0]] if len(known) else localizer(image.maps[-1], image.view, pixels))
        with stage("curve"):
            curve, overlaps = _curve(localizer, image, sample.boxes)
    except UserError as error:
        raise UserError(f"image {sample.image_id}: {error}") from error
    # The maps are done with. A view of none of them would keep them all in memory while the shard is open.
    return Located(sample, image._replace(maps=image.maps[:0].copy()), tuple(found), curve, overlaps)


def _curve(localizer: Localizer, image: Slots, truth: IntArray) -> tuple[IntArray | None, Overlaps | None]:
    """Return the ground-truth class's boxes over thresholds, and overlaps where the localizer counts them."""
    if not localizer.grid:
        return None, None
    if isinstance(localizer, CountsOverlap):
        return localizer.curve_and_overlaps(image.maps[-1], image.view, truth.reshape(-1, 4))
    return localizer.curve(image.maps[-1], image.view), None


def collect(located: Sequence[Located], grid: tuple[float, ...], skipped: Mapping[str, str]) -> Records:
    """Return the records of a shard.

    Args:
        located: One entry for each image that could be read.
        grid: The localizer's thresholds.
        skipped: The images that could not, each with the reason.
    """
    samples = [entry.sample for entry in located]
    count = len(samples)
    top = len(located[0].slots.classes) if located else 0
    boxes = np.array([[f.box for f in e.found] for e in located], np.int32).reshape(count, top + 1, 4)
    peaks = np.array([[f.peak for f in e.found] for e in located], np.int32).reshape(count, top + 1, 2)
    empty = np.array([[f.empty for f in e.found] for e in located], np.bool_).reshape(count, top + 1)
    truth = [sample.boxes.reshape(-1, 4) for sample in samples]
    curves = np.array([e.curve for e in located], np.int32) if grid else None
    overlaps = [e.overlaps for e in located if e.overlaps is not None]
    views = [e.slots.view for e in located]
    return Records(
        image_ids=tuple(sample.image_id for sample in samples),
        labels=np.array([sample.label for sample in samples], np.int32),
        sizes=np.array([(view.width, view.height) for view in views], np.int32).reshape(count, 2),
        blacklisted=np.array([sample.blacklisted for sample in samples], np.bool_),
        truth=np.concatenate([np.zeros((0, 4), np.int32), *truth]).astype(np.int32),
        owner=np.repeat(np.arange(count, dtype=np.int32), [len(t) for t in truth]),
        classes=np.array([e.slots.classes for e in located], np.int32).reshape(count, top),
        scores=np.array([e.slots.scores for e in located], np.float32).reshape(count, top),
        boxes=boxes[:, :-1],
        peaks=peaks[:, :-1],
        empty=empty[:, :-1],
        label_boxes=boxes[:, -1],
        label_peaks=peaks[:, -1],
        label_empty=empty[:, -1],
        curve=None if curves is None else curves.reshape(count, len(grid), 4),
        grid=grid,
        overlaps=np.stack(overlaps) if overlaps else None,
        skipped=skipped,
    )
