"""PASCAL VOC's detection task: any split of the plain VOCdevkit tree, read where it lies.

Coordinates are 1-based inclusive in its files and half-open here (``xmin - 1, ymin - 1, xmax, ymax``). An
image may hold objects of several classes; those that its annotators found hard to recognise are *difficult*.
The images of a split are those that its list names (``ImageSets/Main/val.txt``), which may be shortened.
"""

from typing import Any, Literal

from benchmark.core.errors import UserError
from benchmark.core.options import check
from benchmark.core.types import Sample
from benchmark.datasets.multi_label import ManyObjects, kept, line_of, sample_of
from benchmark.datasets.selection import SPLIT_REMEDY, Selection, file_sizes
from benchmark.datasets.voc.annotation import VocAnnotation, read_all
from benchmark.datasets.voc.layout import CLASSES, OFFICIAL, Tree, find, key
from benchmark.datasets.voc.report import VocReport, count_objects
from benchmark.datasets.voc.segmentation import load_masks

__all__ = ["CLASSES", "VocReport", "load", "load_masks"]

_REMEDY = "unpack the images and annotations of the same archive"


def load(
    root: str | None = None,
    split: str = "val",
    year: int = 2007,
    difficult: str = "keep",
    name: str | None = None,
    **options: Any,
) -> ManyObjects:
    """Read one split of PASCAL VOC, and write nothing there.

    Args:
        root: Folder that holds ``VOCdevkit``, or ``VOCdevkit`` itself, or its ``VOC2007``.
        split: A list in ``ImageSets/Main``: ``train``, ``val``, ``trainval``, ``test``, or one of your own.
        year: Year of the challenge.
        difficult: Whether to ``keep`` difficult objects, flagged, or ``drop`` them.
        name: Name of the results; ``None`` for ``voc2007`` of val, else ``voc2007_<split>``.
        **options: See :class:`benchmark.datasets.selection.Selection`.

    Raises:
        UserError: If anything is missing, damaged or contradictory, with the file or option and the remedy.
    """
    selection = Selection.parse(**options)
    check("dataset.difficult", difficult, Literal["keep", "drop"])
    tree = find(root, str(split), year)
    wanted = selection.wanted(tree.ids, f"is not in {tree.list}", SPLIT_REMEDY)
    skipped, sizes = _missing(tree, selection, wanted)
    ids = [image_id for image_id in wanted if image_id not in skipped]
    annotations = read_all(tree, ids)
    samples, bare = _samples(tree, annotations, sizes, difficult == "drop")
    if not samples:
        raise UserError("dataset.difficult=drop leaves no image with an object; choose keep")
    chosen, official = selection.arrange(samples), OFFICIAL.get((year, str(split)))
    return ManyObjects(
        name=name or key(year, str(split), difficult),
        classes=CLASSES,
        class_names=CLASSES,
        samples=chosen,
        skipped=skipped,
        version=f"voc 1 {year}",
        line=lambda sample: line_of(sample, CLASSES),
        report=VocReport(tree, official, difficult, count_objects(annotations.values())),
        count=official,
        bare=bare,
    )


def _missing(
    tree: Tree, selection: Selection, wanted: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, int]]:
    """Return the images to leave out since a file is missing, and the size in bytes of every image."""
    images = file_sizes(map(tree.image, wanted))
    truths = file_sizes(map(tree.annotation, wanted))
    incomplete = {}
    for image_id, image, truth in zip(wanted, images, truths, strict=True):
        if truth is None:
            incomplete[image_id] = f"there is no {tree.annotation(image_id)}"
        if image is None:
            incomplete[image_id] = f"there is no {tree.image(image_id)}"
    sizes = {i: size for i, size in zip(wanted, images, strict=True) if size is not None}
    return selection.skipped(incomplete, wanted, _REMEDY), sizes


def _samples(
    tree: Tree, annotations: dict[str, VocAnnotation], sizes: dict[str, int], drop: bool
) -> tuple[list[Sample], tuple[str, ...]]:
    """Return the images with an object, and the ids of those without."""
    samples, bare = [], []
    for image_id, found in annotations.items():
        objects = kept(found.objects, ~found.objects.difficult) if drop else found.objects
        if len(objects.classes):
            samples.append(sample_of(image_id, tree.image(image_id), found.size, objects, sizes[image_id]))
        else:
            bare.append(image_id)
    return samples, tuple(bare)
