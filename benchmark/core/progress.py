"""Progress of long work: a bar on a terminal, a line every half minute elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 30.0


class Counter:
    """A context manager that shows on stderr how much is done, with rate and remaining time.

    Args:
        title: What is being done, at the head of the line.
        total: Number of images, or of what else is counted.
        done: How many were done before; they do not count for the rate.
        unit: What is counted, in the plural.
    """

    def __init__(self, title: str, total: int, done: int = 0, unit: str = "images") -> None:
        self._title, self._total, self._start, self._done, self._unit = title, total, done, done, unit
        self._began = self._spoke = time.monotonic()
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(f"{{task.fields[rate]:.1f}} {unit}/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=total, completed=done, rate=0.0)

    def __enter__(self) -> "Counter":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def add(self, count: int) -> None:
        """Report ``count`` more as done."""
        self._done += count
        now = time.monotonic()
        rate = (self._done - self._start) / max(now - self._began, 1e-9)
        self._bar.update(self._task, completed=self._done, rate=rate)
        if self._bar.disable and (now - self._spoke > _SECONDS_BETWEEN_LINES or self._done == self._total):
            self._spoke = now
            left = (self._total - self._done) / max(rate, 1e-9)
            print(
                f"{self._title}: {self._done}/{self._total} {self._unit}, {rate:.1f} {self._unit}/s, "
                f"{left:.0f} s left",
                file=sys.stderr,
            )
