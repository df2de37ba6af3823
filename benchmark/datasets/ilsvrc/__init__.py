"""ILSVRC2012 val with boxes, in every layout that people have, read where it lies.

Coordinates are 0-based inclusive in all of its files and half-open here (``x1 + 1``, ``y1 + 1``). An image
has one class. The layouts are described in :mod:`benchmark.datasets.ilsvrc.layout`.
"""

from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.types import Sample
from benchmark.datasets.ilsvrc.classes import Classes, ilsvrc_ids, load_classes
from benchmark.datasets.ilsvrc.dataset import IlsvrcVal, fingerprint
from benchmark.datasets.ilsvrc.options import IlsvrcOptions, classes_of
from benchmark.datasets.ilsvrc.reader import Evidence, gather
from benchmark.datasets.ilsvrc.sources import BOXES_REMEDY, LABELS_REMEDY
from benchmark.datasets.ilsvrc.train import IlsvrcTrain, load_train
from benchmark.datasets.subset import arrange, read_ids

__all__ = [
    "Classes",
    "IlsvrcOptions",
    "IlsvrcTrain",
    "IlsvrcVal",
    "ilsvrc_ids",
    "load",
    "load_classes",
    "load_train",
]


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
        evidence = gather(chosen, read_ids(chosen.list) if chosen.list else None, classes)
    except OSError as error:  # a folder without permission, or a file server that does not answer
        raise UserError(f"{error.filename}: cannot be read ({error.strerror}); check permissions") from error
    skipped = _missing(chosen, evidence)
    whole = [_sample(image_id, evidence) for image_id in evidence.wanted - skipped.keys()]
    samples = arrange(whole, chosen.order, chosen.seed, chosen.limit)
    sizes = evidence.images.bytes if evidence.images else {}
    return IlsvrcVal(
        classes=classes.wnids,
        class_names=classes.names,
        ilsvrc_ids=classes.ilsvrc_ids,
        samples=samples,
        skipped=skipped,
        fingerprint=fingerprint(samples, classes.wnids, sizes),
        report=evidence.report,
        name=chosen.name,
        count=chosen.count,
    )


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
    for lacking, what, remedy in ((no_box, "boxes", BOXES_REMEDY), (no_label, "labels", LABELS_REMEDY)):
        if lacking == evidence.wanted:
            count = f"{len(lacking)} images, but " if lacking else ""
            raise UserError(f"{place}: {count}no {what}; {remedy}")
    lack = {i: "no label" if i in no_label else "no box" for i in sorted(no_label | no_box)}
    if lack and (options.missing == "error" or len(lack) == len(evidence.wanted)):
        first, reason = next(iter(lack.items()))
        raise UserError(
            f"{place}: {len(lack)} of {len(evidence.wanted)} images lack a label or boxes, the first is "
            f"{first} ({reason}); complete the annotations, or leave such images out (dataset.missing=skip)"
        )
    return lack
