"""A report of what was found in the user's folders, for the doctor and for a number's conditions."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from benchmark.datasets.folders import ignored_lines
from benchmark.datasets.ilsvrc.crosscheck import Source
from benchmark.datasets.ilsvrc.text import OFFICIAL_COUNT

_NAMED = 4
_NO_CHANCE = 20  # classes that all have images while the first has none


class SourceReport(NamedTuple):
    """One source that was read, with the numbers of labels, boxes and sizes that it states.

    Attributes:
        kind: ``xml``, ``solution``, ``localization``, ``sizes``, ``labels``, ``devkit labels`` or
            ``image names``.
        path: The file or folder.
        labels: Number of images whose label it states.
        boxes: Number of boxes that it states.
        sizes: Number of images whose size it states.
        no_first: Whether it states all labels from 1 to a last one, and not 0: do they count from 1?
    """

    kind: str
    path: Path
    labels: int
    boxes: int
    sizes: int
    no_first: bool = False

    @classmethod
    def of(cls, kind: str, source: Source) -> Self:
        """Count what a source states."""
        boxes = sum(len(each) for each in source.boxes.values())
        found = set(source.labels.values())
        no_first = len(found) > _NO_CHANCE and found == set(range(1, len(found) + 1))
        return cls(kind, source.path, len(source.labels), boxes, len(source.sizes), no_first)

    @property
    def line(self) -> str:
        """Return the source's line of the report."""
        stated = [
            f"{count} {what}" for what, count in zip(self._fields[2:5], self[2:5], strict=True) if count
        ]
        doubt = (
            "; every class has an image but the first: do its labels count from 1?" if self.no_first else ""
        )
        return f"truth       {', '.join(stated) or 'nothing'} in {self.path}{doubt}"


@dataclass(frozen=True)
class LayoutReport:
    """A report of what a dataset was read from.

    Attributes:
        images: Folder of the images; ``None`` for boxes alone.
        layout: ``flat``, ``WNID folders``, both, or ``boxes alone``.
        image_count: Number of images found, before any selection.
        sources: The sources of labels, boxes and sizes, which all agree.
        checked: Class lists that were compared with the dataset's classes.
        blacklist: The official list of images that localization leaves out; ``None`` if there is none.
        blacklist_count: Number of images on it.
        blacklist_off: Whether it was switched off by ``dataset.blacklist=none``.
        annotated_only: Number of images that are annotated but have no file.
        ignored: Names of other files beside the images and annotations.
        unused: Lists and archives that were found and are not read.
        count: Number of images of the whole set.
    """

    images: Path | None
    layout: str
    image_count: int
    sources: tuple[SourceReport, ...]
    checked: tuple[Path, ...]
    blacklist: Path | None
    blacklist_count: int
    blacklist_off: bool
    annotated_only: int
    ignored: tuple[str, ...]
    unused: tuple[Path, ...] = ()
    count: int = OFFICIAL_COUNT

    @property
    def blacklist_state(self) -> str:
        """Return ``used``, ``not found`` or ``switched off``."""
        if self.blacklist is not None:
            return "used"
        return "switched off" if self.blacklist_off else "not found"

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        found = f"{self.image_count} files in {self.images} ({self.layout})"
        where = found if self.images else "none, boxes alone"
        lines = [f"images      {where}", *(source.line for source in self.sources)]
        lines += [f"classes     agree with {path}" for path in self.checked]
        lines.append(f"blacklist   {self._blacklist_words()}")
        if self.annotated_only:
            lines.append(
                f"no file     {self.annotated_only} annotated images have no file: they are no part of this"
            )
        if self.images and self.image_count < self.count:
            whose = "official " if self.count == OFFICIAL_COUNT else ""
            lines.append(
                f"incomplete  {self.count - self.image_count} of the {whose}{self.count} images are not here"
            )
        if self.unused:
            named = ", ".join(str(path) for path in self.unused[:_NAMED])
            more = f" and {len(self.unused) - _NAMED} more" if len(self.unused) > _NAMED else ""
            lines.append(f"unused      {named}{more}: name by an option what is needed (dataset.labels=, …)")
        return lines + ignored_lines(self.ignored)

    def _blacklist_words(self) -> str:
        if self.blacklist is not None:
            return f"{self.blacklist_count} images, {self.blacklist}"
        if self.blacklist_off:
            return "switched off: localization counts every image"
        return "not found: localization counts every image, unlike the devkit (set dataset.blacklist=)"
