"""COCO's instances json: its classes and each image's objects."""

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from benchmark.core.errors import UserError
from benchmark.core.types import Objects

_CLASSES = 80
_POLYGON = 4  # numbers; a first part with no more would be taken for a box by pycocotools, which then fails
_DEEPEST = 35  # bits of a packed run length
_LARGEST = 2**16  # of an image's sides, in pixels; JPEG knows none of more
_FARTHEST, _LONGEST = 2**20, 2**24  # of a polygon, in pixels: pycocotools fails or fills the memory beyond
_DIGITS = 3  # COCO's coordinates have two digits; more digits in a computed file are rounding errors


@dataclass(frozen=True)
class CocoImage:
    """One image of the json.

    Attributes:
        file_name: Name of its file in the folder of the images.
        size: Width and height in pixels.
        annotations: Label, box and segmentation of each object.
    """

    file_name: str
    size: tuple[int, int]
    annotations: Sequence[tuple[int, tuple[int, int, int, int], Any]]

    def objects(self) -> Objects:
        """Return the objects without their masks."""
        return Objects(
            np.array([label for label, _, _ in self.annotations], np.int32),
            np.array([box for _, box, _ in self.annotations], np.int32).reshape(-1, 4),
            np.zeros(len(self.annotations), np.bool_),
        )

    def segmentations(self) -> list[Any]:
        """Return the segmentation of each object, in the json's form."""
        return [segmentation for _, _, segmentation in self.annotations]


@dataclass(frozen=True)
class CocoCounts:
    """Counts over the whole json, crowds included.

    Attributes:
        images: Number of images.
        objects: Number of objects.
        crowds: Number of crowds among them.
    """

    images: int
    objects: int
    crowds: int


@dataclass(frozen=True)
class Instances:
    """The content of the json.

    Attributes:
        classes: Names of the classes, in the order of the categories' numbers.
        pictures: Images by image id (the file name without suffix).
        counts: Counts over the json.
    """

    classes: tuple[str, ...]
    pictures: Mapping[str, CocoImage]
    counts: CocoCounts


def read(path: Path, drop_crowds: bool) -> Instances:
    """Read the json.

    Raises:
        UserError: If it is damaged, is not a file of instances, or contradicts itself.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
            coco = COCO(str(path))
        return _instances(coco, path, drop_crowds)
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check permissions") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a whole json file ({error}); fetch it anew") from error
    except Exception as error:  # whatever an entry of another form leads to
        raise UserError(
            f"{path}: not COCO's instances json ({type(error).__name__}: {error}); name "
            "instances_<split>.json"
        ) from error


def _instances(coco: Any, path: Path, drop_crowds: bool) -> Instances:
    numbers = sorted(coco.cats)
    classes = tuple(str(coco.cats[number]["name"]) for number in numbers)
    if len(set(classes)) != _CLASSES:
        raise UserError(
            f"{path}: {len(set(classes))} classes where COCO has {_CLASSES}; name the official instances json"
        )
    strange = set(coco.imgToAnns) - set(coco.imgs)
    if strange:
        raise UserError(
            f"{path}: annotates image {min(strange)}, which it does not list; fetch the file anew"
        )
    labels = {number: label for label, number in enumerate(numbers)}
    pictures: dict[str, CocoImage] = {}
    for number, image in coco.imgs.items():
        kept = [a for a in coco.imgToAnns.get(number, ()) if not (drop_crowds and a["iscrowd"])]
        picture = _picture(image, kept, labels, path)
        image_id = Path(picture.file_name).stem
        if image_id in pictures:
            raise UserError(f"{path}: lists {picture.file_name} twice; fetch the file anew")
        pictures[image_id] = picture
    annotations = coco.anns.values()
    crowds = sum(bool(annotation["iscrowd"]) for annotation in annotations)
    return Instances(classes, pictures, CocoCounts(len(pictures), len(annotations), crowds))


def _picture(image: Any, annotations: Sequence[Any], labels: Mapping[int, int], path: Path) -> CocoImage:
    size = int(image["width"]), int(image["height"])
    if not all(0 < side < _LARGEST for side in size):
        raise UserError(f"{path}: {image['file_name']} is of {size[0]}x{size[1]} pixels; fetch the file anew")
    objects = []
    for annotation in annotations:
        where = f"{path}: annotation {annotation['id']} of {image['file_name']}"
        if annotation["category_id"] not in labels:
            raise UserError(f"{where} has the unknown category {annotation['category_id']}; fetch it anew")
        box = _box(annotation["bbox"], size, where)
        _check_outline(annotation["segmentation"], size, where)
        objects.append((labels[annotation["category_id"]], box, annotation["segmentation"]))
    return CocoImage(str(image["file_name"]), size, objects)


def _check_outline(segmentation: Any, size: tuple[int, int], where: str) -> None:
    if isinstance(segmentation, list):
        whole = all(map(_is_polygon, segmentation)) and segmentation and len(segmentation[0]) > _POLYGON
    else:
        whole = list(segmentation["size"]) == [size[1], size[0]] and _fills(segmentation.get("counts"), size)
    if not whole:
        raise UserError(
            f"{where}: its segmentation is none of an image of {size[0]}x{size[1]}; fetch it anew"
        )


def _is_polygon(part: Any) -> bool:
    if not (isinstance(part, list) and len(part) >= _POLYGON and isfinite(sum(part))):
        return False
    length = sum(abs(a - b) for a, b in zip(part, part[2:] + part[:2], strict=True))
    return bool(max(map(abs, part)) < _FARTHEST and length < _LONGEST)


def _fills(counts: Any, size: tuple[int, int]) -> bool:
    """Return whether run lengths cover all pixels; with fewer, pycocotools would read beyond the end."""
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    whole = isinstance(runs, list) and all(type(run) is int for run in runs)
    return whole and min(runs, default=-1) >= 0 and sum(runs) == size[0] * size[1]


def _unpacked(counts: str) -> list[int]:
    """Return COCO's packed run lengths: groups of 5 bits; the fourth adds to the second, and so on."""
    runs: list[int] = []
    value, shift = 0, 0
    for character in counts:
        code = ord(character) - 48
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20 and shift < _DEEPEST:
            continue
        if code & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    return runs


def _box(bbox: Sequence[float], size: tuple[int, int], where: str) -> tuple[int, int, int, int]:
    """Return the smallest half-open box of whole pixels, at least one, that holds ``x y width height``."""
    x, y, wide, tall = bbox
    if not (_fits(x, wide, size[0]) and _fits(y, tall, size[1])):
        raise UserError(
            f"{where}: box {x} {y} {wide} {tall} is none, or leaves the image of {size[0]}x{size[1]} pixels "
            "by more than one; fetch the file of this split anew"
        )
    (x0, x1), (y0, y1) = _span(x, wide, size[0]), _span(y, tall, size[1])
    return x0, y0, x1, y1


def _fits(start: float, length: float, size: int) -> bool:
    """Return whether an interval lies within the image, up to a pixel; NaN never does."""
    return -1 <= start <= size and length >= 0 and start + length <= size + 1


def _span(start: float, length: float, size: int) -> tuple[int, int]:
    low = min(max(floor(round(start, _DIGITS)), 0), size - 1)
    return low, max(min(ceil(round(start + length, _DIGITS)), size), low + 1)
