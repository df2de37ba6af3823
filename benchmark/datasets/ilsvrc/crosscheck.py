"""Sources of labels, boxes and sizes, and their cross-check: they are merged, or refused if they disagree."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.types import IntArray
from benchmark.datasets.ilsvrc.classes import Classes

_T = TypeVar("_T")
_UNKNOWN = (2**31, 2**31)
FROM_ONE = "count from 1, where the first class is 0; subtract 1 from each, or write WNIDs"
"""What is wrong with labels that are all too large by one."""


@dataclass(frozen=True)
class Source:
    """Labels, boxes and sizes as one file or folder states them.

    Attributes:
        path: The file or folder.
        labels: Label of each image, by id.
        boxes: Half-open boxes ``[B, 4]`` int32 of each image, by id, ``B > 0``, in the source's order.
        sizes: ``(width, height)`` of each image in pixels, by id.
        mentioned: Every image that it has an entry for, selected or not.
        ignored: Names of files in its folder that systems and programs left there.
    """

    path: Path
    labels: Mapping[str, int] = field(default_factory=dict)
    boxes: Mapping[str, IntArray] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """Return whether it states anything."""
        return bool(self.labels or self.boxes or self.sizes)


@dataclass(frozen=True)
class GroundTruth:
    """Labels, boxes and sizes by image id, on which all sources that state them agree."""

    labels: Mapping[str, int]
    boxes: Mapping[str, IntArray]
    sizes: Mapping[str, tuple[int, int]]


def merge(sources: Sequence[Source], classes: Classes) -> GroundTruth:
    """Merge sources; of several that agree, the first one's statement is used.

    Two lists of boxes agree if they hold the same boxes, in any order and with any repetition.

    Raises:
        UserError: If two sources disagree on a label, a size or the boxes of an image, or a box is reversed
            or reaches out of its image; the message names the image and both sources.
    """
    # Sizes first: images of another size explain boxes that differ.
    sizes = _unite("size", [(s, s.sizes) for s in sources], lambda size: f"{size[0]}x{size[1]}")
    labels = _unite("label", [(s, s.labels) for s in sources], lambda label: classes.wnids[label])
    boxes = _unite("boxes", [(s, s.boxes) for s in sources], _as_written)
    for source in sources:
        _check_boxes(source, sizes)
    return GroundTruth(labels, boxes, sizes)


def box_set(boxes: IntArray) -> tuple[tuple[int, ...], ...]:
    """Return the distinct boxes, sorted: order and repetition mean nothing (three val images repeat one)."""
    return tuple(sorted(set(map(tuple, boxes.tolist()))))


def _as_written(boxes: IntArray) -> str:
    return ", ".join(f"{x0} {y0} {x1 - 1} {y1 - 1}" for x0, y0, x1, y1 in box_set(boxes))


def _unite(
    what: str, statements: Sequence[tuple[Source, Mapping[str, _T]]], words: Callable[[_T], str]
) -> dict[str, _T]:
    """Return each image's statement by the first source that has one; two agree if their ``words`` do."""
    united: dict[str, _T] = {}
    origin: dict[str, Source] = {}
    for source, stated in statements:
        both = stated.keys() & united.keys()
        clashes = [i for i in both if words(stated[i]) != words(united[i])]
        if clashes:
            first = min(clashes)
            more = f" (and {len(clashes) - 1} more images)" if len(clashes) > 1 else ""
            if what == "label" and (later := _one_more(stated, united, both)) is not None:
                raise UserError(f"{source.path if later else origin[first].path}: its labels {FROM_ONE}")
            raise UserError(
                f"{first}: {what} {words(united[first])} in {origin[first].path}, "
                f"but {words(stated[first])} in {source.path}{more}; correct or remove the wrong one, "
                "or name the right one (dataset.boxes=, dataset.labels=)"
            )
        new = stated.keys() - united.keys()
        origin.update(dict.fromkeys(new, source))
        united.update({image_id: stated[image_id] for image_id in new})
    return united


def _one_more(stated: Mapping[str, Any], united: Mapping[str, Any], both: Iterable[str]) -> bool | None:
    """Return whether the later labels are all larger by one, or the earlier ones; ``None`` if neither are."""
    steps = [stated[image_id] - united[image_id] for image_id in both]
    same = len(steps) > 1 and set(steps) in ({1}, {-1})  # a single image may just as well have a wrong label
    return steps[0] == 1 if same else None


def _check_boxes(source: Source, sizes: Mapping[str, tuple[int, int]]) -> None:
    if not source.boxes:
        return
    boxes = np.concatenate(list(source.boxes.values()))
    owners = np.repeat(list(source.boxes), [len(each) for each in source.boxes.values()])
    limits = np.array([sizes.get(image_id, _UNKNOWN) for image_id in owners])
    inverted = np.any(boxes[:, :2] >= boxes[:, 2:], axis=1)
    outside = np.any(boxes[:, :2] < 0, axis=1) | np.any(boxes[:, 2:] > limits, axis=1)
    for row in np.flatnonzero(inverted | outside)[:1].tolist():
        x0, y0, x1, y1 = boxes[row].tolist()
        fault = "reversed" if inverted[row] else "outside the image"
        stated = f", {limits[row][0]}x{limits[row][1]}" if owners[row] in sizes else ""
        raise UserError(
            f"{source.path}: {owners[row]}{stated}: the box {x0} {y0} {x1 - 1} {y1 - 1} is"
            f"  {fault}; correct the file, or use the boxes that belong to the original images"
        )
