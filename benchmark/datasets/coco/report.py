"""What was recognised of COCO: for the doctor and for a number's conditions."""

from dataclasses import dataclass
from typing import Any

from benchmark.datasets.coco.instances import Census
from benchmark.datasets.coco.layout import Files


@dataclass(frozen=True)
class CocoReport:
    """What a dataset was read from.

    Attributes:
        files: Where.
        official: Images of the official split; ``None`` where the split is a person's own.
        crowd: ``keep`` or ``drop``.
        census: Of the whole json.
    """

    files: Files
    official: int | None
    crowd: str
    census: Census

    @property
    def image_count(self) -> int:
        """Images of the json, before any choice."""
        return self.census.images

    @property
    def told(self) -> dict[str, Any]:
        """For a number's conditions."""
        return {"instances": self.files.instances.name, "crowds": self.crowd}

    def lines(self) -> list[str]:
        """The report as a person reads it."""
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
