"""ILSVRC2012 train as classifiers learn from it: images and labels, in one folder a class; no boxes."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.datasets.ilsvrc.classes import Classes, load_classes, read_classes
from benchmark.datasets.ilsvrc.options import LAYOUTS, Options
from benchmark.errors import UserError
from benchmark.subset import arrange, read_ids
from benchmark.types import Sample

_OFFICIAL_COUNT = 1_281_167
_FOLDERS = (
    *("Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/train"),
    *("ILSVRC2012_img_train", "ILSVRC2012_img_train/train", "train", ""),
)
_NO_BOXES = np.empty((0, 4), np.int32)


@dataclass(frozen=True)
class IlsvrcTrain:
    """The training images, or the part of them that was found or asked for.

    Attributes:
        classes: The WNIDs, sorted.
        class_names: Words of each class.
        samples: In the order asked for; without boxes.
        fingerprint: sha256 of ids, file sizes, WNIDs and order.
        folder: Where they are.
        name: The key in ``conf/dataset``.
        count: Images of the whole set.
        skipped: Always empty.
    """

    classes: tuple[str, ...]
    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    fingerprint: str
    folder: Path
    name: str
    count: int
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the whole set is in it, for ILSVRC 1,281,167 images."""
        return len(self.samples) == self.count

    @property
    def conditions(self) -> dict[str, Any]:
        """What a reader of a number must know about the images, beside the fingerprint."""
        return {"images": len(self.samples), "complete": self.complete}


def load_train(name: str = "ilsvrc_train", count: int = _OFFICIAL_COUNT, **options: Any) -> IlsvrcTrain:
    """Read ``<folder>/<WNID>/*.JPEG`` below ``root``, or in the folder that ``images`` names.

    Args:
        name: The dataset's key.
        count: Images of the whole set.
        **options: ``root``, ``images``, ``classes``, ``list``, ``limit``, ``order`` and ``seed`` of
            :class:`benchmark.datasets.ilsvrc.options.Options`.

    Raises:
        UserError: If there are no such folders, one is of no known class, or an archive is still packed.
    """
    chosen = Options.parse(name=name, count=count, **options)
    classes = read_classes(chosen.classes) if chosen.classes else load_classes()
    folder = chosen.images or _find(chosen.root)
    listed = read_ids(chosen.list) if chosen.list else None
    sizes: dict[str, int] = {}
    found = []
    for sample, size in _samples(folder, classes):
        if listed is None or sample.image_id in listed:
            found.append(sample)
            sizes[sample.image_id] = size
    _refuse_absent(folder, listed, sizes)
    samples = arrange(found, chosen.order, chosen.seed, chosen.limit)
    print_ = _fingerprint(samples, classes, sizes)
    return IlsvrcTrain(classes.wnids, classes.names, samples, print_, folder, name, count)


def _find(root: Path | None) -> Path:
    """The folder of class folders below ``root``."""
    places = [root / below for below in _FOLDERS] if root else []
    for place in places:
        if place.is_dir():
            with os.scandir(place) as entries:
                if any(_is_class_folder(entry) for entry in entries):
                    return place
    packed = next((path for place in places for path in place.glob("n????????.tar")), None)
    if packed is not None:
        raise UserError(f"{packed}: still packed; unpack each class's archive into a folder of its name")
    raise UserError(
        f"{root}: no folders of classes (n01440764/ …) in any known place; correct dataset.root, or name the "
        f"folder that holds them with dataset.images= ({LAYOUTS})"
    )


def _is_class_folder(entry: os.DirEntry[str]) -> bool:
    return len(entry.name) == 9 and entry.name[0] == "n" and entry.name[1:].isdigit() and entry.is_dir()


def _samples(folder: Path, classes: Classes) -> Iterator[tuple[Sample, int]]:
    """Every image with its size in bytes, class by class."""
    with os.scandir(folder) as entries:
        folders = sorted(entry.name for entry in entries if _is_class_folder(entry))
    for wnid in folders:
        label = classes.label(wnid, folder / wnid)
        with os.scandir(folder / wnid) as entries:
            for entry in entries:
                stem, _, suffix = entry.name.rpartition(".")
                if suffix.lower() in ("jpeg", "jpg"):
                    yield Sample(stem, Path(entry.path), label, _NO_BOXES), entry.stat().st_size


def _refuse_absent(folder: Path, listed: frozenset[str] | None, found: Mapping[str, int]) -> None:
    absent = sorted((listed or frozenset()) - found.keys())
    if absent:
        raise UserError(f"{absent[0]} of dataset.list has no file in {folder}; correct the list")
    if not found:
        raise UserError(f"{folder}: its class folders hold no .JPEG; unpack the images there")


def _fingerprint(samples: Sequence[Sample], classes: Classes, sizes: Mapping[str, int]) -> str:
    digest = hashlib.sha256(b"ilsvrc_train 1\n")
    for s in sorted(samples, key=lambda sample: sample.image_id):
        digest.update(f"{s.image_id} {sizes[s.image_id]} {classes.wnids[s.label]}\n".encode())
    digest.update(" ".join(sample.image_id for sample in samples).encode())
    return digest.hexdigest()
