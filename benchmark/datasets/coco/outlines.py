"""The masks of COCO's objects, decoded on access."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from pycocotools import mask


@dataclass(frozen=True)
class Outlines(Sequence[Mapping[str, Any]]):
    """Run lengths of the objects of one image, as ``COCO.annToRLE`` gives them.

    val2014 has 291,875 objects; converting them all to run lengths takes minutes, so each is converted on
    access. A polygon is kept as an array, a quarter of the size of the json's list.

    Attributes:
        segmentations: One for each object: polygons ``x0 y0 x1 y1 …``, or COCO's run lengths, packed or not.
        size: Width and height of the image in pixels.
    """

    segmentations: tuple[Any, ...]
    size: tuple[int, int]

    @classmethod
    def of(cls, segmentations: Iterable[Any], size: tuple[int, int]) -> "Outlines":
        """Build the outlines from segmentations in the json's form."""
        return cls(tuple(map(_compact, segmentations)), size)

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.segmentations)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> "Outlines": ...
    def __getitem__(self, index: int | slice) -> "Mapping[str, Any] | Outlines":
        """Return the run lengths ``{"size": [H, W], "counts": …}`` of one object."""
        if isinstance(index, slice):
            return Outlines(self.segmentations[index], self.size)
        width, height = self.size
        segmentation = self.segmentations[index]
        if isinstance(segmentation, list):  # polygons, the parts of one object
            merged: Mapping[str, Any] = mask.merge(mask.frPyObjects(segmentation, height, width))
            return merged
        if isinstance(segmentation["counts"], list):
            packed: Mapping[str, Any] = mask.frPyObjects(segmentation, height, width)
            return packed
        runs: Mapping[str, Any] = segmentation
        return runs


def _compact(segmentation: Any) -> Any:
    if isinstance(segmentation, list):
        return [np.array(polygon, np.float64) for polygon in segmentation]
    return segmentation
