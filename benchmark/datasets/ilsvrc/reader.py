"""Reading of all that the user's folders hold, and its cross-check."""

from collections.abc import Set
from dataclasses import dataclass

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc.classes import Classes
from benchmark.datasets.ilsvrc.crosscheck import GroundTruth, Source, merge
from benchmark.datasets.ilsvrc.image_files import ImageFiles, find_image_folder, find_images
from benchmark.datasets.ilsvrc.options import LAYOUTS, IlsvrcOptions
from benchmark.datasets.ilsvrc.report import LayoutReport, SourceReport
from benchmark.datasets.ilsvrc.sources import check_classes, collect, find_blacklist, read_sources


@dataclass(frozen=True)
class Evidence:
    """Everything that was found.

    Attributes:
        images: The image files; ``None`` if there are only annotations.
        truth: Labels, boxes and sizes on which all sources agree.
        wanted: Ids of the selected images that have a file (without image files: an annotation).
        blacklisted: Ids of the images on the blacklist.
        report: A report for the user.
    """

    images: ImageFiles | None
    truth: GroundTruth
    wanted: frozenset[str]
    blacklisted: frozenset[str]
    report: LayoutReport


def gather(options: IlsvrcOptions, classes: Classes) -> Evidence:
    """Find, read and cross-check everything.

    Raises:
        UserError: If anything is missing, damaged or contradictory.
    """
    images = _images(options, classes)
    wanted: Set[str] | None
    if images is not None:
        wanted = set(options.wanted(images.paths, f"has no file in {images.folder}"))
    else:
        wanted = options.listed()
    parts = collect(options)
    checked = check_classes(parts, classes)
    sources = read_sources(parts, classes, wanted, options.count)
    if images is not None:
        sources.append(("image names", images.named))
    truth = merge([source for _, source in sources], classes)
    if images is None:
        wanted = set(options.wanted(truth.labels.keys() | truth.boxes.keys(), "has neither label nor box"))
    blacklist, blacklisted = find_blacklist(parts, classes.last_image)
    mentioned: frozenset[str] = frozenset().union(*(source.mentioned for _, source in sources))
    report = LayoutReport(
        images=images.folder if images else None,
        layout=images.layout if images else "boxes alone",
        image_count=len(images.paths) if images else 0,
        sources=tuple(_describe(kind, source) for kind, source in sources if _says_something(source)),
        checked=checked,
        blacklist=blacklist,
        blacklist_count=len(blacklisted),
        blacklist_off=options.blacklist_off,
        annotated_only=len(mentioned - images.paths.keys()) if images else 0,
        ignored=images.ignored if images else (),
        count=options.count,
    )
    return Evidence(images, truth, frozenset(wanted or ()), blacklisted, report)


def _images(options: IlsvrcOptions, classes: Classes) -> ImageFiles | None:
    folder = options.images or (find_image_folder(options.root) if options.root else None)
    found = find_images(folder, classes) if folder else None
    if found is not None and found.paths:
        return found
    place = options.images or options.root
    if place is None:
        return None
    raise UserError(
        f"{place}: no image called ILSVRC2012_val_*.JPEG in any known layout; correct dataset.root, name the "
        f"folder with dataset.images=, or for truth alone use dataset.ground_truth= ({LAYOUTS})"
    )


def _says_something(source: Source) -> bool:
    return bool(source.labels or source.boxes or source.sizes)


def _describe(kind: str, source: Source) -> SourceReport:
    boxes = sum(len(each) for each in source.boxes.values())
    return SourceReport(kind, source.path, len(source.labels), boxes, len(source.sizes))
