"""What a sheet of pairs is made of, whichever sheet it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.reporting.table import Table
from benchmark.tasks.pairs.plan import PairRow


@dataclass(frozen=True)
class Exhibit:
    """A table of pairs, and what it was made from.

    Attributes:
        table: As measured.
        rows: All that can be measured, by name.
        count: Images wanted on the sheet, at most; 0: no sheet.
    """

    table: Table
    rows: Mapping[str, PairRow]
    count: int

    @property
    def finished(self) -> dict[str, PairRow]:
        """The rows whose pairs are all stored, in the table's order."""
        return {one.row: self.rows[one.row] for one in self.table.measured if one.row in self.rows}
