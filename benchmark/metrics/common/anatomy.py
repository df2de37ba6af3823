"""What went wrong with a prediction of class and box: exactly one kind for each image."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import area, intersection, iou
from benchmark.core.errors import UserError
from benchmark.core.types import IntArray, Records

KINDS = ("right", "class_wrong", "empty_map", "several_objects", "off_target", "too_big", "too_small")
"""The kinds, as they are tabulated."""


@dataclass(frozen=True)
class Thresholds:
    """Where one kind ends and the next begins.

    Attributes:
        iou: Least intersection over union of a right box.
        touch: Least intersection over union of a box that is on the object at all.
        inside: Least share of an object's own area inside the box for the box to hold it.
    """

    iou: float = 0.5
    touch: float = 0.1
    inside: float = 0.5


def anatomy(
    records: Records, of: Literal["predicted", "label"] = "predicted", limits: Thresholds | None = None
) -> npt.NDArray[np.int64]:
    """Return the kind of each image, ``[n]``, an index into :data:`KINDS`.

    ``B`` is the box, ``T`` the ground-truth box that it overlaps best (the first of equals); areas in pixels.
    The first kind of this list that holds is the image's:

    ===================  =====================================================================
    ``class_wrong``      the class is not the image's (of the predicted class alone)
    ``right``            IoU(B, T) >= ``iou``
    ``empty_map``        no box followed from the map, and the whole image, in its place, is not right
    ``several_objects``  at least two ground-truth boxes lie in B with at least ``inside`` of their area
    ``off_target``       IoU(B, T) < ``touch``; also where there is no ground-truth box
    ``too_big``          B is larger than T, or as large
    ``too_small``        B is smaller than T
    ===================  =====================================================================

    Args:
        records: The predictions of n images.
        of: The box of the most probable class, or of the ground-truth class's own map.
        limits: Thresholds; by default those of :class:`Thresholds`.

    Raises:
        UserError: If the records lack the ground-truth class's own map.
    """
    limits = limits or Thresholds()
    boxes, empty, known = _boxes(records, of)
    best, largest, held = _overlaps(boxes, records, limits.inside)
    conditions = {
        "class_wrong": ~known,
        "right": best >= limits.iou,
        "empty_map": empty,
        "several_objects": held >= 2,
        "off_target": best < limits.touch,
        "too_big": area(boxes) >= largest,
        "too_small": np.ones(len(records), np.bool_),
    }
    return np.select(list(conditions.values()), [KINDS.index(name) for name in conditions])


def _boxes(
    records: Records, of: str
) -> tuple[npt.NDArray[np.float64] | IntArray, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return box, whether its map was empty, and whether its class is the image's."""
    if of == "predicted":
        return records.boxes[:, 0], records.empty[:, 0], records.classes[:, 0] == records.labels
    if records.label_boxes is None or records.label_empty is None:
        raise UserError("metric.anatomy.of=label: these records hold no map of the ground-truth class")
    return records.label_boxes, records.label_empty, np.ones(len(records), np.bool_)


def _overlaps(
    boxes: npt.NDArray[np.float64] | IntArray, records: Records, inside: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the best IoU, the area of the box that has it, and how many objects the box holds, ``[n]``."""
    count, owner = len(records), records.owner
    overlap, areas = iou(boxes[owner], records.truth), area(records.truth)
    best, held = np.zeros(count), np.zeros(count, np.int64)
    np.maximum.at(best, owner, overlap)
    np.add.at(held, owner, intersection(boxes[owner], records.truth) >= inside * areas)
    first = np.flatnonzero(overlap == best[owner])[::-1]  # the first of equals is written last
    largest = np.zeros(count)
    largest[owner[first]] = areas[first]
    return best, largest, held
