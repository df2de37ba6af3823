"""What an experiment of any task hands over to be written, shown and logged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.core.protocols import Dataset
from benchmark.reporting.table import Table


@dataclass(frozen=True)
class Outcome:
    """A table, and what belongs to it.

    Attributes:
        table: As measured.
        dataset: The images.
        records: Row to the file of all its records.
        sheet: Makes the picture sheet at the given path; gives the paths written, if any.
    """

    table: Table
    dataset: Dataset
    records: Mapping[str, Path]
    sheet: Callable[[Path], list[Path]]
