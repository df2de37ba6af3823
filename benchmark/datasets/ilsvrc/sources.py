"""The parts of the dataset that are found or named by an option, and their reading."""

from collections.abc import Callable, Set
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.core.text_lists import rows
from benchmark.datasets.ilsvrc.classes import Classes, check_meta, check_synsets
from benchmark.datasets.ilsvrc.crosscheck import Source
from benchmark.datasets.ilsvrc.layout import Part, find_parts, has_xml
from benchmark.datasets.ilsvrc.options import IlsvrcOptions
from benchmark.datasets.ilsvrc.text_annotations import (
    read_blacklist,
    read_devkit_labels,
    read_labels,
    read_localization,
    read_sizes,
    read_solution,
)
from benchmark.datasets.ilsvrc.xml_boxes import read_xml_folder

BOXES_REMEDY = (
    "name a folder of ILSVRC2012_val_*.xml, LOC_val_solution.csv or localization.txt (dataset.boxes=)"
)
LABELS_REMEDY = (
    "name class_labels.txt, val.txt, LOC_val_solution.csv or the devkit's labels (dataset.labels=)"
)
_BOXES = {"xml", "solution", "localization"}
_LABELS = {"labels", "devkit labels"}
STATES = {"boxes": _BOXES, "labels": _LABELS | {"xml", "solution"}}
"""Kinds of parts that state boxes, or labels."""
_DEVKIT = {"devkit labels", "meta", "blacklist"}


def collect(options: IlsvrcOptions) -> list[Part]:
    """List everything to be read apart from the images; a part named by an option replaces those found.

    Raises:
        UserError: If the path of an option has no such part.
    """
    parts = {part for place in (options.root, options.ground_truth) if place for part in find_parts(place)}
    if options.devkit:
        parts = _without(parts, _DEVKIT) | _devkit_parts(options.devkit)
    if options.boxes:
        parts = _without(parts, _BOXES) | {_boxes_part(options.boxes)}
    if options.labels:
        parts = _without(parts, _LABELS) | {_labels_part(options.labels)}
    if options.blacklist or options.blacklist_off:
        parts = _without(parts, {"blacklist"})
    if options.blacklist:
        parts.add(Part("blacklist", options.blacklist))
    return sorted(parts)


def read_sources(
    parts: list[Part], classes: Classes, wanted: Set[str] | None, count: int
) -> list[tuple[str, Source]]:
    """Read all sources, each with its kind; XML files of images that are not wanted are not opened.

    If sources agree, the first one's boxes are used: XML, then Kaggle's csv, other text files, the devkit.
    The devkit must have ``count`` labels.

    Raises:
        UserError: If a source cannot be read.
    """
    readers: dict[str, Callable[[Path], Source]] = {
        "xml": lambda path: read_xml_folder(path, classes, wanted),
        "solution": lambda path: read_solution(path, classes),
        "localization": lambda path: read_localization(path, classes.last_image),
        "sizes": lambda path: read_sizes(path, classes.last_image),
        "labels": lambda path: read_labels(path, classes),
        "devkit labels": lambda path: read_devkit_labels(path, classes, count),
    }
    return [(kind, read(part.path)) for kind, read in readers.items() for part in parts if part.kind == kind]


def check_classes(parts: list[Part], classes: Classes) -> tuple[Path, ...]:
    """Compare every class list found with the classes, and return the paths of these lists.

    Raises:
        UserError: If one differs.
    """
    for part in parts:
        if part.kind == "meta":
            check_meta(part.path, classes)
        elif part.kind == "synsets":
            check_synsets(part.path, classes)
    return tuple(part.path for part in parts if part.kind in ("meta", "synsets"))


def find_blacklist(parts: list[Part], last: int) -> tuple[Path | None, frozenset[str]]:
    """Read the blacklist: its file and its images (of 1…``last``), or ``None`` and no image without one.

    Raises:
        UserError: If it cannot be read, or several differ.
    """
    paths = [part.path for part in parts if part.kind == "blacklist"]
    lists = [read_blacklist(path, last) for path in paths]
    for path, images in zip(paths, lists, strict=True):
        if images != lists[0]:
            raise UserError(f"{paths[0]} and {path} are different blacklists; choose with dataset.blacklist=")
    return (paths[0], lists[0]) if paths else (None, frozenset())


def _without(parts: set[Part], kinds: Set[str]) -> set[Part]:
    return {part for part in parts if part.kind not in kinds}


def _boxes_part(path: Path) -> Part:
    if path.is_dir():
        if has_xml(path):
            return Part("xml", path)
        path = path / "localization.txt"
    if not path.is_file():
        raise UserError(f"dataset.boxes={path.parent}: no boxes there; {BOXES_REMEDY}")
    return Part("solution" if _first_word(path).startswith("ImageId") else "localization", path)


def _labels_part(path: Path) -> Part:
    if path.is_dir() and has_xml(path):
        return Part("xml", path)
    if not path.is_file():
        raise UserError(f"dataset.labels={path}: no labels there; {LABELS_REMEDY}")
    first = _first_word(path)
    if first.startswith("ImageId"):
        return Part("solution", path)
    return Part("devkit labels" if first.isdigit() else "labels", path)


def _devkit_parts(path: Path) -> set[Part]:
    parts = {part for part in find_parts(path) if part.kind in _DEVKIT}
    if not parts:
        raise UserError(
            f"dataset.devkit={path}: neither meta.mat nor ILSVRC2012_validation_ground_truth.txt is there; "
            "name the unpacked folder ILSVRC2012_devkit_t12"
        )
    return parts


def _first_word(path: Path) -> str:
    return next((row.words[0] for row in rows(path)), "")
