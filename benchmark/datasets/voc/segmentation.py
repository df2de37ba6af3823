"""PASCAL VOC's segmentation task: images whose every pixel has a class, read where they lie.

An image's classes are those of its mask (0 background, label + 1, 255 void), so that no annotation of boxes
is needed. ``SegmentationClassAug`` and lists such as ``train_aug.txt`` are those of the Semantic Boundaries
Dataset as others pass them on. Any tree of the same form is read, such as the embedded dataset's.
"""

import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from benchmark.core.errors import UserError
from benchmark.core.options import Natural, check
from benchmark.core.text_lists import read_class_list, read_ids
from benchmark.core.types import ImageArray, Objects, Sample
from benchmark.datasets.folders import Listing, list_images
from benchmark.datasets.images import inspect
from benchmark.datasets.multi_label import ManyObjects, line_of, official_lines, sample_of
from benchmark.datasets.pixel_labels import VOID, read_pixel_labels
from benchmark.datasets.selection import Selection, arrange, existing
from benchmark.datasets.voc.layout import CLASSES

_OFFICIAL = {("voc2012", "train"): 1464, ("voc2012", "val"): 1449, ("voc2012", "trainval"): 2913}
_EVERY = "every mask"
_LISTS = "ImageSets/Segmentation"
_MASKS = ("SegmentationClassAug", "SegmentationClass")


@dataclass(frozen=True)
class MaskReport:
    """A report of what was found.

    Attributes:
        folder: The tree.
        masks: Name of its folder of masks.
        source: The list of images, in words.
        image_count: Number of images on it.
        official: Number of images of the official split; ``None`` if it is the user's own.
    """

    folder: Path
    masks: str
    source: str
    image_count: int
    official: int | None

    @property
    def conditions(self) -> dict[str, Any]:
        """Return the conditions that every number is stored with."""
        return {"split": self.source, "masks": self.masks}

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        lines = [f"folder      {self.folder}", f"masks       {self.masks}"]
        lines.append(f"split       {self.source}: {self.image_count} images")
        return lines + official_lines(self.image_count, self.official, "VOC's", "in the list")


@dataclass(frozen=True)
class _Files:
    """The folders of a tree, and the number of the last class."""

    folder: Path
    images: Listing
    masks: Path
    last: int

    def read(self, image_id: str) -> Sample | str:
        """Return an image with its classes; or what it lacks, nothing if only that no pixel has a class."""
        image, mask = self.images.find(f"{image_id}.jpg"), self.masks / f"{image_id}.png"
        lacking = [path for path in (image, mask) if not path.is_file()]
        if lacking:
            return f"there is no {lacking[0]}"
        facts = inspect(image, decode=False)
        labels = read_pixel_labels(mask, (facts.width, facts.height), self.last)
        objects = _objects(labels)
        if not len(objects.classes):
            return ""
        size = facts.width, facts.height
        made = sample_of(image_id, image, size, objects, image.stat().st_size)
        return replace(made, pixel_labels={"classes": mask})


def _objects(labels: ImageArray) -> Objects:
    """Return one object for each class of a mask, all its pixels."""
    present = [number for number in np.unique(labels).tolist() if number not in (0, VOID)]
    masks = [rle.encode(np.asfortranarray(labels == number, np.uint8)) for number in present]
    boxes = np.array([rle.toBbox(one) for one in masks], np.int32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    classes = np.array(present, np.int32) - 1
    return Objects(classes, boxes, np.zeros(len(present), np.bool_), masks)


def load_masks(
    root: str | None = None,
    split: str | None = "train",
    year: int = 2012,
    folders: Mapping[str, str] | None = None,
    classes: str | None = None,
    name: str = "voc2012",
    count: int | None = None,
    after: int = 0,
    **options: Any,
) -> ManyObjects:
    """Read the images of a list that have a mask, and write nothing there.

    Args:
        root: Folder that holds ``VOCdevkit``, or ``VOCdevkit`` itself, or its ``VOC2012``.
        split: A list in ``ImageSets/Segmentation``; ``None`` for every mask. ``list`` goes first.
        year: Year of the tree. In VOC 2007's, a list's ``2007_000032`` means its ``000032``.
        folders: Those of ``images`` and ``masks`` below the tree; ``None`` for VOC's, of which
            ``SegmentationClassAug`` goes first.
        classes: List of classes below the tree; ``None`` for VOC's 20.
        name: Name of the results; the split follows it.
        count: Number of images of the whole set; ``None`` for VOC's, where it is an official one.
        after: Number of images to leave out, the first in ``order``, before ``limit`` counts.
        **options: See :class:`benchmark.datasets.selection.Selection`.

    Raises:
        UserError: If anything is missing or damaged, a mask has another size than its image, or a number
            beyond the last that is not 255; with the file and the remedy.
    """
    selection = Selection.parse(**options)
    check("dataset.after", after, Natural)
    place = existing("root", root)
    if place is None:
        raise UserError("dataset.root is not set; name the folder that holds VOCdevkit (or $BENCHMARK_VOC)")
    folder, masks = _tree(place, year, folders or {})
    names = CLASSES if classes is None else None
    listed = [] if classes is None else read_class_list(folder / classes)
    files = _Files(
        folder, list_images(folder / (folders or {}).get("images", "JPEGImages")), masks, len(names or listed)
    )
    source, ids = _listed(folder, masks, split, selection, year)
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(ids, pool.map(files.read, ids), strict=True))
    lacking = {image_id: one for image_id, one in found.items() if isinstance(one, str) and one}
    skipped = selection.skipped(lacking, ids, "unpack images and masks of the same archive")
    samples = [one for one in found.values() if isinstance(one, Sample)]
    if not samples:
        raise UserError(f"{masks}: not one pixel of a class in {len(ids)} masks; choose other masks")
    if after >= len(samples):
        raise UserError(f"dataset.after={after}: leaves none of {len(samples)} images; choose a smaller one")
    official = count or _OFFICIAL.get((name, source))
    return ManyObjects(
        name=name if source == _EVERY else f"{name}_{source}",
        classes=names or tuple(one.identifier for one in listed),
        class_names=names or tuple(one.name for one in listed),
        samples=arrange(samples, selection.order, selection.seed, None)[after:][: selection.limit],
        skipped=skipped,
        version="masks 1",
        line=partial(_line, classes=names or tuple(one.identifier for one in listed)),
        report=MaskReport(folder, masks.name, source, len(ids), official),
        count=official,
        bare=tuple(image_id for image_id, one in found.items() if one == ""),
    )


def _tree(root: Path, year: int, folders: Mapping[str, str]) -> tuple[Path, Path]:
    wanted = [folders["masks"]] if "masks" in folders else _MASKS
    for folder in (root / "VOCdevkit" / f"VOC{year}", root / f"VOC{year}", root):
        for masks in wanted:
            if (folder / masks).is_dir():
                return folder, folder / masks
    raise UserError(
        f"dataset.root={root}: no folder {wanted[-1]} in it, in VOC{year} or in VOCdevkit/VOC{year}; unpack "
        "VOC's segmentation masks there, or correct dataset.root or dataset.year"
    )


def _listed(
    folder: Path, masks: Path, split: str | None, selection: Selection, year: int
) -> tuple[str, tuple[str, ...]]:
    """Return the name of the list and the ids on it, sorted."""
    if selection.list is not None:
        source, ids = selection.list.stem, selection.listed() or frozenset()
    elif split is None:
        source, ids = _EVERY, frozenset(path.stem for path in masks.glob("*.png"))
    else:
        file = folder / _LISTS / f"{split}.txt"
        if not file.is_file():
            there = ", ".join(sorted(path.stem for path in file.parent.glob("*.txt"))) or "none"
            raise UserError(
                f"dataset.split={split}: there is no {file} (lists there: {there}); choose one, or give "
                "dataset.list=FILE"
            )
        source, ids = split, read_ids(file)
    return source, tuple(sorted({i.removeprefix("2007_") if year == 2007 else i for i in ids}))


def _line(sample: Sample, classes: Sequence[str]) -> str:
    """Return a sample's line for the fingerprint: as for boxes, and a checksum of its mask."""
    masks = sample.objects.masks if sample.objects else None
    return (
        f"{line_of(sample, classes)} {zlib.crc32(b' '.join(bytes(one['counts']) for one in masks or ())):08x}"
    )
