"""What metrics of heatmaps have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from benchmark.core.options import Checked
from benchmark.tasks.pairs.types import ClassPolicy, Reading


@dataclass(frozen=True)
class MapMetric(Checked):
    """A metric of heatmaps of any classes, by default from the columns of the reading ``summary``.

    Attributes:
        name: The metric's key in ``conf/pair_metric``.
        version: Raised whenever a change of the code can change a number.
        reads: Names of the readings whose columns it needs.
        needs_reference: Whether it compares with a reference map.
    """

    name: str
    version: int
    reads: ClassVar[tuple[str, ...]] = ("summary",)
    needs_reference: ClassVar[bool] = False

    def check(self, policy: ClassPolicy, readings: Mapping[str, Reading]) -> None:
        """Accept any classes; pairs that the metric is not about do not count."""
