"""Datasets whose images hold objects of several classes: the part that VOC and COCO share."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.core.types import Objects, Sample


class Report(Protocol):
    """A report of what was found in a user's folders."""

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        ...

    @property
    def conditions(self) -> Mapping[str, Any]:
        """Return the conditions that every number is stored with, as plain json."""
        ...

    @property
    def image_count(self) -> int:
        """Return the number of images of the split on disk, before any selection."""
        ...


@dataclass(frozen=True)
class ManyObjects:
    """A dataset of images with all their objects.

    Attributes:
        name: Key that names the results.
        classes: Class names, in the order of the labels.
        samples: Selected images in the selected order, each with at least one object.
        skipped: Images left out by ``dataset.missing=skip``, each with what it lacks.
        fingerprint: See :func:`fingerprint`.
        report: What was found on disk.
        bare: Ids of the selected images without an object, which are left out.
        count: Number of images of the official split; ``None`` if the split is the user's own.
    """

    name: str
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    skipped: Mapping[str, str]
    fingerprint: str
    report: Report
    bare: tuple[str, ...]
    count: int | None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the class names in words, which equal ``classes`` here."""
        return self.classes

    @property
    def complete(self) -> bool:
        """Return whether the whole official split is in it, images without an object apart."""
        return len(self.samples) + len(self.bare) == self.count

    @property
    def conditions(self) -> dict[str, Any]:
        """Return what is stored with every number about the images and their annotations."""
        objects = [sample.objects for sample in self.samples if sample.objects is not None]
        return {
            "images": len(self.samples),
            "complete": self.complete,
            **self.report.conditions,
            "objects": sum(len(each.classes) for each in objects),
            "difficult": sum(int(each.difficult.sum()) for each in objects),
            "without_objects": len(self.bare),
            "skipped": len(self.skipped),
        }


def sample_of(image_id: str, path: Path, size: tuple[int, int], objects: Objects) -> Sample:
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


def fingerprint(
    version: str, samples: Sequence[Sample], classes: Sequence[str], sizes: Mapping[str, int]
) -> str:
    """Return the sha256 of everything about the images that can change a number.

    For each sample in the order of ids, one line: id, file size in bytes, annotated size, and class, box and
    difficulty of every object in the annotation's order; after them the ids in the samples' own order. It
    depends neither on where the files lie nor on their dates. Pixels are not read: the size in bytes stands
    for them.

    Args:
        version: Version of this rule, and anything else that the numbers depend on, such as the hash of a
            file of masks.
        samples: The samples, with their objects.
        classes: Class names in the order of the labels.
        sizes: File size in bytes by image id.
    """
    digest = hashlib.sha256(f"{version}\n".encode())
    for s in sorted(samples, key=lambda sample: sample.image_id):
        digest.update(
            f"{s.image_id} {sizes[s.image_id]} {s.size} {_objects_text(s.objects, classes)}\n".encode()
        )
    digest.update(" ".join(sample.image_id for sample in samples).encode())
    return digest.hexdigest()


def _objects_text(objects: Objects | None, classes: Sequence[str]) -> str:
    if objects is None:
        return ""
    rows = zip(objects.classes.tolist(), objects.boxes.tolist(), objects.difficult.tolist(), strict=True)
    return " ".join(f"{classes[c]},{','.join(map(str, box))},{hard:d}" for c, box, hard in rows)
