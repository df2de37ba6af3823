"""ILSVRC2012 val with boxes, in every layout that people have, read where it lies.

Coordinates are 0-based inclusive in all of its files and half-open here (``x1 + 1``, ``y1 + 1``). An image
has one class. The layouts are described in :mod:`benchmark.datasets.ilsvrc.layout`.
"""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.types import Sample
from benchmark.datasets.folders import nearby
from benchmark.datasets.ilsvrc.classes import Classes, ilsvrc_ids, load_classes
from benchmark.datasets.ilsvrc.crosscheck import GroundTruth, Source, box_set, merge
from benchmark.datasets.ilsvrc.image_files import ImageFiles, find_image_folder, find_images
from benchmark.datasets.ilsvrc.layout import find_parts, find_unused
from benchmark.datasets.ilsvrc.options import LAYOUTS, IlsvrcOptions, classes_of
from benchmark.datasets.ilsvrc.packed import refuse_packed
from benchmark.datasets.ilsvrc.report import LayoutReport, SourceReport
from benchmark.datasets.ilsvrc.sources import (
    BOXES_REMEDY,
    LABELS_REMEDY,
    STATES,
    check_classes,
    collect,
    find_blacklist,
    read_sources,
)
from benchmark.datasets.ilsvrc.train import load_train
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.pixel_labels import beside, line_of_masks, of_image

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
    try:
        return _read(chosen, classes_of(chosen))
    except OSError as error:  # a folder without permission, or a file server that does not answer
        raise UserError(f"{error.filename}: cannot be read ({error.strerror}); check permissions") from error


def _read(options: IlsvrcOptions, classes: Classes) -> IlsvrcVal:
    images = _images(options, classes)
    # Without images the annotations say which ones there are; XML files that are not listed stay unread.
    ids = (
        options.listed()
        if images is None
        else _wanted(options, images.paths, f"has no file in {images.folder}")
    )
    parts = collect(options)
    checked = check_classes(parts, classes)
    sources = read_sources(parts, classes, ids, options.count)
    if images is not None:
        sources.append(("image names", images.named))
    truth = merge([source for _, source in sources], classes)
    if images is None:
        ids = _wanted(options, truth.labels.keys() | truth.boxes.keys(), "has neither label nor box")
    assert ids is not None
    blacklist = find_blacklist(parts, classes.last_image)
    unused = find_unused(
        (options.root, options.ground_truth), {*(part.path for part in parts), *options.files}
    )
    skipped = _missing(options, ids, truth, unused)
    masks = beside(options.root, Path("val")) if options.root and images else {}
    samples = options.arrange(
        Sample(
            image_id=image_id,
            path=images.paths[image_id] if images else None,
            label=truth.labels[image_id],
            boxes=truth.boxes[image_id],
            blacklisted=image_id in blacklist[1],
            size=truth.sizes.get(image_id),
            bytes=images.bytes[image_id] if images else None,
            pixel_labels=of_image(masks, image_id),
        )
        for image_id in ids - skipped.keys()
    )
    return IlsvrcVal(
        name=options.name,
        classes=classes.wnids,
        class_names=classes.names,
        samples=samples,
        skipped=skipped,
        version="ilsvrc_val 1",
        line=lambda sample: _line(sample, classes) + line_of_masks(options.name, sample.pixel_labels),
        report=_report(options, images, sources, checked, blacklist, unused),
        count=options.count,
        ilsvrc_ids=classes.ilsvrc_ids,
    )


def _report(
    options: IlsvrcOptions,
    images: ImageFiles | None,
    sources: Sequence[tuple[str, Source]],
    checked: tuple[Path, ...],
    blacklist: tuple[Path | None, frozenset[str]],
    unused: tuple[Path, ...],
) -> LayoutReport:
    mentioned: frozenset[str] = frozenset().union(*(source.mentioned for _, source in sources))
    beside = [
        name
        for _, source in sources
        if images is None or source.path != images.folder
        for name in source.ignored
    ]
    return LayoutReport(
        images=images.folder if images else None,
        layout=images.layout if images else "boxes alone",
        image_count=len(images.paths) if images else 0,
        sources=tuple(SourceReport.of(kind, source) for kind, source in sources if source.says_something),
        checked=checked,
        blacklist=blacklist[0],
        blacklist_count=len(blacklist[1]),
        blacklist_off=options.blacklist_off,
        annotated_only=len(mentioned - images.paths.keys()) if images else 0,
        ignored=(*(images.ignored if images else ()), *beside),
        unused=unused,
        count=options.count,
    )


def _wanted(options: IlsvrcOptions, there: Collection[str], fault: str) -> frozenset[str]:
    return frozenset(options.wanted(there, fault))


def _images(options: IlsvrcOptions, classes: Classes) -> ImageFiles | None:
    folder = options.images or (find_image_folder(options.root) if options.root else None)
    found = find_images(folder, classes) if folder else None
    if found is not None and found.paths:
        return found
    place = options.images or options.root
    if place is None:
        return None
    places = [folder for folder in (options.images, options.root) if folder]
    there = {part.kind for folder in places for part in find_parts(folder)}
    refuse_packed(places, "images", *(what for what, kinds in STATES.items() if not kinds & there))
    near = nearby(place, lambda other: find_image_folder(other) is not None)
    remedy = f"set dataset.root={near}, where such images are" if near else "correct dataset.root"
    raise UserError(
        f"{place}: no image called ILSVRC2012_val_*.JPEG in any known layout; {remedy}, name the folder with "
        f"dataset.images=, or for truth alone use dataset.ground_truth= ({LAYOUTS})"
    )


def _line(sample: Sample, classes: Classes) -> str:
    """Return a sample's line for the fingerprint.

    It holds id, file size in bytes (0 without a file), WNID of the label, 0 or 1 for blacklisted, and the
    distinct boxes, sorted: so it depends neither on flat or WNID folders nor on which source had the boxes.
    """
    boxes = " ".join(",".join(map(str, box)) for box in box_set(sample.boxes))
    wnid = classes.wnids[sample.label]
    return f"{sample.image_id} {sample.bytes or 0} {wnid} {sample.blacklisted:d} {boxes}"


def _missing(
    options: IlsvrcOptions, ids: frozenset[str], truth: GroundTruth, unused: Sequence[Path]
) -> dict[str, str]:
    """Return the images without a label or boxes, each with what it lacks; refuse them unless skipped."""
    no_label = ids - truth.labels.keys()
    no_box = ids - truth.boxes.keys()
    place = options.images or options.root or options.ground_truth
    for images, what, remedy in ((no_box, "boxes", BOXES_REMEDY), (no_label, "labels", LABELS_REMEDY)):
        if images == ids:
            refuse_packed((options.root, options.ground_truth), what)
            count = f"{len(images)} images, but " if images else ""
            unfit = [str(path) for path in unused if path.name == "val.txt" and what == "labels"]
            beside = f" ({unfit[0]} gives no label behind each image)" if unfit else ""
            advice = f"{_elsewhere(place, STATES[what])}{remedy}"
            raise UserError(f"{place}: {count}no {what}{beside}; {advice}")
    incomplete = {i: "no label" if i in no_label else "no box" for i in no_label | no_box}
    return options.skipped(incomplete, ids, f"complete the annotations in {place}")


def _elsewhere(place: Path | None, kinds: Set[str]) -> str:
    """Return the advice to name another root, if one near by has a part of one of these kinds."""
    near = place and nearby(place, lambda other: any(part.kind in kinds for part in find_parts(other)))
    return f"set dataset.root={near}, where there are some, or " if near else ""
