"""A matrix as one value: what is printed and drawn of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.core.types import OpenRow, Result
from benchmark.reporting.table import Table
from benchmark.tasks.boxes.matrix.curve import Curve
from benchmark.tasks.boxes.matrix.evaluate import CHOSEN
from benchmark.tasks.boxes.matrix.split import Split
from benchmark.tasks.boxes.matrix.threshold_option import family, knob_of


@dataclass(frozen=True)
class Matrix:
    """Methods by box protocols.

    A row of its table is named ``method/protocol``, or ``protocol`` where the map does not matter, with
    ``+heldout`` at the end where the threshold was chosen.

    Attributes:
        table: Its rows.
        curves: Row to GT-known error over thresholds, of the evaluated images.
        split: Which images were evaluated.
        panels: Metric to the words above it, in the order in which they are printed.
        bounds: The same for metrics that pick thresholds by the truth of the evaluated images.
    """

    table: Table
    curves: Mapping[str, Curve]
    split: Split
    panels: Mapping[str, str]
    bounds: Mapping[str, str]

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods in order."""
        names = (row.row.rpartition("/")[0] for row in self.table.rows)
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def protocols(self) -> tuple[str, ...]:
        """Protocols whose boxes depend on the map, in order, each with its chosen version after it."""
        found = dict.fromkeys(row.row.rpartition("/")[2] for row in self.table.rows if "/" in row.row)
        fixed = [name for name in found if not name.endswith(CHOSEN)]
        both = [name for one in fixed for name in (one, one + CHOSEN)]
        return tuple(name for name in both if name in found)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Protocols whose boxes do not."""
        return tuple(row.row for row in self.table.rows if "/" not in row.row)

    def row(self, method: str, protocol: str) -> Result | OpenRow | None:
        """One cell."""
        name = f"{method}/{protocol}" if method else protocol
        return next((row for row in self.table.rows if row.row == name), None)

    def any_result(self, protocol: str) -> Result | None:
        """A measured row of a protocol, of whichever method."""
        rows = (self.row(method, protocol) for method in ("", *self.methods))
        return next((row for row in rows if isinstance(row, Result)), None)


def threshold_of(row: Result) -> float | None:
    """The threshold that a row's boxes were made with, in the units of its curve."""
    knob = knob_of(row.config["localizer"])
    return knob.threshold if knob else None


def family_of(row: Result) -> str:
    """The same for rows of a method that share one curve."""
    return family(row.config["localizer"])
