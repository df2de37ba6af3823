"""Datasets whose images hold objects of several classes: the part that VOC and COCO share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.core.types import Objects, Sample
from benchmark.datasets.image_set import ImageSet, Report


class MultiLabelReport(Report, Protocol):
    """A report of what was found of a dataset of several classes an image."""

    @property
    def conditions(self) -> Mapping[str, Any]:
        """Return the conditions that every number is stored with, as plain json."""
        ...

    @property
    def image_count(self) -> int:
        """Return the number of images of the split on disk, before any selection."""
        ...


@dataclass(frozen=True)
class ManyObjects(ImageSet):
    """A dataset of images with all their objects; each sample has at least one.

    Attributes:
        bare: Ids of the selected images without an object, which are left out.
    """

    report: MultiLabelReport
    bare: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Return whether the whole official split is in it, images without an object apart."""
        return len(self.samples) + len(self.bare) == self.count

    @property
    def conditions(self) -> dict[str, Any]:
        """Return what is stored with every number about the images and their annotations."""
        objects = [sample.objects for sample in self.samples if sample.objects is not None]
        return {
            **super().conditions,
            **self.report.conditions,
            "objects": sum(len(each.classes) for each in objects),
            "difficult": sum(int(each.difficult.sum()) for each in objects),
            "without_objects": len(self.bare),
            "skipped": len(self.skipped),
        }


def official_lines(found: int, official: int | None, whose: str, where: str) -> list[str]:
    """Return a report's line on the official split: that this is none, or how many images are missing."""
    if official is None:
        return [f"official    this split is none of {whose} own"]
    missing = f"incomplete  {official - found} of the official {official} images are not {where}"
    return [missing] if found < official else []


def sample_of(
    image_id: str, path: Path, size: tuple[int, int], objects: Objects, file_size: int | None
) -> Sample:
    """Return a sample with its objects, labelled with its lowest class that has a non-difficult object.

    If all objects are difficult, the lowest class of all counts. The sample's boxes are all of that class,
    difficult ones included.
    """
    plain = objects.classes[~objects.difficult]
    label = int((plain if len(plain) else objects.classes).min())
    return Sample(
        image_id=image_id,
        path=path,
        label=label,
        boxes=objects.boxes[objects.classes == label],
        size=size,
        objects=objects,
        bytes=file_size,
    )


def refuse_several_classes(dataset: Dataset) -> None:
    """Refuse a dataset with images of several classes, for tasks that know one class an image, its label.

    Raises:
        UserError: With the number of such images, and the experiments that suit them.
    """
    annotated = [sample.objects for sample in dataset.samples if sample.objects is not None]
    several = sum(len(np.unique(objects.classes)) > 1 for objects in annotated)
    if several:
        raise UserError(
            f"dataset {dataset.name}: {several} of {len(dataset.samples)} images hold objects of several "
            "classes, and errors of classes and boxes know one class an image; choose experiment=pointing or "
            "experiment=occlusion, or images of one class with dataset.list=FILE"
        )


def kept(objects: Objects, keep: Sequence[bool] | np.ndarray[Any, np.dtype[np.bool_]]) -> Objects:
    """Return the objects whose ``keep`` is true, in their order and without masks."""
    chosen = np.asarray(keep, np.bool_)
    return Objects(objects.classes[chosen], objects.boxes[chosen], objects.difficult[chosen])


def line_of(sample: Sample, classes: Sequence[str]) -> str:
    """Return a sample's line for the fingerprint.

    It holds id, file size in bytes, annotated size, and class, box and difficulty of every object in the
    annotation's order.
    """
    objects = sample.objects
    columns = () if objects is None else (objects.classes, objects.boxes, objects.difficult)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    found = " ".join(f"{classes[c]},{','.join(map(str, box))},{hard:d}" for c, box, hard in rows)
    return f"{sample.image_id} {sample.bytes or 0} {sample.size} {found}"
