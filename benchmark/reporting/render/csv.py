"""A table for machines: one line for each metric of each row and each paired difference, numbers unscaled."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.reporting.lines import Line, differences, lines
from benchmark.reporting.verdicts import NOT_COMPARABLE

if TYPE_CHECKING:
    from benchmark.reporting.table import Table

COLUMNS = (
    *("row", "model", "method", "protocol", "metric", "measured", "low", "high", "n"),
    *("published", "published_not_comparable", "difference", "inside", "verdict", "reasons"),
    *("source", "why", "reproduced", "reproduction", "dataset", "open"),
)


def render(table: Table) -> str:
    """Write the table as tidy csv: a header, floats in full, an empty field where there is no value.

    Published numbers that are not comparable stand in a column of another name, so that no script subtracts
    them; a column of published numbers that would be empty is left out.
    """
    records = [_record(line) for line in (*lines(table), *differences(table))]
    apart = any("published_not_comparable" in record for record in records)
    left_out = {"published"} if apart and not table.comparable else set()
    left_out |= set() if apart else {"published_not_comparable"}
    columns = [column for column in COLUMNS if column not in left_out]
    return written(columns, ([record.get(column) for column in columns] for record in records))


def _record(line: Line) -> dict[str, Any]:
    """Name a line's values by column, and leave out the ends of an interval without bounds."""
    record = line._asdict()
    for end in ("low", "high"):
        if record[end] is not None and math.isinf(record[end]):
            record[end] = None
    if line.verdict:
        record |= {"verdict": line.verdict.word, "reasons": "; ".join(map(str, line.verdict.causes))}
    if line.verdict and line.verdict.word == NOT_COMPARABLE:
        record["published_not_comparable"] = record.pop("published")
    return record


def written(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """Write rows of values as csv under a header, an empty field for ``None``."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()
