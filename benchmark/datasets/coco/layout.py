"""Where a split of COCO lies in the user's folder."""

from dataclasses import dataclass
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.datasets.folders import nearby, refuse_packed
from benchmark.datasets.selection import existing

OFFICIAL = {"val2014": 40504, "train2014": 82783, "val2017": 5000, "train2017": 118287}
"""Number of images of each split, those without an object included."""


@dataclass(frozen=True)
class Files:
    """Image folder and json of one split.

    Attributes:
        images: Folder of the images.
        instances: The json of its objects.
    """

    images: Path
    instances: Path


def key(split: str, crowd: str) -> str:
    """Return the name of a split's results; ``coco2014`` is val2014's."""
    name = "coco2014" if split == "val2014" else f"coco_{split}"
    return name if crowd == "keep" else f"{name}_without_crowds"


def find(root: str | None, split: str, images: str | None, instances: str | None) -> Files:
    """Find the image folder and the json: as given, or else below ``root``.

    Raises:
        UserError: If one of them does not exist.
    """
    place, folder, file = existing("root", root), existing("images", images), existing("instances", instances)
    if place is None and (folder is None or file is None):
        raise UserError(
            "dataset.root is not set; name the folder that holds annotations/ and the images "
            "(or $BENCHMARK_COCO)"
        )
    file = file or _instances(place, split)
    if not file.is_file():
        raise UserError(f"dataset.instances={file}: not a file; name the instances json")
    folder = folder or _images(place, split)
    if not folder.is_dir():
        raise UserError(f"dataset.images={folder}: not a folder; unpack the images and name their folder")
    return Files(folder, file)


def _instances(root: Path | None, split: str) -> Path:
    assert root is not None
    for below in (root / "annotations", root):
        if (below / f"instances_{split}.json").is_file():
            return below / f"instances_{split}.json"
    jsons = [*root.glob("annotations/instances_*.json"), *root.glob("instances_*.json")]
    known = sorted(path.stem.removeprefix("instances_") for path in jsons)
    if known:
        raise UserError(
            f"dataset.split={split}: {root} has no annotations/instances_{split}.json; "
            f"it has {', '.join(known)}"
        )
    refuse_packed(root, "annotations*.zip")
    near = nearby(root, lambda other: (other / "annotations" / f"instances_{split}.json").is_file())
    remedy = f"set dataset.root={near}" if near else "unpack the annotations there"
    raise UserError(
        f"dataset.root={root}: no annotations/instances_{split}.json in it; {remedy}, or name the file "
        "(dataset.instances=)"
    )


def _images(root: Path | None, split: str) -> Path:
    assert root is not None
    for below in (root / split, root / "images" / split):
        if below.is_dir():
            return below
    refuse_packed(root, f"{split}.zip")
    near = nearby(root, lambda other: (other / split).is_dir())
    remedy = f"set dataset.root={near}" if near else "unpack the images there"
    raise UserError(
        f"dataset.root={root}: no folder {split} or images/{split} in it; {remedy}, or name their folder "
        "(dataset.images=)"
    )
