"""Boxes from a folder of PASCAL-VOC-like XML files, one an image."""

import os
from collections.abc import Set
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from benchmark.core.errors import UserError
from benchmark.core.text_lists import whole_numbers
from benchmark.core.types import IntArray
from benchmark.datasets.folders import is_clutter
from benchmark.datasets.ilsvrc.classes import Classes
from benchmark.datasets.ilsvrc.crosscheck import Source
from benchmark.datasets.ilsvrc.text import half_open, is_annotation, parse_id
from benchmark.datasets.xml_files import read_xml, root_of, texts

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class IlsvrcAnnotation(NamedTuple):
    """One XML file; ``wnid`` is ``None`` if no object is annotated, ``size`` if it is not stated."""

    wnid: str | None
    boxes: IntArray
    size: tuple[int, int] | None


def read_xml_folder(folder: Path, classes: Classes, wanted: Set[str] | None) -> Source:
    """Read the XML of every wanted image that has one; ``wanted`` is ``None`` for all images.

    Raises:
        UserError: If the folder or a file cannot be read, or a file is not an annotation or names several
            classes or an unknown one.
    """
    paths, ignored = _list(folder, classes.last_image)
    chosen = sorted(paths if wanted is None else paths.keys() & wanted)
    found = read_xml({image_id: paths[image_id] for image_id in chosen}, parse)
    return Source(
        path=folder,
        labels={i: classes.label(a.wnid, paths[i]) for i, a in found.items() if a.wnid is not None},
        boxes={i: a.boxes for i, a in found.items() if len(a.boxes)},
        sizes={i: a.size for i, a in found.items() if a.size is not None},
        mentioned=frozenset(paths),
        ignored=ignored,
    )


def parse(path: Path, content: bytes) -> IlsvrcAnnotation:
    """Parse one XML file's content, in which coordinates are 0-based inclusive.

    Raises:
        UserError: If it is not an annotation or names several classes, with its ``path``.
    """
    root = root_of(path, content)
    objects = root.findall("object")
    wnids = {(o.findtext("name") or "").strip() for o in objects}
    if len(wnids) > 1:
        raise UserError(f"{path}: names several classes ({', '.join(sorted(wnids))}); a val image has one")
    boxes = half_open([_numbers(o.find("bndbox"), _CORNERS, path) for o in objects])
    size = root.find("size")
    width_height = None if size is None else _numbers(size, ("width", "height"), path)
    return IlsvrcAnnotation(
        wnid=wnids.pop() if wnids else None,
        boxes=boxes,
        size=None if width_height is None else (width_height[0], width_height[1]),
    )


def _numbers(node: ElementTree.Element | None, names: tuple[str, ...], path: Path) -> list[int]:
    return whole_numbers(texts(node, names), len(names), f"{path}, <{names[0]}> and its neighbours")


def _list(folder: Path, last: int) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Return the file of each image, and what systems and programs left beside them."""
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError as error:
        raise UserError(f"{folder}: the annotations cannot be listed ({error.strerror})") from error
    files = [folder / name for name in names if is_annotation(name)]
    paths = {parse_id(path.name, str(path), last): path for path in files}
    return paths, tuple(sorted(filter(is_clutter, names)))
