"""Areas under the deletion and the insertion curve."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from benchmark.core.options import Checked
from benchmark.tasks.pairs.protocols import ClassPolicy, Reading
from benchmark.tasks.pairs.statistics import answered, column, image_mean
from benchmark.tasks.pairs.types import Answers, Statistic


@dataclass(frozen=True)
class DeletionInsertion(Checked, group="pair_metric.deletion_insertion"):
    """How fast the class's score falls as a map's highest pixels are deleted, and rises as they are inserted.

    ``deletion`` is the area under the first curve, of which less is better, ``insertion`` that under the
    second, of which more is; both in units of the reading's score (Petsiuk et al., "RISE", BMVC 2018, §4.2).
    Each is the mean over an image's pairs, whichever their classes, then over the images.

    Attributes:
        name: The metric's key in ``conf/pair_metric``.
        version: Raised whenever a change of the code can change a number.
        reads: Names of the readings whose columns it needs.
        needs_reference: Whether it compares with a reference map.
        gives: Names of its statistics.
    """

    name: str
    version: int
    reads: tuple[str, ...] = field(default=("deletion_insertion",), init=False)
    needs_reference: bool = field(default=False, init=False)
    gives: tuple[str, ...] = field(default=("deletion", "insertion"), init=False)

    def check(self, policy: ClassPolicy, readings: Mapping[str, Reading]) -> None:
        """Accept any classes, and any options of the reading."""

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return both areas.

        Raises:
            UserError: If the pairs lack the columns of the reading ``deletion_insertion``.
        """
        pairs = answers.pairs
        every = np.ones(len(pairs), np.bool_)
        areas = {name: column(pairs, name, "deletion_insertion") for name in ("deletion", "insertion")}
        return answered({name: image_mean(pairs, area, every) for name, area in areas.items()})
