"""Areas under the deletion and the insertion curve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.core.paired import Statistic
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import answered, column, image_mean
from benchmark.tasks.pairs.types import Answers


@dataclass(frozen=True)
class DeletionInsertion(MapMetric, group="pair_metric.deletion_insertion"):
    """How fast the class's score falls as a map's highest pixels are deleted, and rises as they are inserted.

    ``deletion`` is the area under the first curve, of which less is better, ``insertion`` that under the
    second, of which more is; both in units of the reading's score (Petsiuk et al., "RISE", BMVC 2018, §4.2).
    Each is the mean over an image's pairs, whichever their classes, then over the images.

    Attributes:
        gives: Names of its statistics.
    """

    reads: ClassVar[tuple[str, ...]] = ("deletion_insertion",)
    gives: ClassVar[tuple[str, ...]] = ("deletion", "insertion")

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return both areas.

        Raises:
            UserError: If the pairs lack the columns of the reading ``deletion_insertion``.
        """
        pairs = answers.pairs
        every = np.ones(len(pairs), np.bool_)
        areas = {name: column(pairs, name, "deletion_insertion") for name in ("deletion", "insertion")}
        return answered({name: image_mean(pairs, area, every) for name, area in areas.items()})
