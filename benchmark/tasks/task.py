"""What a task is: a folder beside this file that measures something of heatmaps and tabulates it.

A task brings what it makes of a batch (:class:`benchmark.pipeline.recording.Recorder`), the schema of its
records, its metrics and its table. ``conf/task/NAME.yaml`` names it; no other file does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmark.core.errors import UserError
from benchmark.reporting.table import DatasetNote, Table

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.pipeline.rows import Row
    from benchmark.pipeline.settings import RunSettings
    from benchmark.reporting.published import Published


@dataclass(frozen=True)
class Experiment:
    """An experiment as configured: rows, images, settings, and the table to make.

    Attributes:
        name: Name of the table's files, without suffix.
        title: Title of the table.
        rows: Rows as configured.
        dataset: The images of every row.
        settings: Settings of the computation.
        results: Folder of the tables; raw records go to its subfolder ``runs``.
        published: Published numbers beside the table, if there are any.
        table: Options of the table that only its task knows, plain.
        words: Overrides as the user typed them.
        pictures: Number of images on the picture sheet.
        compare: Pairs of rows whose paired difference the table states, as where an option was swept.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    dataset: Dataset
    settings: RunSettings
    results: Path
    published: Published | None = None
    table: Mapping[str, Any] | None = None
    words: tuple[str, ...] = ()
    pictures: int = 0
    compare: tuple[tuple[str, str], ...] = ()

    @property
    def runs(self) -> Path:
        """Return the folder of the raw records."""
        return self.results / "runs"

    def tabulated(self, rows: Sequence[Any], **more: Any) -> Table:
        """Return the table of the given results and open rows."""
        return Table(
            name=self.name,
            title=self.title,
            dataset=note_of(self.dataset),
            rows=tuple(rows),
            published=self.published,
            **more,
        )


@dataclass(frozen=True)
class Outcome:
    """A table, and what belongs to it.

    Attributes:
        table: The measured table.
        dataset: The images.
        records: Row to the file of all its records.
        sheet: Makes the picture sheet at the given path; gives the paths written, if any.
        references: Row to the file of the records that its own are compared with, of the rows that have such.
    """

    table: Table
    dataset: Dataset
    records: Mapping[str, Path]
    sheet: Callable[[Path], list[Path]]
    references: Mapping[str, Path] = field(default_factory=dict)


class Task(Protocol):
    """A task: what is measured of the heatmaps of an experiment."""

    def check(self, words: Sequence[str]) -> None:
        """Refuse, with one line, overrides that fit no experiment of this task.

        Args:
            words: Words as the user typed them.

        Raises:
            UserError: Naming the override and the remedy.
        """
        ...

    def run(self, experiment: Experiment) -> Outcome:
        """Measure what is missing, and make the table from what is stored.

        Raises:
            UserError: If something of the experiment cannot be measured as it is configured.
        """
        ...


def refuse_options_of_boxes(words: Sequence[str]) -> None:
    """Refuse options of localizers and their metrics, for a task that draws no box.

    Raises:
        UserError: Naming the first such word.
    """
    for word in words:
        if word.lstrip("+~").startswith(("localizer=", "localizer.", "metric")):
            raise UserError(f"{word}: this experiment draws no box; leave it out (--help shows its options)")


def note_of(dataset: Dataset) -> DatasetNote:
    """Return what a table says about its images."""
    stated = {key: value for key, value in dataset.conditions.items() if key not in ("images", "complete")}
    words = {key: " and ".join(value) if isinstance(value, list) else value for key, value in stated.items()}
    note = ", ".join(f"{key} {value}" for key, value in words.items())
    return DatasetNote(dataset.name, len(dataset.samples), dataset.complete, dataset.fingerprint, note)
