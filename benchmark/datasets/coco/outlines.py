"""The pixels of COCO's objects, worked out when they are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from pycocotools import mask


@dataclass(frozen=True)
class Outlines(Sequence[Mapping[str, Any]]):
    """Run lengths of the objects of one image, as ``COCO.annToRLE`` gives them.

    There are 291,875 objects in val2014: turning all into run lengths takes minutes, which a run over part of
    them need not pay. A polygon is kept as an array, a quarter of the json's list.

    Attributes:
        segmentations: Of each object: polygons ``x0 y0 x1 y1 …``, or COCO's run lengths, packed or not.
        size: Width and height of the image.
    """

    segmentations: tuple[Any, ...]
    size: tuple[int, int]

    @classmethod
    def of(cls, segmentations: Iterable[Any], size: tuple[int, int]) -> "Outlines":
        """From segmentations as the json has them."""
        return cls(tuple(map(_compact, segmentations)), size)

    def __len__(self) -> int:
        """Objects."""
        return len(self.segmentations)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> "Outlines": ...
    def __getitem__(self, index: int | slice) -> "Mapping[str, Any] | Outlines":
        """Run lengths ``{"size": [H, W], "counts": …}`` of one object."""
        if isinstance(index, slice):
            return Outlines(self.segmentations[index], self.size)
        width, height = self.size
        segmentation = self.segmentations[index]
        if isinstance(segmentation, list):  # the parts of one object
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
