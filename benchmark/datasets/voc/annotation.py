"""VOC's XML files: the size of each image and its objects."""

from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.text_lists import numbers
from benchmark.core.types import Objects
from benchmark.datasets.voc.layout import CLASSES, Tree
from benchmark.datasets.xml_files import read_xml, root_of, texts

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class VocAnnotation(NamedTuple):
    """One XML file; ``size`` is width and height in pixels."""

    size: tuple[int, int]
    objects: Objects


def read_all(tree: Tree, ids: Sequence[str]) -> dict[str, VocAnnotation]:
    """Read the annotations of all these images.

    Raises:
        UserError: If a file cannot be read or is not an annotation.
    """
    return read_xml({image_id: tree.annotation(image_id) for image_id in ids}, parse)


def parse(path: Path, content: bytes) -> VocAnnotation:
    """Parse one file's content, in which boxes are 1-based inclusive.

    Raises:
        UserError: If it is damaged, names an unknown class, or a box is empty or leaves the image.
    """
    root = root_of(path, content)
    width, height = _numbers(root.find("size"), ("width", "height"), path)
    found = root.findall("object")
    boxes = [_box(node, (width, height), path) for node in found]
    objects = Objects(
        np.array([_class(node, path) for node in found], np.int32),
        np.array(boxes, np.int32).reshape(-1, 4),
        np.array([_flag(node, path) for node in found], np.bool_),
    )
    return VocAnnotation((width, height), objects)


def _class(node: ElementTree.Element, path: Path) -> int:
    name = (node.findtext("name") or "").strip()
    if name not in CLASSES:
        raise UserError(
            f"{path}: {name or 'an object without a name'} is none of VOC's 20 classes; correct it"
        )
    return CLASSES.index(name)


def _flag(node: ElementTree.Element, path: Path) -> bool:
    text = (node.findtext("difficult") or "0").strip()
    if text not in ("0", "1"):
        raise UserError(f"{path}: difficult is {text} where it must be 0 or 1; unpack the annotations anew")
    return text == "1"


def _box(node: ElementTree.Element, size: tuple[int, int], path: Path) -> tuple[int, int, int, int]:
    """Return an object's half-open box: only a direct child counts, since a person's parts have boxes too."""
    xmin, ymin, xmax, ymax = _numbers(node.find("bndbox"), _CORNERS, path)
    if not (1 <= xmin <= xmax <= size[0] and 1 <= ymin <= ymax <= size[1]):
        raise UserError(
            f"{path}: box {xmin} {ymin} {xmax} {ymax} is empty or leaves the image of {size[0]}x{size[1]} "
            "pixels (1-based, inclusive); correct it"
        )
    return xmin - 1, ymin - 1, xmax, ymax


def _numbers(node: ElementTree.Element | None, names: tuple[str, ...], path: Path) -> list[int]:
    """Parse numbers, rounding the few fractions in VOC 2011 and 2012 to whole ones, halves up."""
    found = numbers(texts(node, names), len(names), f"{path}, {', '.join(names)}", "unpack it anew")
    return [floor(number + 0.5) for number in found]
