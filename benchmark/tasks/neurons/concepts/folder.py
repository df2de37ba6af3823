"""Concepts from a folder of masks, one PNG an image, of numbers of names: PASCAL VOC's layout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.options import Checked
from benchmark.core.text_lists import rows
from benchmark.core.types import Sample, View
from benchmark.datasets.pixel_labels import VOID as LEFT_OUT
from benchmark.datasets.pixel_labels import read_pixel_labels
from benchmark.tasks.neurons.types import UNLABELLED, VOID, Concept, Labels, nearest


@dataclass(frozen=True)
class MaskFolder(Checked, group="concepts"):
    """Masks ``IMAGE_ID.png`` of palette or grey pixels: 0 is nothing, ``k`` the ``k``-th name, 255 left out.

    Attributes:
        name: The choice's key in ``conf/concepts``.
        names: A text file of the names, one a line, in the order of their numbers from 1.
        folder: Folder of the masks; one without a leading slash lies beside the folder of the images.
        category: What the names are names of.
    """

    name: str
    names: str
    folder: str = "SegmentationClass"
    category: str = "object"
    version = 1

    @cached_property
    def concepts(self) -> tuple[Concept, ...]:
        """Return the names as concepts.

        Raises:
            UserError: If the file of names cannot be read or is empty.
        """
        found = tuple(
            Concept(self.category, line.text)
            for line in rows(Path(self.names).expanduser(), "name the file of names with concepts.names=")
        )
        if not found:
            raise UserError(f"concepts.names={self.names}: has no name; put one on each line")
        return found

    def _file(self, sample: Sample) -> Path:
        if sample.path is None:
            raise UserError(f"image {sample.image_id}: has no file, and so no mask beside it")
        return sample.path.parent.parent / Path(self.folder).expanduser() / f"{sample.image_id}.png"

    def covers(self, sample: Sample) -> bool:
        """Return whether there is a mask of the image."""
        return self._file(sample).is_file()

    def masks(self, sample: Sample, view: View, side: int) -> Mapping[str, Sequence[Labels]]:
        """Return the image's one mask.

        Raises:
            UserError: If it cannot be read, is not of the image's size or holds a number without a name.
        """
        size = view.width, view.height
        pixels = read_pixel_labels(self._file(sample), size, len(self.concepts)).astype(np.int32)
        labels = np.where(pixels == LEFT_OUT, VOID, np.where(pixels == 0, UNLABELLED, pixels - 1))
        return {self.category: [nearest(labels, view, side)]}
