"""The options of this dataset; ``conf/dataset/ilsvrc_val.yaml`` has the same keys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmark.core.errors import UserError
from benchmark.core.options import Count
from benchmark.datasets.ilsvrc.classes import Classes, load_classes, read_classes
from benchmark.datasets.ilsvrc.packed import commands
from benchmark.datasets.ilsvrc.text import OFFICIAL_COUNT, OFFICIAL_TRAIN_COUNT
from benchmark.datasets.selection import Selection, existing

OFFICIAL = {"ilsvrc_val": OFFICIAL_COUNT, "ilsvrc_train": OFFICIAL_TRAIN_COUNT}
"""Keys of the official sets with their numbers of images; no other collection may use these names."""
LAYOUTS = "see docs/data.md"
_FOLDERS = ("root", "images", "devkit", "ground_truth")
_FILES = ("boxes", "labels", "blacklist", "list", "classes")


@dataclass(frozen=True)
class IlsvrcOptions(Selection):
    """The options of :func:`benchmark.datasets.ilsvrc.load`, beside those of a selection.

    Attributes:
        root: Folder of one of the layouts of :mod:`benchmark.datasets.ilsvrc.layout`.
        images: Folder of the images, instead of the one found below ``root``.
        boxes: Folder of XML files, ``LOC_val_solution.csv`` or ``localization.txt``, instead of those found.
        labels: Text file of labels, instead of those found.
        devkit: Folder ``ILSVRC2012_devkit_t12``, instead of the one found.
        ground_truth: Folder of annotations without images: alone, to score stored boxes, or beside ``root``.
        blacklist: File of image numbers; ``auto`` takes the one found in the folders above, if any.
        blacklist_off: Whether ``blacklist`` was ``none``; set by :meth:`parse`.
        classes: List of WNIDs that replaces the official 1000, for a collection in ILSVRC's layout; a name
            without folder is looked for in ``root`` first.
        name: The dataset's key, which names its results.
        count: Number of images of the whole set; a number other than the official one needs another ``name``.
    """

    root: Path | None = None
    images: Path | None = None
    boxes: Path | None = None
    labels: Path | None = None
    devkit: Path | None = None
    ground_truth: Path | None = None
    blacklist: Path | None = None
    blacklist_off: bool = False
    classes: Path | None = None
    name: str = "ilsvrc_val"
    count: Count = OFFICIAL_COUNT

    @property
    def files(self) -> tuple[Path | None, ...]:
        """Return the files that options name."""
        return tuple(getattr(self, name) for name in _FILES)

    @classmethod
    def parse(cls, **given: Any) -> Self:
        """Check options as they come from a command line.

        Raises:
            UserError: If a path does not exist, no option says where the dataset is, an option is out of
                range, or another collection would use the name of an official set.
        """
        blacklist = given.get("blacklist")
        given["blacklist_off"] = isinstance(blacklist, str) and blacklist.lower() == "none"
        if given["blacklist_off"] or blacklist == "auto":
            given["blacklist"] = None
        given["classes"] = _beside(given.get("root"), given.get("classes"))
        given |= {name: _path(name, given.get(name)) for name in _FOLDERS + _FILES}
        options = cls(**given)
        if options.root is None and options.images is None and options.ground_truth is None:
            raise UserError(f"dataset.root is not set; name the folder of the images ({LAYOUTS})")
        official = OFFICIAL.get(options.name, options.count)
        if options.count != official:
            raise UserError(
                f"dataset.count={options.count}: {options.name} has {official} images; choose a part of it "
                "with dataset.limit or dataset.list, or name a collection of your own, dataset.name=mine"
            )
        return options


def classes_of(options: IlsvrcOptions) -> Classes:
    """Return the official 1000 classes, or those of the given list.

    Raises:
        UserError: If the list is malformed, or differs from the classes of the official set ``name``.
    """
    official = load_classes()
    if options.classes is None:
        return official
    classes = read_classes(options.classes)
    if options.name in OFFICIAL and classes.wnids != official.wnids:
        raise UserError(
            f"dataset.classes={options.classes}: not the classes of {options.name}; name your collection, "
            "dataset.name=mine, and give its number of images, dataset.count="
        )
    return classes


def _beside(root: str | Path | None, classes: str | Path | None) -> str | Path | None:
    """Return the list of classes in ``root``, if it is named without a folder and exists there."""
    if root is None or classes is None or Path(classes).name != str(classes):
        return classes
    inside = Path(root).expanduser() / classes
    return inside if inside.is_file() else classes


def _path(name: str, value: str | Path | None) -> Path | None:
    path = existing(name, value, f"correct it ({LAYOUTS})")
    if path is None or path.is_dir():
        return path
    if how := commands(path):
        raise UserError(f"dataset.{name}={value}: still packed; unpack: {how}; then name the folder")
    if name in _FOLDERS:
        raise UserError(f"dataset.{name}={value}: not a folder; name the folder that holds it ({LAYOUTS})")
    return path
