"""Where the parts of ILSVRC2012 val lie in the layouts that people have.

Recognised are Kaggle's CLS-LOC tree (``Data/``, ``Annotations/``, ``LOC_*``, with or without its folder
``ILSVRC/``), the trees that image-net.org's archives unpack to (``ILSVRC2012_img_val`` or ``val``;
``bbox/val`` or ``ILSVRC2012_bbox_val_v3``; ``ILSVRC2012_devkit_t12``), and folders of text files such as
wsolevaluation's, Caffe's and OpenMMLab's (``val.txt``). Images may be flat or in WNID folders. Nothing is
ever written there.
"""

import os
import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.folders import is_clutter
from benchmark.datasets.ilsvrc.text import is_annotation
from benchmark.datasets.ilsvrc.text_annotations import lists_labels

_BOXES = "ILSVRC2012_bbox_val_v3"
_XML = (
    *("Annotations/CLS-LOC/val", "ILSVRC/Annotations/CLS-LOC/val", "Annotations/val"),
    *("bbox/val", "bbox", "val", "val/val", "", _BOXES, f"{_BOXES}/val", f"{_BOXES}/bbox/val"),
)
_LISTS = ("", "meta", "ilsvrc12", "caffe_ilsvrc12", "data/ilsvrc12")
_DEVKIT = (*_LISTS, "ILSVRC", "data", "devkit/data", "ILSVRC20??_devkit*", "ILSVRC20??_devkit*/data")
_FILES = {
    "solution": ("LOC_val_solution.csv",),
    "localization": ("localization.txt",),
    "sizes": ("image_sizes.txt",),
    "labels": ("class_labels.txt", "val.txt"),
    "devkit labels": (
        "ILSVRC20??_validation_ground_truth.txt",
        "ILSVRC20??_clsloc_validation_ground_truth.txt",
    ),
    "meta": ("meta.mat", "meta_clsloc.mat"),
    "synsets": ("LOC_synset_mapping.txt", "synset_words.txt"),
    "blacklist": ("*blacklist*.txt",),
}
_KEPT = {".txt", ".csv", ".json", ".mat", ".tar", ".tgz", ".gz", ".zip"}


@dataclass(frozen=True, order=True)
class Part:
    """A file or folder with its kind: ``xml``, or a key of ``_FILES`` above."""

    kind: str
    path: Path


def find_parts(place: Path) -> set[Part]:
    """Find every recognised annotation, devkit file and list in a folder of one of the layouts."""
    parts = {Part("xml", place / name) for name in _XML if has_xml(place / name)}
    # Kaggle's csv files lie above the folder ILSVRC.
    places = [place, place.parent] if place.name == "ILSVRC" else [place]
    for below in (where / prefix for where in places for prefix in ("", "ILSVRC")):
        parts |= {Part(kind, path) for kind in ("solution", "synsets") for path in _matching(below, kind)}
    for prefix in _DEVKIT:
        for folder in _glob(place, prefix):
            parts |= {Part(kind, path) for kind in _FILES for path in _matching(folder, kind)}
    return parts


def find_unused(places: Iterable[Path | None], used: Set[Path | None]) -> tuple[Path, ...]:
    """Return the lists and archives in the folders of a layout that are not used."""
    folders = {place / prefix for place in places if place for prefix in (*_LISTS, "ILSVRC")}
    files = {path for folder in folders if folder.is_dir() for path in folder.iterdir()} - used
    kept = (path for path in files if path.suffix.lower() in _KEPT and not is_clutter(path.name))
    return tuple(sorted(path for path in kept if path.is_file()))


def has_xml(folder: Path) -> bool:
    """Return whether a folder has the XML file of a validation image."""
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return any(is_annotation(entry.name) for entry in entries)


def _glob(place: Path, pattern: str) -> Iterator[Path]:
    return iter([place]) if not pattern else place.glob(pattern)


def _matching(folder: Path, kind: str) -> list[Path]:
    found = [path for pattern in _FILES[kind] for path in folder.glob(pattern)]
    # The detection task's files, in the same devkits, are about other images; so are other tasks' val.txt.
    return [
        path
        for path in found
        if path.is_file()
        and not is_clutter(path.name)
        and not re.search("(^|_)det_", path.name)
        and (path.name != "val.txt" or lists_labels(path))
    ]
