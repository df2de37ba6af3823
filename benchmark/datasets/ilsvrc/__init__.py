"""ILSVRC2012 val with boxes, in every layout that people have, read where it lies.

Coordinates are 0-based inclusive in all of its files and half-open here (``x1 + 1``, ``y1 + 1``). An image
has one class. The layouts are described in :mod:`benchmark.datasets.ilsvrc.layout`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.types import Sample
from benchmark.datasets.ilsvrc.classes import Classes, ilsvrc_ids, load_classes
from benchmark.datasets.ilsvrc.crosscheck import box_set
from benchmark.datasets.ilsvrc.options import IlsvrcOptions, classes_of
from benchmark.datasets.ilsvrc.reader import Evidence, gather
from benchmark.datasets.ilsvrc.report import LayoutReport
from benchmark.datasets.ilsvrc.sources import BOXES_REMEDY, LABELS_REMEDY
from benchmark.datasets.ilsvrc.train import load_train
from benchmark.datasets.image_set import ImageSet, fingerprint

__all__ = [
    "Classes",
    "IlsvrcOptions",
    "IlsvrcVal",
    "ilsvrc_ids",
    "load",
    "load_classes",
    "load_train",
]


@dataclass(frozen=True)
class IlsvrcVal(ImageSet):
    """ILSVRC2012 val, or the part of it that was found and selected.

    Attributes:
        ilsvrc_ids: The devkit's number (1…1000) of each class, as used in its submission files.
    """

    report: LayoutReport
    ilsvrc_ids: tuple[int, ...]

    @property
    def conditions(self) -> dict[str, Any]:
        """Return what is stored with every number about the images and their annotations."""
        return {
            **super().conditions,
            "layout": self.report.layout,
            "truth": sorted({source.kind for source in self.report.sources}),
            "blacklist": self.report.blacklist_state,
            "blacklisted": sum(sample.blacklisted for sample in self.samples),
            "skipped": len(self.skipped),
        }


def load(**options: Any) -> IlsvrcVal:
    """Read ILSVRC2012 val from the user's folders, and write nothing there.

    Every source of labels, boxes and sizes that is found is read, and all must agree. The dataset consists of
    the images that have a file (without images, of all that are annotated); annotations of other images are
    counted in the report. An image without a label or boxes is an error, or with ``missing="skip"`` left out
    and counted.

    Args:
        **options: See :class:`benchmark.datasets.ilsvrc.options.IlsvrcOptions`.

    Raises:
        UserError: If anything is missing, damaged or contradictory, with the file or option and the remedy.
    """
    chosen = IlsvrcOptions.parse(**options)
    classes = classes_of(chosen)
    try:
        evidence = gather(chosen, classes)
    except OSError as error:  # a folder without permission, or a file server that does not answer
        raise UserError(f"{error.filename}: cannot be read ({error.strerror}); check permissions") from error
    skipped = _missing(chosen, evidence)
    samples = chosen.arrange(_sample(image_id, evidence) for image_id in evidence.wanted - skipped.keys())
    sizes = evidence.images.bytes if evidence.images else {}
    return IlsvrcVal(
        name=chosen.name,
        classes=classes.wnids,
        class_names=classes.names,
        samples=samples,
        skipped=skipped,
        fingerprint=fingerprint("ilsvrc_val 1", samples, lambda sample: _line(sample, classes, sizes)),
        report=evidence.report,
        count=chosen.count,
        ilsvrc_ids=classes.ilsvrc_ids,
    )


def _line(sample: Sample, classes: Classes, sizes: Mapping[str, int]) -> str:
    """Return a sample's line for the fingerprint.

    It holds id, file size in bytes (0 without a file), WNID of the label, 0 or 1 for blacklisted, and the
    distinct boxes, sorted: so it depends neither on flat or WNID folders nor on which source had the boxes.
    """
    boxes = " ".join(",".join(map(str, box)) for box in box_set(sample.boxes))
    wnid = classes.wnids[sample.label]
    return f"{sample.image_id} {sizes.get(sample.image_id, 0)} {wnid} {sample.blacklisted:d} {boxes}"


def _sample(image_id: str, evidence: Evidence) -> Sample:
    return Sample(
        image_id=image_id,
        path=evidence.images.paths[image_id] if evidence.images else None,
        label=evidence.truth.labels[image_id],
        boxes=evidence.truth.boxes[image_id],
        blacklisted=image_id in evidence.blacklisted,
        size=evidence.truth.sizes.get(image_id),
    )


def _missing(options: IlsvrcOptions, evidence: Evidence) -> dict[str, str]:
    """Return the images without a label or boxes, each with what it lacks; refuse them unless skipped."""
    no_label = evidence.wanted - evidence.truth.labels.keys()
    no_box = evidence.wanted - evidence.truth.boxes.keys()
    place = options.images or options.root or options.ground_truth
    for images, what, remedy in ((no_box, "boxes", BOXES_REMEDY), (no_label, "labels", LABELS_REMEDY)):
        if images == evidence.wanted:
            count = f"{len(images)} images, but " if images else ""
            raise UserError(f"{place}: {count}no {what}; {remedy}")
    lacking = {i: "no label" if i in no_label else "no box" for i in no_label | no_box}
    return options.skipped(lacking, evidence.wanted, f"complete the annotations in {place}")
