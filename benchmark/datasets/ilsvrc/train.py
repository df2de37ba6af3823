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
from benchmark.datasets.ilsvrc.classes import Classes
from benchmark.datasets.ilsvrc.options import LAYOUTS, IlsvrcOptions, classes_of
from benchmark.datasets.ilsvrc.text import OFFICIAL_TRAIN_COUNT
from benchmark.datasets.image_set import ImageSet, fingerprint

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
    """

    folder: Path
    found: int
    count: int

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        lines = [f"images      {self.found} files in {self.folder} (WNID folders)"]
        if self.found < self.count:
            lines.append(f"incomplete  {self.count - self.found} of the {self.count} images are not here")
        return lines


def load_train(name: str = "ilsvrc_train", count: int = OFFICIAL_TRAIN_COUNT, **options: Any) -> ImageSet:
    """Read ``<folder>/<WNID>/<WNID>_<n>.JPEG`` below ``root``, or in the folder that ``images`` names.

    Hidden files and files of other kinds are ignored; images and folders that do not fit are refused.

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
        found, sizes = _read(folder, classes)
    except OSError as error:  # a folder without permission, a broken link, an unreachable file server
        raise UserError(f"{error.filename}: cannot be read ({error.strerror}); check permissions") from error
    if not found:
        raise UserError(f"{folder}: its class folders hold no .JPEG; unpack the images there")
    wanted = set(chosen.wanted(sizes, f"has no file in {folder}"))
    samples = chosen.arrange(sample for sample in found if sample.image_id in wanted)

    def line(sample: Sample) -> str:
        return f"{sample.image_id} {sizes[sample.image_id]} {classes.wnids[sample.label]}"

    return ImageSet(
        name=name,
        classes=classes.wnids,
        class_names=classes.names,
        samples=samples,
        skipped={},
        fingerprint=fingerprint("ilsvrc_train 1", samples, line),
        report=TrainReport(folder, len(found), count),
        count=count,
    )


def _find(root: Path | None) -> Path:
    """Find the folder of class folders, or of their archives, below ``root``."""
    places = [root / below for below in _FOLDERS] if root else []
    for place in filter(Path.is_dir, places):
        with os.scandir(place) as entries:
            if any(_WNID.fullmatch(entry.name.removesuffix(".tar")) for entry in entries):
                return place
    for packed in (place / "ILSVRC2012_img_train.tar" for place in places):
        if packed.is_file():
            raise UserError(
                f"{packed}: still packed; unpack it, and each class's archive into its own folder"
            )
    raise UserError(
        f"{root}: no folders of classes (n01440764/ …) in any known place; correct dataset.root, or name the "
        f"folder that holds them with dataset.images= ({LAYOUTS})"
    )


def _read(folder: Path, classes: Classes) -> tuple[list[Sample], dict[str, int]]:
    """List every image, with the size of each in bytes."""
    found: list[Sample] = []
    sizes: dict[str, int] = {}
    labels = {wnid: classes.label(wnid, folder / wnid) for wnid in _class_folders(folder)}
    # Threads hide the latency of network file systems.
    with ThreadPoolExecutor(8) as pool:
        for wnid, files in zip(labels, pool.map(_images, (folder / wnid for wnid in labels)), strict=True):
            for image_id, path, size in files:
                if image_id in sizes:
                    raise UserError(f"{path}: {image_id} is there twice; remove one of them")
                found.append(Sample(image_id, Path(path), labels[wnid], _NO_BOXES))
                sizes[image_id] = size
    return found, sizes


def _class_folders(folder: Path) -> list[str]:
    """Return the sorted names of the class folders; refuse other folders and packed archives."""
    with os.scandir(folder) as entries:
        visible = [(entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith(".")]
    folders = sorted(name for name, is_folder in visible if is_folder)
    for name in folders:
        if not _WNID.fullmatch(name):
            raise UserError(
                f"{folder / name}: its name is no class (n01440764 …); move it away, or name the folder that "
                "holds class folders alone (dataset.images=)"
            )
    for name, _ in sorted(visible):
        stem = name.removesuffix(".tar")
        if stem != name and _WNID.fullmatch(stem) and stem not in folders:
            raise UserError(f"{folder / name}: still packed; unpack it into the folder {stem}")
    return folders


def _images(folder: Path) -> list[tuple[str, str, int]]:
    """List id, path and size in bytes of each image of a class, without opening any."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, _, suffix = entry.name.rpartition(".")
            if suffix.lower() in ("jpeg", "jpg") and not stem.startswith("."):
                if not stem.startswith(f"{folder.name}_"):
                    raise UserError(
                        f"{entry.path}: not called {folder.name}_….JPEG as its class's images are; move it"
                    )
                found.append((stem, entry.path, entry.stat().st_size))
    return found
