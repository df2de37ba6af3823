"""Assert that two rows of a table have the same boxes, as theory says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.core.errors import UserError
from benchmark.pipeline.results import files_of
from benchmark.tasks.boxes.cell import BoxCell, box_cell
from benchmark.tasks.boxes.records import STORE, read_records

if TYPE_CHECKING:
    from benchmark.core.types import Records
    from benchmark.pipeline.plan import Plan

_TOLERATED = 1e-3


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
    the same map differ in the last bits of their floats, which can move a box by a pixel where a value lies
    just at the threshold: up to one box in a thousand may, and is counted.
    """
    title = f"{twins.first.row} = {twins.second.row}, box for box"
    files = [files_of(cell, STORE) for cell in (twins.first, twins.second)]
    if not all(file.exists() for pair in files for file in pair):
        return f"{title}: not yet checked, shards are missing"
    equal, total = same_boxes(*(read_records(pair) for pair in files))
    verdict = "" if total - equal <= _TOLERATED * total else "FAILED: "
    return f"{verdict}{title}: {equal} of {total} boxes equal"


def same_boxes(first: Records, second: Records) -> tuple[int, int]:
    """Return how many boxes of two sets of records are equal, and how many there are."""
    pairs = [(first.boxes, second.boxes), (first.label_boxes, second.label_boxes)]
    equal = [(a == b).all(axis=-1) for a, b in pairs if a is not None and b is not None]
    return sum(int(part.sum()) for part in equal), sum(part.size for part in equal)
