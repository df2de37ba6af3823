"""The classes and splits of PASCAL VOC, and where a split lies in the user's folder."""

from dataclasses import dataclass
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.core.options import check
from benchmark.core.text_lists import read_ids
from benchmark.datasets.folders import Listing, is_clutter, list_images, nearby, refuse_packed
from benchmark.datasets.selection import existing

CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable"),
    *("dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
"""The classes in sorted order, which is the order of the outputs of all known VOC networks."""

SPLITS = ("train", "val", "trainval", "test")
"""The official splits; each class has a list of its own for every one of them, too."""

OFFICIAL = {
    (2007, "train"): 2501,
    (2007, "val"): 2510,
    (2007, "trainval"): 5011,
    (2007, "test"): 4952,
    (2012, "train"): 5717,
    (2012, "val"): 5823,
    (2012, "trainval"): 11540,
}
"""Number of images by year and split, from the challenge's own database statistics."""

_LISTS = "ImageSets/Main"
_OF_ONE_CLASS = frozenset(f"{name}_{split}" for name in CLASSES for split in SPLITS)


@dataclass(frozen=True)
class Tree:
    """One split of one year.

    Attributes:
        folder: The folder ``VOC2007``.
        list: The list of the split's images.
        ids: The images that it names.
        images: What lies in the folder of the images.
    """

    folder: Path
    list: Path
    ids: frozenset[str]
    images: Listing

    def image(self, image_id: str) -> Path:
        """Return the path of an image."""
        return self.images.find(f"{image_id}.jpg")

    def annotation(self, image_id: str) -> Path:
        """Return the path of an image's XML."""
        return self.folder / "Annotations" / f"{image_id}.xml"


def key(year: int, split: str, difficult: str) -> str:
    """Return the name of a split's results; ``voc2007`` is val's, on which the Grad-CAM paper measures."""
    name = f"voc{year}" if split == "val" else f"voc{year}_{split}"
    return name if difficult == "keep" else f"{name}_without_difficult"


def find(root: str | None, split: str, year: int) -> Tree:
    """Find the tree of a year below ``root``, and the list of the split.

    Raises:
        UserError: If there is no tree, it is of another year, or it has no such split.
    """
    check("dataset.year", year, int)
    folder = _folder(existing("root", root), year)
    lists = folder / _LISTS
    known = _splits(lists)
    if split not in known:
        there = f"it has {', '.join(known)}" if known else "it has no list of images; unpack it anew"
        raise UserError(f"dataset.split={split}: {lists} has no {split}.txt; {there}")
    ids = read_ids(lists / f"{split}.txt", "unpack the lists anew")
    return Tree(folder, lists / f"{split}.txt", ids, list_images(folder / "JPEGImages"))


def _folder(root: Path | None, year: int) -> Path:
    if root is None:
        raise UserError("dataset.root is not set; name the folder that holds VOCdevkit (or $BENCHMARK_VOC)")
    place = _below(root, year)
    if place is None:
        refuse_packed(root, "VOC*.tar")
        near = nearby(root, lambda other: _below(other, year) is not None)
        raise UserError(
            f"dataset.root={root}: no {_LISTS} in it, in VOC{year} or in VOCdevkit/VOC{year}; "
            + (f"set dataset.root={near}" if near else "name the folder that holds VOCdevkit")
        )
    # A folder with any other name is accepted.
    if place.name.startswith("VOC2") and place.name != f"VOC{year}":
        raise UserError(f"{place}: its name says another year than dataset.year={year}; correct one")
    return place


def _below(root: Path, year: int) -> Path | None:
    places = [root / "VOCdevkit" / f"VOC{year}", root / f"VOC{year}", root]
    return next((place for place in places if (place / _LISTS).is_dir()), None)


def _splits(lists: Path) -> list[str]:
    """Return the names of all lists, except those of a single class (such as ``cat_val``)."""
    found = [path for path in lists.glob("*.txt") if not is_clutter(path.name)]
    return sorted(path.stem for path in found if path.stem not in _OF_ONE_CLASS)
