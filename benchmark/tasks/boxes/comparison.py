"""Compare rows of a table of boxes: which must be equal box for box, and by how much others differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from benchmark.core.errors import UserError
from benchmark.core.paired import paired
from benchmark.core.precision import TOLERANCES
from benchmark.core.types import BoolArray, Difference
from benchmark.pipeline.results import files_of
from benchmark.tasks.boxes.cell import BoxCell, box_cell
from benchmark.tasks.boxes.records import STORE, read_records

if TYPE_CHECKING:
    from benchmark.core.protocols import Metric
    from benchmark.core.types import Records
    from benchmark.pipeline.plan import Plan


@dataclass(frozen=True)
class Twins:
    """Two cells whose boxes must be equal, both made by the first one's localizer."""

    first: BoxCell
    second: BoxCell


def twins_of(plan: Plan[BoxCell], first: str, second: str) -> Twins | None:
    """Return the cells to compare, the second row's with the first one's localizer; ``None`` if one is open.

    Raises:
        UserError: If a name is not a row.
    """
    for row in (first, second):
        if row not in plan.rows and row not in plan.open:
            raise UserError(f"table.same_boxes: {row} is not a row of this table")
    if first in plan.open or second in plan.open:
        return None
    one, other = plan.rows[first], plan.rows[second]
    config = {**other.config, "localizer": one.config["localizer"]}
    return Twins(
        one, box_cell(other.scene, second, other.method, one.localizer, config, plan.runs, one.changes)
    )


def compare(twins: Twins) -> str:
    """Say whether two rows agree box for box, in a sentence that begins with FAILED if they do not.

    The boxes of the predicted classes and of the ground-truth class are compared, image by image. Two ways to
    the same map round differently, which moves a box where a value lies just at the threshold. How many boxes
    that may move depends on the run's precision (:mod:`benchmark.core.precision`); all are counted.
    """
    title = _title(twins.first.row, twins.second.row)
    files = [files_of(cell, STORE) for cell in (twins.first, twins.second)]
    if not all(file.exists() for pair in files for file in pair):
        return f"{title}: not yet checked, shards are missing"
    first, second = (read_records(pair) for pair in files)
    return verdict(twins.first.row, twins.second.row, (first, second), twins.first.scene.settings.precision)


def verdict(first: str, second: str, records: tuple[Records, Records], precision: str) -> str:
    """Say whether two rows' records agree box for box, in a sentence as :func:`compare`'s."""
    equal, total = same_boxes(*records)
    told = f"{_title(first, second)}: {equal} of {total} boxes equal"
    told += f" in {precision}" if equal < total else ""
    return told if TOLERANCES[precision].accepts(total - equal, total) else f"FAILED: {told}"


def _title(first: str, second: str) -> str:
    return f"{first} = {second}, box for box"


def compared_rows(sentence: str) -> tuple[str, str] | None:
    """Return the rows that a sentence of :func:`compare` is about; ``None`` for any other sentence."""
    found = re.fullmatch(r"(?:FAILED: )?(.+?) = (.+?), box for box: \d+ of \d+ boxes equal.*", sentence)
    return (found[1], found[2]) if found else None


def same_boxes(first: Records, second: Records) -> tuple[int, int]:
    """Return how many boxes of two sets of records are equal, and how many there are."""
    pairs = [(first.boxes, second.boxes), (first.label_boxes, second.label_boxes)]
    equal = [(a == b).all(axis=-1) for a, b in pairs if a is not None and b is not None]
    return sum(int(part.sum()) for part in equal), sum(part.size for part in equal)


@runtime_checkable
class Judge(Protocol):
    """A metric that says of each image whether it counts as an error."""

    def wrong(self, records: Records) -> dict[str, BoolArray]:
        """Return ``[n]`` for each error of the metric, by name."""
        ...


def differences(
    rows: Mapping[str, BoxCell],
    metrics: Mapping[str, Mapping[str, Metric]],
    pairs: Iterable[tuple[str, str]],
) -> Iterator[Difference]:
    """Yield the difference of the first error that both rows' metrics judge images by.

    Rows that are not finished, and rows of which other images were skipped, are not compared.

    Args:
        rows: Those that can be measured.
        metrics: Metrics of each row, by name.
        pairs: The rows to compare.
    """
    for first, second in pairs:
        files = [files_of(rows[row], STORE) for row in (first, second) if row in rows]
        if len(files) < 2 or not all(file.exists() for each in files for file in each):
            continue
        one, other = (read_records(each) for each in files)
        ours, theirs = wrong_by(metrics[first], one), wrong_by(metrics[second], other)
        name = next((name for name in ours if name in theirs), None)
        counted = ~one.blacklisted
        if name is not None and one.image_ids == other.image_ids and counted.any():
            yield Difference(first, second, name, paired(ours[name][counted], theirs[name][counted]))


def wrong_by(metrics: Mapping[str, Metric], records: Records) -> dict[str, BoolArray]:
    """Return ``[n]`` whether each image counts as an error, for each error of metrics that judge images."""
    judges = [metric for metric in metrics.values() if isinstance(metric, Judge)]
    return {name: wrong for judge in judges for name, wrong in judge.wrong(records).items()}
