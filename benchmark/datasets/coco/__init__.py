"""COCO's instances: objects of 80 classes with their masks, read by pycocotools where they lie.

The images are those of the instances json, so a json with part of them is a part of the split. An image
without an object has no class to be explained; it is left out and counted.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from benchmark.core.errors import UserError
from benchmark.core.options import check
from benchmark.core.types import Sample
from benchmark.datasets.coco.instances import CocoCounts, CocoImage, Instances, read
from benchmark.datasets.coco.layout import OFFICIAL, Files, find, key
from benchmark.datasets.coco.outlines import Outlines
from benchmark.datasets.folders import ignored_lines, list_images
from benchmark.datasets.multi_label import ManyObjects, line_of, official_lines, sample_of
from benchmark.datasets.selection import SPLIT_REMEDY, Selection, file_sizes

__all__ = ["CocoReport", "load"]

_REMEDY = "unpack the split's images, or name their folder (dataset.images=)"


@dataclass(frozen=True)
class CocoReport:
    """A report of what a dataset was read from.

    Attributes:
        files: Image folder and json of the split.
        official: Number of images of the official split; ``None`` if the split is the user's own.
        crowd: ``keep`` or ``drop``.
        counts: Counts over the whole json.
        ignored: Names of what lies beside the images.
    """

    files: Files
    official: int | None
    crowd: str
    counts: CocoCounts
    ignored: tuple[str, ...]

    @property
    def image_count(self) -> int:
        """Return the number of images of the json, before any selection."""
        return self.counts.images

    @property
    def conditions(self) -> dict[str, Any]:
        """Return the conditions that every number is stored with."""
        return {"instances": self.files.instances.name, "crowds": self.crowd}

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        found = self.counts
        kept = "kept as objects of their class" if self.crowd == "keep" else "dropped"
        lines = [
            f"images      {self.files.images}",
            f"truth       {found.images} images, {found.objects} objects in {self.files.instances}",
            f"crowds      {found.crowds}, {kept}",
        ]
        lines += official_lines(found.images, self.official, "COCO's", "listed")
        return lines + ignored_lines(self.ignored)


def load(
    root: str | None = None,
    split: str = "val2014",
    images: str | None = None,
    instances: str | None = None,
    crowd: str = "keep",
    name: str | None = None,
    **options: Any,
) -> ManyObjects:
    """Read one split of COCO, and write nothing there.

    Classes are the names of the json's 80 categories in the order of their numbers. A box is the smallest one
    of whole pixels that holds COCO's, within the image. No object is difficult. A crowd (several objects
    under one outline) counts as an object of its class, as in excitation backprop's evaluation.

    Args:
        root: Folder that holds ``annotations/instances_<split>.json`` and ``<split>/``.
        split: ``val2014``, ``train2014``, or another split whose json exists.
        images: Folder of the images, instead of the one in ``root``.
        instances: The json, instead of the one in ``root``.
        crowd: Whether to ``keep`` crowds or ``drop`` them.
        name: Name of the results; ``None`` for ``coco2014`` of val2014, else ``coco_<split>``.
        **options: See :class:`benchmark.datasets.selection.Selection`.

    Raises:
        UserError: If anything is missing, damaged or contradictory, with the file or option and the remedy.
    """
    selection = Selection.parse(**options)
    check("dataset.crowd", crowd, Literal["keep", "drop"])
    files = find(root, str(split), images, instances)
    found = read(files.instances, crowd == "drop")
    wanted = selection.wanted(found.pictures, f"is not in {files.instances}", SPLIT_REMEDY)
    shown = [image_id for image_id in wanted if len(found.pictures[image_id].annotations)]
    if not shown:
        raise UserError(_nothing(files, selection, crowd))
    listing = list_images(files.images)
    paths = {image_id: listing.find(found.pictures[image_id].file_name) for image_id in shown}
    skipped, sizes = _missing(selection, paths)
    samples = [
        _sample(image_id, found.pictures[image_id], paths[image_id], size) for image_id, size in sizes.items()
    ]
    chosen = tuple(_outlined(sample, found) for sample in selection.arrange(samples))
    official, version = OFFICIAL.get(str(split)), f"coco 1 {_hash(files.instances)}"
    return ManyObjects(
        name=name or key(str(split), crowd),
        classes=found.classes,
        class_names=found.classes,
        samples=chosen,
        skipped=skipped,
        version=version,
        line=lambda sample: line_of(sample, found.classes),
        report=CocoReport(files, official, crowd, found.counts, listing.ignored),
        count=official,
        bare=tuple(sorted(set(wanted).difference(shown))),
    )


def _nothing(files: Files, selection: Selection, crowd: str) -> str:
    listed = "its images" if selection.list is None else "the images of dataset.list"
    remedy = "fetch the file anew" if selection.list is None else "correct the list"
    keep = "keep crowds (dataset.crowd=keep), or " if crowd == "drop" else ""
    return f"{files.instances}: none of {listed} has an object; {keep}{remedy}"


def _missing(selection: Selection, paths: Mapping[str, Path]) -> tuple[dict[str, str], dict[str, int]]:
    """Return the images to leave out since their file is missing, and the size in bytes of all others."""
    sized = dict(zip(paths, file_sizes(paths.values()), strict=True))
    incomplete = {
        image_id: f"there is no {paths[image_id]}" for image_id, size in sized.items() if size is None
    }
    sizes = {image_id: size for image_id, size in sized.items() if size is not None}
    return selection.skipped(incomplete, paths, _REMEDY), sizes


def _sample(image_id: str, picture: CocoImage, path: Path, file_size: int) -> Sample:
    return sample_of(image_id, path, picture.size, picture.objects(), file_size)


def _outlined(sample: Sample, found: Instances) -> Sample:
    """Add the masks to a sample; this is done last, so that images left out cost nothing."""
    picture = found.pictures[sample.image_id]
    outlines = Outlines.of(picture.segmentations(), picture.size)
    assert sample.objects is not None
    return replace(sample, objects=replace(sample.objects, masks=outlines))


def _hash(path: Path) -> str:
    """Return the sha256 of the whole json, whose outlines can change a number."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
