"""A matrix as one value, with all that is printed and drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.core.types import Estimate, OpenRow, Result
from benchmark.tasks.boxes.matrix.evaluate import CHOSEN
from benchmark.tasks.boxes.matrix.threshold import ThresholdCurve, family, threshold_option

if TYPE_CHECKING:
    from benchmark.reporting.table import Table
    from benchmark.tasks.boxes.matrix.split import Split


@dataclass(frozen=True)
class Matrix:
    """Methods by box protocols.

    A row of its table is named ``method/protocol``, or ``protocol`` where the map does not matter, with
    ``+heldout`` at the end where the threshold was chosen.

    Attributes:
        table: Its rows.
        curves: Row to GT-known error over thresholds, of the evaluated images.
        split: The images that were evaluated, and those held out.
        panels: Metric to the words above it, in the order in which they are printed.
        bounds: The same for metrics that pick thresholds by the truth of the evaluated images.
    """

    table: Table
    curves: Mapping[str, ThresholdCurve]
    split: Split
    panels: Mapping[str, str]
    bounds: Mapping[str, str]

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the methods in order."""
        names = (row.row.rpartition("/")[0] for row in self.table.rows)
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def protocols(self) -> tuple[str, ...]:
        """Return the protocols whose boxes depend on the map, each followed by its chosen version."""
        found = dict.fromkeys(row.row.rpartition("/")[2] for row in self.table.rows if "/" in row.row)
        fixed = [name for name in found if not name.endswith(CHOSEN)]
        return tuple(name for one in fixed for name in (one, one + CHOSEN) if name in found)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Return the protocols whose boxes do not depend on the map."""
        return tuple(row.row for row in self.table.rows if "/" not in row.row)

    @property
    def families(self) -> tuple[tuple[str, ...], ...]:
        """Return the protocols that differ in the threshold alone, and so share a curve."""
        groups: dict[str, list[str]] = {}
        for protocol in self.protocols:
            if (result := self.any_result(protocol)) is not None:
                groups.setdefault(family(result.config["localizer"]), []).append(protocol)
        return tuple(map(tuple, groups.values()))

    def row(self, method: str, protocol: str) -> Result | OpenRow | None:
        """Return one cell; of a baseline the one that all methods share."""
        name = protocol if protocol in self.baselines else f"{method}/{protocol}"
        return next((row for row in self.table.rows if row.row == name), None)

    def estimate(self, method: str, protocol: str, metric: str) -> Estimate | None:
        """Return a number of one cell."""
        row = self.row(method, protocol)
        return row.metrics.get(metric) if isinstance(row, Result) else None

    def any_result(self, protocol: str) -> Result | None:
        """Return a measured row of a protocol, of whichever method."""
        rows = (self.row(method, protocol) for method in ("", *self.methods))
        return next((row for row in rows if isinstance(row, Result)), None)


def threshold_of(row: Result) -> float | None:
    """Return the threshold that a row's boxes were made with, in the units of its curve."""
    option = threshold_option(row.config["localizer"])
    return option.threshold if option else None
