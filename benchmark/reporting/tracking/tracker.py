"""What a tracker is: where finished tables and trainings are logged."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmark.reporting.table import Table
from benchmark.reporting.tracking.runs import Logged

Files = Mapping[str | None, Sequence[Path]]
"""Files to keep with a run: row to its own, ``None`` to the table's."""

Curve = Sequence[tuple[int, float, Mapping[str, float]]]
"""Step, seconds since 1970, and what was measured there."""


@dataclass(frozen=True)
class Tracked:
    """What came of logging.

    Attributes:
        look: What to type to look at it; empty where nothing was logged.
        problems: What could not be logged, each in one line with its remedy. Nothing on disk is lost by it.
        mended: What earlier processes had left amiss there and is in order now, each in one line.
    """

    look: str = ""
    problems: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()

    def tell(self) -> None:
        """Print how to look at it, and on stderr what could not be logged."""
        print(*([f"\nto look at it: {self.look}"] if self.look else []), *self.mended, sep="\n", flush=True)
        for problem in self.problems:
            print(f"not tracked: {problem}", file=sys.stderr)


class Tracker(Protocol):
    """Where finished tables are logged. Whatever happens there is told and raises nothing."""

    def log(self, table: Table, files: Files) -> Tracked:
        """Log a table and its measured cells; what is logged already is left as it is.

        Args:
            table: Table to log.
            files: Files to store with it.
        """
        ...

    def log_training(self, training: Logged, curve: Curve, files: Sequence[Path]) -> Tracked:
        """Log a finished training, likewise: once, with its curve and the files to keep beside it."""
        ...


@dataclass(frozen=True)
class NoTracker:
    """Logs nothing."""

    def log(self, table: Table, files: Files) -> Tracked:
        """Do nothing."""
        return Tracked()

    def log_training(self, training: Logged, curve: Curve, files: Sequence[Path]) -> Tracked:
        """Do nothing."""
        return Tracked()
