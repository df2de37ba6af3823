"""Segmentation seeds: the cells of an image that are given to a class or to the background, and their counts.

The rules are those of SEC's authors (Kolesnikov and Lampert, ECCV 2016; notebooks ``weak-localization``).
A cell's class is ``label + 1``, and 0 is the background, as in VOC's masks.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.core.bootstrap import Numbers
from benchmark.core.types import BoolArray, FloatArray, ImageArray

SIDE = 41
"""Cells along a side of SEC's grid: the output of DeepLab-LargeFOV for an input of 321 pixels."""

NOBODY = 254
"""The number of a cell that no seed marks."""

VOID = 255
"""The number of a cell whose truth nobody decided on; it counts nowhere."""

Counts = npt.NDArray[np.int64]


class Cells(NamedTuple):
    """Counts of cells, each ``[…, C + 1]`` by class; void ones are left out.

    Attributes:
        right: Cells that are marked as the class, and are of it.
        marked: Cells that are marked as the class.
        there: Cells that are of the class.
    """

    right: Counts
    marked: Counts
    there: Counts


def foreground(maps: FloatArray, share: float) -> BoolArray:
    """Return where each map ``[…, h, w]`` exceeds a share of its maximum; nowhere if that is not above 0."""
    highest = maps.max(axis=(-2, -1), keepdims=True)
    above: BoolArray = (maps > share * highest) & (highest > 0)
    return above


def background(saliency: FloatArray, share: float) -> BoolArray:
    """Return where a saliency ``[h, w]`` is below its value number ``int(share * h * w)``, sorted from 0."""
    lowest: BoolArray = saliency < np.sort(saliency, axis=None)[int(share * saliency.size)]
    return lowest


def combined(masks: BoolArray, classes: npt.NDArray[np.integer], behind: BoolArray) -> ImageArray:
    """Return the class of each cell ``[h, w]`` uint8, or :data:`NOBODY`.

    Args:
        masks: ``[K, h, w]``, the cells of each class; of several that claim one, the smallest has it.
        classes: ``[K]``, numbers of the classes, from 1.
        behind: ``[h, w]``, the cells of the background, which gives way to every class.
    """
    seeds = np.where(behind, 0, NOBODY).astype(np.uint8)
    sizes = masks.sum(axis=(1, 2))
    for place in np.argsort(-sizes, kind="stable"):
        seeds[masks[place]] = classes[place]
    return seeds


def count(seeds: ImageArray, truth: ImageArray, classes: int) -> Cells:
    """Count the cells ``[n, …]`` of n images, each count ``[n, classes + 1]``."""
    images = len(seeds)
    known = (truth != VOID).reshape(images, -1)
    marks, truths = (np.where(known, one.reshape(images, -1), VOID) for one in (seeds, truth))
    right = np.where(marks == truths, truths, VOID)
    return Cells(*(_histogram(one, classes) for one in (right, marks, truths)))


def _histogram(numbers: npt.NDArray[np.integer], classes: int) -> Counts:
    rows = np.arange(len(numbers))[:, None] * 256
    counted = np.bincount((rows + numbers).ravel(), minlength=256 * len(numbers))
    return counted.reshape(len(numbers), 256)[:, : classes + 1]


def ratio_parts(cells: Cells) -> dict[str, tuple[Numbers, Numbers]]:
    """Return the numerators and denominators ``[…, c]`` that four shares and the IoU are made of.

    A share is the mean over the classes of sum / sum over the images, of classes whose denominator is not 0:
    cells are pooled for each class first.
    """
    right, marked, there = (np.asarray(one, np.float64) for one in cells)
    return {
        "seed_precision": (right[..., 1:], marked[..., 1:]),
        "seed_recall": (right[..., 1:], there[..., 1:]),
        "background_precision": (right[..., :1], marked[..., :1]),
        "background_recall": (right[..., :1], there[..., :1]),
    }


def overlap_parts(cells: Cells) -> tuple[Numbers, Numbers]:
    """Return intersections and unions ``[…, C + 1]`` of each class and its truth, background included."""
    right, marked, there = (np.asarray(one, np.float64) for one in cells)
    return right, marked + there - right
