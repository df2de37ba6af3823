"""A report of what was found of COCO, for the doctor and for a number's conditions."""

from dataclasses import dataclass
from typing import Any

from benchmark.datasets.coco.instances import Census
from benchmark.datasets.coco.layout import Files


@dataclass(frozen=True)
class CocoReport:
    """A report of what a dataset was read from.

    Attributes:
        files: Image folder and json of the split.
        official: Number of images of the official split; ``None`` if the split is the user's own.
        crowd: ``keep`` or ``drop``.
        census: Counts over the whole json.
    """

    files: Files
    official: int | None
    crowd: str
    census: Census

    @property
    def image_count(self) -> int:
        """Return the number of images of the json, before any selection."""
        return self.census.images

    @property
    def conditions(self) -> dict[str, Any]:
        """Return the conditions that every number is stored with."""
        return {"instances": self.files.instances.name, "crowds": self.crowd}

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        found = self.census
        kept = "kept as objects of their class" if self.crowd == "keep" else "dropped"
        lines = [
            f"images      {self.files.images}",
            f"truth       {found.images} images, {found.objects} objects in {self.files.instances}",
            f"crowds      {found.crowds}, {kept}",
        ]
        if self.official is None:
            lines.append("official    this split is none of COCO's own")
        elif found.images < self.official:
            absent = self.official - found.images
            lines.append(f"incomplete  {absent} of the official {self.official} images are not listed")
        return lines
