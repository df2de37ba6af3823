"""The image files of a folder, flat or in one folder a class."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc.classes import Classes
from benchmark.datasets.ilsvrc.crosscheck import Source
from benchmark.datasets.ilsvrc.text import is_annotation, parse_file_name, parse_id

_IMAGES = (
    *("", "Data/CLS-LOC/val", "ILSVRC/Data/CLS-LOC/val"),
    *("ILSVRC2012_img_val", "ILSVRC2012_img_val/val", "val"),
)
_WNID = re.compile(r"n\d{8}")
_A_FEW = 20


@dataclass(frozen=True)
class ImageFiles:
    """The validation images of a folder.

    Attributes:
        folder: The folder.
        paths: File of each image, by id.
        bytes: File size of each image, by id.
        named: The labels that names of folders or files state.
        ignored: Names of other files and folders beside them.
        layout: ``flat``, ``WNID folders``, or both if they are mixed.
    """

    folder: Path
    paths: Mapping[str, Path]
    bytes: Mapping[str, int]
    named: Source
    ignored: tuple[str, ...]
    layout: str


def find_image_folder(root: Path) -> Path | None:
    """Find the one folder below ``root`` that has validation images; return ``None`` without one.

    Raises:
        UserError: If there are several.
    """
    # Folders are compared by their resolved paths, since one may be a link to another.
    folders = {(root / name).resolve(): root / name for name in reversed(_IMAGES)}
    found = [folder for folder in reversed(folders.values()) if _has_images(folder)]
    if len(found) > 1:
        raise UserError(f"images are both in {found[0]} and in {found[1]}; choose with dataset.images=")
    return found[0] if found else None


def find_images(folder: Path, classes: Classes) -> ImageFiles:
    """List a folder's validation images.

    Raises:
        UserError: If a file cannot be accessed, an image exists twice, or a class folder is unknown.
    """
    paths: dict[str, Path] = {}
    sizes: dict[str, int] = {}
    labels: dict[str, int] = {}
    ignored, layouts = [], set()
    for entry, parent in _walk(folder):
        parsed = parse_file_name(entry.name)
        if parsed is None:
            if not is_annotation(entry.name):
                ignored.append(entry.name)
            continue
        path = Path(entry.path)
        image_id = parse_id(parsed[0], entry.path, classes.last_image)
        if image_id in paths:
            raise UserError(f"{image_id} is there twice: {paths[image_id]} and {path}; remove one of them")
        paths[image_id], sizes[image_id] = path, _bytes(entry)
        layouts.add("flat" if parent is None else "WNID folders")
        for wnid in filter(None, (parent, parsed[1])):
            label = classes.label(wnid, path)
            if labels.setdefault(image_id, label) != label:
                raise UserError(f"{path}: the folder and the file's name say different classes; move it")
    named = Source(folder, labels=labels, mentioned=frozenset(paths))
    return ImageFiles(folder, paths, sizes, named, tuple(sorted(ignored)), " and ".join(sorted(layouts)))


def _has_images(folder: Path) -> bool:
    """Return whether a folder, or a WNID folder in it, has a validation image.

    The search stops at the first, and looks at a few files of each WNID folder only, since the folder may be
    the training set.
    """
    if not folder.is_dir():
        return False
    entries = _scan(folder)
    inner = (e for folder in entries if _is_class(folder) for e in _scan(Path(folder.path))[:_A_FEW])
    return any(parse_file_name(entry.name) for entry in chain(entries, inner))


def _walk(folder: Path) -> Iterator[tuple[os.DirEntry[str], str | None]]:
    """Yield the entries of a folder and of its WNID folders, with the name of the WNID folder."""
    for entry in _scan(folder):
        if _is_class(entry):
            yield from ((inner, entry.name) for inner in _scan(Path(entry.path)))
        else:
            yield entry, None


def _is_class(entry: os.DirEntry[str]) -> bool:
    return _WNID.fullmatch(entry.name) is not None and entry.is_dir()


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be listed ({error.strerror}); check path and permissions"
        ) from error


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError as error:
        raise UserError(
            f"{entry.path}: cannot be read ({error.strerror}); repair or remove the link"
        ) from error
