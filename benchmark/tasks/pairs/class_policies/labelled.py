"""The classes that an image holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from benchmark.core.masks import labelled, objects_of, region
from benchmark.core.options import Checked, Count
from benchmark.core.types import IntArray, Sample
from benchmark.tasks.pairs.outputs import outputs_of


@dataclass(frozen=True)
class Labelled(Checked, group="classes"):
    """Each class that the image holds; with ``one``, a single one of them.

    Attributes:
        difficult: Whether to include classes of which all objects are difficult.
        only: Number of classes that an image must hold, those of difficult objects included, to have any
            pair; ``None`` for any number.
        one: Whether to choose a single class: of those that the options above leave, the one whose objects,
            difficult ones included, cover most pixels; of equal ones the first of the dataset's classes.
    """

    name: str = "labelled"
    version = 1
    difficult: bool = False
    only: Count | None = None
    one: bool = False

    def __call__(self, samples: Sequence[Sample], outputs: IntArray, logits: Tensor) -> Tensor:
        """Return outputs ``[N, K]``, ascending by class, padded with -1; the logits' values are not used."""
        return outputs_of([self._choice(sample) for sample in samples], outputs, logits.device)

    def _choice(self, sample: Sample) -> list[int]:
        if self.only is not None and len(labelled(sample, difficult=True)) != self.only:
            return []
        classes = labelled(sample, self.difficult)
        if not self.one or len(classes) < 2:
            return classes
        height, width = _extent(sample)
        areas = [int(region(sample, [label], height, width).sum()) for label in classes]
        return [classes[areas.index(max(areas))]]


def _extent(sample: Sample) -> tuple[int, int]:
    """Return height and width of an image, or of what its objects fill if no annotation states them."""
    objects = objects_of(sample)
    if sample.size is not None:
        return sample.size[1], sample.size[0]
    if objects.masks:
        height, width = objects.masks[0]["size"]
        return int(height), int(width)
    _, _, right, bottom = objects.boxes.max(axis=0).tolist()
    return bottom, right
