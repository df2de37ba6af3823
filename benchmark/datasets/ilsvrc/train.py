"""ILSVRC2012 train for training classifiers: images and labels in one folder a class, without boxes."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.types import Sample
from benchmark.datasets.folders import ignored_lines, is_clutter, is_image, nearby
from benchmark.datasets.ilsvrc.classes import Classes
from benchmark.datasets.ilsvrc.options import LAYOUTS, IlsvrcOptions, classes_of
from benchmark.datasets.ilsvrc.packed import refuse_packed
from benchmark.datasets.ilsvrc.text import OFFICIAL_TRAIN_COUNT
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.pixel_labels import beside, line_of_masks, of_image

_FOLDERS = (
    *("Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/train"),
    *("ILSVRC2012_img_train", "ILSVRC2012_img_train/train", "train", ""),
)
_WNID = re.compile(r"n\d{8}")
_NO_BOXES = np.empty((0, 4), np.int32)


@dataclass(frozen=True)
class TrainReport:
    """A report of what was found.

    Attributes:
        folder: The folder of class folders.
        found: Number of images there, before any selection.
        count: Number of images of the whole set.
        ignored: Names of what else lies there: hidden, left by systems and programs, or files of other kinds.
    """

    folder: Path
    found: int
    count: int
    ignored: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        lines = [f"images      {self.found} files in {self.folder} (WNID folders)"]
        if self.found < self.count:
            lines.append(f"incomplete  {self.count - self.found} of the {self.count} images are not here")
        return lines + ignored_lines(self.ignored)


def load_train(name: str = "ilsvrc_train", count: int = OFFICIAL_TRAIN_COUNT, **options: Any) -> ImageSet:
    """Read ``<folder>/<WNID>/<WNID>_<n>.JPEG`` below ``root``, or in the folder that ``images`` names.

    What systems and programs leave in folders, and files of other kinds, are ignored and counted; images and
    folders that do not fit are refused.

    Args:
        name: The dataset's key.
        count: Number of images of the whole set.
        **options: ``root``, ``images``, ``classes``, ``list``, ``limit``, ``order`` and ``seed`` of
            :class:`benchmark.datasets.ilsvrc.options.IlsvrcOptions`.

    Raises:
        UserError: If there are no such folders, one is of no known class, an archive is still packed, or an
            image lies in another class's folder, exists twice, or cannot be accessed.
    """
    chosen = IlsvrcOptions.parse(name=name, count=count, **options)
    classes = classes_of(chosen)
    folder = chosen.images or _find(chosen.root)
    try:
        found, ignored = _read(folder, classes, chosen.root)
    except OSError as error:  # a folder without permission, a broken link, an unreachable file server
        raise UserError(f"{error.filename}: cannot be read ({error.strerror}); check permissions") from error
    if not found:
        raise UserError(f"{folder}: its class folders hold no .JPEG, .jpg or .png; unpack the images there")
    wanted = set(chosen.wanted([sample.image_id for sample in found], f"has no file in {folder}"))
    samples = chosen.arrange(sample for sample in found if sample.image_id in wanted)

    return ImageSet(
        name=name,
        classes=classes.wnids,
        class_names=classes.names,
        samples=samples,
        skipped={},
        version="ilsvrc_train 1",
        line=lambda sample: (
            f"{sample.image_id} {sample.bytes or 0} {classes.wnids[sample.label]}"
            + line_of_masks(name, sample.pixel_labels)
        ),
        report=TrainReport(folder, len(found), count, ignored),
        count=count,
    )


def _find(root: Path | None) -> Path:
    """Find the folder of class folders, or of their archives, below ``root``."""
    if found := root and _below(root):
        return found
    refuse_packed([root / below for below in _FOLDERS] if root else (), "train")
    near = root and nearby(root, lambda other: _below(other) is not None)
    remedy = f"set dataset.root={near}, where there are some" if near else "correct dataset.root"
    raise UserError(
        f"{root}: no folders of classes (n01440764/ …) in any known place; {remedy}, or name the folder that "
        f"holds them with dataset.images= ({LAYOUTS})"
    )


def _below(root: Path) -> Path | None:
    for place in filter(Path.is_dir, (root / below for below in _FOLDERS)):
        with os.scandir(place) as entries:
            if any(_WNID.fullmatch(entry.name.removesuffix(".tar")) for entry in entries):
                return place
    return None


def _read(folder: Path, classes: Classes, root: Path | None) -> tuple[list[Sample], tuple[str, ...]]:
    """List every image with its files below ``root``, and what else there is."""
    found: list[Sample] = []
    seen: set[str] = set()
    folders, ignored = _class_folders(folder)
    labels = {wnid: classes.label(wnid, folder / wnid) for wnid in folders}
    # Threads hide the latency of network file systems.
    with ThreadPoolExecutor(8) as pool:
        listed = pool.map(_images, (folder / wnid for wnid in labels))
        for wnid, (files, others) in zip(labels, listed, strict=True):
            ignored += others
            masks = beside(root, Path("train", wnid)) if root else {}
            for image_id, path, size in files:
                if image_id in seen:
                    raise UserError(f"{path}: {image_id} is there twice; remove one of them")
                labels_of = of_image(masks, image_id)
                sample = Sample(
                    image_id, Path(path), labels[wnid], _NO_BOXES, bytes=size, pixel_labels=labels_of
                )
                found.append(sample)
                seen.add(image_id)
    return found, tuple(ignored)


def _class_folders(folder: Path) -> tuple[list[str], list[str]]:
    """Return the sorted names of the class folders and of all else; refuse other folders and archives."""
    with os.scandir(folder) as entries:
        every = sorted((entry.name, entry.is_dir() and not is_clutter(entry.name)) for entry in entries)
    folders = [name for name, is_folder in every if is_folder]
    others = [name for name, is_folder in every if not is_folder]
    for name in folders:
        if not _WNID.fullmatch(name):
            raise UserError(
                f"{folder / name}: its name is no class (n01440764 …); move it away, or name the folder that "
                "holds class folders alone (dataset.images=)"
            )
    for name in others:
        stem = name.removesuffix(".tar")
        if stem != name and _WNID.fullmatch(stem) and stem not in folders:
            raise UserError(f"{folder / name}: still packed; unpack it into the folder {stem}")
    return folders, others


def _images(folder: Path) -> tuple[list[tuple[str, str, int]], list[str]]:
    """List id, path and size in bytes of each image of a class, without opening any, and all other names."""
    found, others = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_image(entry.name):
                others.append(entry.name)
                continue
            if not entry.name.startswith(f"{folder.name}_"):
                raise UserError(
                    f"{entry.path}: not called {folder.name}_….JPEG as its class's images are; move it"
                )
            found.append((entry.name.rpartition(".")[0], entry.path, entry.stat().st_size))
    return found, others
