"""A table: measured cells beside published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.core.errors import UserError
from benchmark.core.types import Difference, OpenRow, Result
from benchmark.reporting.text import one_line

if TYPE_CHECKING:
    from benchmark.reporting.published import Published, PublishedRow, Reproduction


@dataclass(frozen=True, slots=True)
class DatasetNote:
    """The images that the numbers of a table were measured on.

    Attributes:
        name: The dataset's key.
        images: Number of images.
        complete: Whether this is the whole official set; otherwise its numbers are not that set's.
        fingerprint: sha256 of all of it that can change a number.
        note: Anything else a reader must know.
    """

    name: str
    images: int
    complete: bool
    fingerprint: str
    note: str = ""

    def __str__(self) -> str:
        """Identify these images in one line."""
        part = "complete" if self.complete else "not the whole official set"
        note = f"; {self.note}" if self.note else ""
        return f"{self.name}: {self.images} images, {part}, fingerprint {self.fingerprint[:12]}{note}"


@dataclass(frozen=True)
class Table:
    """Rows in the order of the experiment, and what was published about them.

    Attributes:
        name: The experiment's table, such as ``table1``.
        title: Heading of the table.
        dataset: The images of every measured row.
        rows: Measured or open.
        published: Numbers to stand beside, or ``None``.
        checks: Assertions about the rows, each as a sentence.
        differences: Between rows, paired image by image.

    Raises:
        UserError: If a row stands twice, or was measured on other images than the table's.
    """

    name: str
    title: str
    dataset: DatasetNote
    rows: tuple[Result | OpenRow, ...]
    published: Published | None = None
    checks: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    def __post_init__(self) -> None:
        names = [row.row for row in self.rows]
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"table {self.name}: the row {name} stands twice; rename one of them")
        for row in self.rows:
            measured_on = _dataset_fingerprint(row)
            if measured_on not in (None, self.dataset.fingerprint):
                prints = f"{str(measured_on)[:12]}, not {self.dataset.fingerprint[:12]}"
                raise UserError(
                    f"table {self.name}: {row.row} was measured on other images than the table's ({prints}); "
                    f"run it again on {self.dataset.name}"
                )

    @property
    def measured(self) -> tuple[Result, ...]:
        """Return the rows that have numbers."""
        return tuple(row for row in self.rows if isinstance(row, Result))

    @property
    def open(self) -> tuple[OpenRow, ...]:
        """Return the rows that have no numbers."""
        return tuple(row for row in self.rows if isinstance(row, OpenRow))

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Return the sentences of the checks that failed."""
        return tuple(check for check in self.checks if check.startswith("FAILED"))

    @property
    def titles(self) -> dict[str, str]:
        """Return the published metrics in the order of printing, each with the head of its column."""
        columns = self.published.columns if self.published else {}
        return {key: column.title for key, column in columns.items()}

    @property
    def beside(self) -> Published | None:
        """Return the published numbers, or ``None``: a file may explain columns alone."""
        return self.published if self.published and self.published.rows else None

    @property
    def comparable(self) -> bool:
        """Return whether there are published numbers on this dataset or a part of it."""
        return self.beside is not None and self.beside.measured_on == self.dataset.name

    def published_row(self, row: str) -> PublishedRow | None:
        """Return what was published about a row."""
        return self.published.rows.get(row) if self.published else None

    def comparable_row(self, row: str) -> PublishedRow | None:
        """Return what was published about a row, where a measurement may be compared with it."""
        found = self.published_row(row)
        return found if found and self.comparable and not self.mismatch(row) else None

    def mismatch(self, row: str) -> str:
        """Say why a row of these images is no measurement of the published one; empty where it is one."""
        published, here = self.published_row(row), next((one for one in self.rows if one.row == row), None)
        if published is None or here is None:
            return ""
        if published.not_comparable:
            return published.not_comparable
        if published.models and here.model not in published.models:
            stands = _either([str(model) for model in published.models])
            return f"{here.model} is not the published network, for which {stands} stands"
        method = row.rpartition("/")[2]
        if here.method != method:
            return f"{here.method} is not the published method, {method}"
        return ""

    def reproduction(self, row: str) -> tuple[str, Reproduction] | None:
        """Return the first study that measured a row again, with its name, where it is comparable."""
        if self.published is None or not self.comparable or self.mismatch(row):
            return None
        return next((named for named in self.published.reproductions.items() if row in named[1].rows), None)

    @property
    def not_comparable(self) -> str:
        """Return in a sentence why no number of the table may be compared with a published one."""
        published_on = self.published.measured_on if self.published else "nothing"
        models = ", ".join(dict.fromkeys(row.model for row in self.rows))
        return (
            f"measured on other images ({published_on}, not {self.dataset.name}) and with other networks "
            f"than these ({models}): no difference between the two means anything"
        )

    @property
    def full_title(self) -> str:
        """Return the title, with the number of images if they are not the whole official set."""
        part = "" if self.dataset.complete else f" [{self.dataset.images} images only]"
        return one_line(self.title) + part


def _either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _dataset_fingerprint(row: Result | OpenRow) -> Any:
    dataset = row.conditions.get("dataset") if isinstance(row, Result) else None
    return dataset.get("fingerprint") if isinstance(dataset, Mapping) else None
