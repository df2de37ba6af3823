"""A dataset and its image files: what is in them, and what would stop a run."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from benchmark.core.masks import labelled
from benchmark.core.protocols import Dataset
from benchmark.core.types import Sample
from benchmark.datasets.images import ImageFacts, UnreadableImage, check_size, inspect

_GREY = ("1", "L", "LA")


@dataclass(frozen=True)
class Examination:
    """The outcome of an examination of every image file.

    Attributes:
        modes: Pillow's pixel layout (``RGB``, ``L`` for grey, ``CMYK``, …) to number of images.
        formats: File format to number of images.
        exif_rotated: Images whose EXIF orientation is, rightly, not applied.
        unreadable: One line for each image that cannot be read.
        misfits: One line for each image that is not the one its annotation describes.
        decoded: Whether pixels were decoded; from headers alone a truncated file passes unnoticed.
    """

    modes: Counter[str]
    formats: Counter[str]
    exif_rotated: int
    unreadable: tuple[str, ...]
    misfits: tuple[str, ...]
    decoded: bool

    @property
    def grey(self) -> int:
        """Return the number of images without colour."""
        return sum(self.modes[mode] for mode in _GREY)

    def lines(self) -> list[str]:
        """Return the findings for a reader."""
        known = ("RGB", "CMYK", *_GREY)
        others = [f"{n} {mode}" for mode, n in sorted(self.modes.items()) if mode not in known]
        pixels = [f"{self.modes['RGB']} RGB", f"{self.grey} grey", f"{self.modes['CMYK']} CMYK", *others]
        files = [f"{n} {name}" for name, n in sorted(self.formats.items())]
        how = "all decoded" if self.decoded else "from headers: broken pixels pass unnoticed, see decode=true"
        return [
            f"pixels      {', '.join(pixels)}",
            f"files       {', '.join(files) or 'none'}",
            f"rotated     {self.exif_rotated} by EXIF, which is not applied: boxes are in the stored frame",
            f"unreadable  {len(self.unreadable)} ({how})",
            f"misfits     {len(self.misfits)} of another size than annotated",
        ]


def examine(
    samples: Sequence[Sample], decode: bool, pool: Executor, seen: Callable[[int], None]
) -> Examination:
    """Look at the file of every sample that has one.

    Args:
        samples: Samples of a dataset.
        decode: Whether to decode the pixels too.
        pool: Threads to work on.
        seen: Called with 1 after each file.
    """
    files = [sample for sample in samples if sample.path is not None]
    facts, unreadable, misfits = [], [], []
    for sample, found in zip(files, pool.map(lambda sample: _look(sample, decode), files), strict=True):
        seen(1)
        if isinstance(found, str):
            unreadable.append(found)
            continue
        facts.append(found)
        try:
            check_size(sample, (found.width, found.height))
        except UnreadableImage as error:
            misfits.append(str(error))
    return Examination(
        modes=Counter(fact.mode for fact in facts),
        formats=Counter(fact.format for fact in facts),
        exif_rotated=sum(fact.exif_rotated for fact in facts),
        unreadable=tuple(unreadable),
        misfits=tuple(misfits),
        decoded=decode,
    )


def count(dataset: Dataset) -> list[str]:
    """Count samples, boxes, labels and blacklisted images, for a reader.

    Of images that are there to be learned from, without any box, localization is not spoken of. Where images
    hold several classes, all objects and classes count.
    """
    samples = dataset.samples
    counts = [len(sample.objects.boxes if sample.objects else sample.boxes) for sample in samples]
    several = sum(each > 1 for each in counts)
    extent = "the complete set" if dataset.complete else "not the complete set"
    boxes = sum(counts)
    labels = {sample.label for sample in samples}
    labels.update(*(labelled(sample, difficult=True) for sample in samples if sample.objects))
    localized = f"{boxes}; {several} images have several" if boxes else "none: for training alone"
    blacklisted = sum(sample.blacklisted for sample in samples)
    return [
        f"samples     {len(samples)}, {extent}",
        f"boxes       {localized}",
        f"labels      {len(labels)} of {len(dataset.classes)} classes",
        *([f"blacklisted {blacklisted} images, left out of localization"] if boxes else []),
        f"skipped     {len(dataset.skipped)} images",
    ]


def class_fault(dataset: Dataset) -> str:
    """Say what is wrong with a dataset's classes, or nothing.

    WNIDs must be in sorted order, as the outputs of torchvision's and Caffe's ImageNet nets are.
    """
    classes = list(dataset.classes)
    if len(set(classes)) != len(classes):
        return f"{dataset.name}: a class is there twice; correct the dataset's reader"
    if len(dataset.class_names) != len(classes):
        return (
            f"{dataset.name}: {len(dataset.class_names)} names for {len(classes)} classes; correct the reader"
        )
    if all(re.fullmatch(r"n\d{8}", name) for name in classes) and classes != sorted(classes):
        return f"{dataset.name}: the WNIDs are not in sorted order; correct the dataset's reader"
    return ""


def _look(sample: Sample, decode: bool) -> ImageFacts | str:
    assert sample.path is not None
    try:
        return inspect(sample.path, decode)
    except UnreadableImage as error:
        return str(error)
