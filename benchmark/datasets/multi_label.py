"""A dataset whose images hold objects of several classes: what VOC and COCO have in common."""

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
    """What was recognised in a person's folders."""

    def lines(self) -> list[str]:
        """As a person reads it."""
        ...

    @property
    def told(self) -> Mapping[str, Any]:
        """What a reader of a number must know of it, as plain json."""
        ...

    @property
    def image_count(self) -> int:
        """Images of the split as it lies there, before any choice."""
        ...


@dataclass(frozen=True)
class ManyObjects:
    """Images with all their objects.

    Attributes:
        name: Key that names the results.
        classes: Class names, in the order of the labels.
        samples: In the order asked for; each has an object.
        skipped: Images left out by ``dataset.missing=skip``, each with what it lacks.
        fingerprint: See :func:`fingerprint`.
        report: What was recognised.
        bare: Images asked for in which there is no object to speak of, so that nothing can be asked of them.
        count: Images of the official split; ``None`` where the split is a person's own.
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
        """The classes are named by words already."""
        return self.classes

    @property
    def complete(self) -> bool:
        """Whether the whole official split is in it, images without an object apart."""
        return len(self.samples) + len(self.bare) == self.count

    @property
    def conditions(self) -> dict[str, Any]:
        """What a reader of a number must know about the images and their truth, beside the fingerprint."""
        objects = [sample.objects for sample in self.samples if sample.objects is not None]
        return {
            "images": len(self.samples),
            "complete": self.complete,
            **self.report.told,
            "objects": sum(len(each.classes) for each in objects),
            "difficult": sum(int(each.difficult.sum()) for each in objects),
            "without_objects": len(self.bare),
            "skipped": len(self.skipped),
        }


def sample_of(image_id: str, path: Path, size: tuple[int, int], objects: Objects) -> Sample:
    """A sample labelled with the lowest class that has an object which is not difficult, or else any.

    Its boxes are all of that class, difficult ones included.
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
    """Refuse images that hold objects of several classes, where an image has one class, its label.

    Raises:
        UserError: With how many there are, and what can be asked of such images instead.
    """
    held = [sample.objects for sample in dataset.samples if sample.objects is not None]
    several = sum(len(np.unique(objects.classes)) > 1 for objects in held)
    if several:
        raise UserError(
            f"dataset {dataset.name}: {several} of {len(dataset.samples)} images hold objects of several "
            "classes, and errors of classes and boxes know one class an image; choose experiment=pointing or "
            "experiment=occlusion, or images of one class with dataset.list=FILE"
        )


def kept(objects: Objects, keep: Sequence[bool] | np.ndarray[Any, np.dtype[np.bool_]]) -> Objects:
    """Some of the objects, in their order; of those without masks."""
    chosen = np.asarray(keep, np.bool_)
    return Objects(objects.classes[chosen], objects.boxes[chosen], objects.difficult[chosen])


def fingerprint(
    version: str, samples: Sequence[Sample], classes: Sequence[str], sizes: Mapping[str, int]
) -> str:
    """sha256 of what can change a number.

    For each sample in the order of ids, one line: id, file size in bytes, annotated size, and of every object
    class, box and whether it is difficult, in the annotation's order; after them the ids in the samples' own
    order. It depends neither on where the files lie nor on their dates; of an image's pixels the size in
    bytes is the witness.

    Args:
        version: Of this rule and what else the numbers depend on, such as the hash of a file of masks.
        samples: With their objects.
        classes: Of the labels.
        sizes: Image id to bytes.
    """
    digest = hashlib.sha256(f"{version}\n".encode())
    for s in sorted(samples, key=lambda sample: sample.image_id):
        digest.update(f"{s.image_id} {sizes[s.image_id]} {s.size} {_told(s.objects, classes)}\n".encode())
    digest.update(" ".join(sample.image_id for sample in samples).encode())
    return digest.hexdigest()


def _told(objects: Objects | None, classes: Sequence[str]) -> str:
    if objects is None:
        return ""
    rows = zip(objects.classes.tolist(), objects.boxes.tolist(), objects.difficult.tolist(), strict=True)
    return " ".join(f"{classes[c]},{','.join(map(str, box))},{hard:d}" for c, box, hard in rows)
