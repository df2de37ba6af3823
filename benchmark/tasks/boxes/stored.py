"""Rows of a finished table of boxes, read again from their records: no image, no device, no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.paired import Statistic, compared
from benchmark.tasks.boxes.comparison import compared_rows, verdict
from benchmark.tasks.boxes.records import STORE, read_records
from benchmark.tasks.boxes.result import counted, estimates

if TYPE_CHECKING:
    from benchmark.core.protocols import Metric
    from benchmark.core.types import Estimate, Records, Result

Build = Callable[[str, Mapping[str, Any]], "Metric"]
"""Makes a metric of its name and of its options, as a result's configuration holds them."""


@runtime_checkable
class HasStatistics(Protocol):
    """A metric whose numbers are functions of means over images."""

    def statistics(self, records: Records) -> dict[str, Statistic]:
        """Return the numbers that can be compared image by image, by name."""
        ...


@dataclass(frozen=True)
class StoredRow:
    """A measured row and its records.

    Attributes:
        result: The row as the table holds it.
        records: What its numbers are made of.
        metrics: The metrics that its configuration names.
        file: File of the records.
    """

    result: Result
    records: Records
    metrics: Mapping[str, Metric]
    file: Path | None = None

    def again(self) -> tuple[dict[str, Estimate], dict[str, int]]:
        """Return the numbers and the counts that follow from the records."""
        return estimates(self.records, self.metrics), counted(self.records)

    @cached_property
    def statistics(self) -> dict[str, Statistic]:
        """Return the numbers that can be compared image by image, by name."""
        return {name: one for _, found in self._made for name, one in found.items()}

    def less(self, other: Mapping[str, Statistic], metric: str) -> Estimate | None:
        """Return a number less another row's over the images of both; ``None`` if it is not in both."""
        one, another = self.statistics.get(metric), other.get(metric)
        found = None if one is None or another is None else compared(one, another)
        return found and found.estimate

    @property
    def foreign(self) -> list[str]:
        """Return the numbers of the row that are not of its records: there are none."""
        return []

    def maker(self, number: str) -> type:
        """Return the kind of the metric that makes a number that can be compared."""
        return next(type(metric) for metric, found in self._made if number in found)

    @cached_property
    def annotations(self) -> dict[str, object]:
        """Return what the dataset says of each image: label, place on the blacklist, ground-truth boxes."""
        records = self.records
        starts = np.searchsorted(records.owner, np.arange(len(records) + 1))
        truth = np.asarray(records.truth, np.int64)
        return {
            image: (
                int(records.labels[n]),
                bool(records.blacklisted[n]),
                truth[starts[n] : starts[n + 1]].tobytes(),
            )
            for n, image in enumerate(records.image_ids)
        }

    @cached_property
    def _made(self) -> list[tuple[HasStatistics, dict[str, Statistic]]]:
        able = [metric for metric in self.metrics.values() if isinstance(metric, HasStatistics)]
        return [(metric, metric.statistics(self.records)) for metric in able]


def stored_row(result: Result, records: Records, build: Build, file: Path | None = None) -> StoredRow:
    """Make the metrics of a row whose records have been read.

    Args:
        result: The row.
        records: Its records.
        build: Makes the metrics.
        file: File of the records.

    Raises:
        UserError: With the reason why its numbers cannot be derived again.
    """
    nodes = result.config.get("metric")
    if not isinstance(nodes, Mapping) or not nodes:
        raise UserError("its result names no metric")
    return StoredRow(result, records, {name: build(name, node) for name, node in nodes.items()}, file)


def check_again(sentence: str, rows: Mapping[str, StoredRow], results: Path) -> str | None:
    """Derive a sentence about two rows that must agree box for box, from the records and their shards.

    The second row's boxes are those that the first one's localizer draws, whose shards lie beside its own.

    Args:
        sentence: As the table holds it.
        rows: Rows of the table.
        results: Folder of the results.

    Returns:
        The sentence that follows, or ``None`` if the boxes to compare are not there.
    """
    named = compared_rows(sentence)
    if named is None or not rows.keys() >= set(named):
        return None
    first, second = (rows[name] for name in named)
    precision = str(first.result.conditions.get("run", {}).get("precision", "float32"))
    localizer = first.result.config.get("localizer", {})
    there = [second.records] if second.result.config.get("localizer") == localizer else []
    for folder in sorted(_beside(second, results).glob(f"{localizer.get('name')}-*")) if not there else ():
        with suppress(UserError):
            there.append(read_records(sorted(folder.glob(f"{STORE.name}-*.parquet"))))
    told = [verdict(*named, (first.records, one), precision) for one in there]
    return sentence if sentence in told else told[0] if len(told) == 1 else None


def _beside(row: StoredRow, results: Path) -> Path:
    return results / "runs" / (row.file.parent.name if row.file else "")
