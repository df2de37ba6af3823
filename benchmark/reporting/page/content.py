"""What stands on a report page; a task fills it from its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.core.types import Estimate

if TYPE_CHECKING:
    from benchmark.reporting.table import Table

Counts = npt.NDArray[np.int64]
Node = dict[str, Any]
"""Plain json, as the page's script reads it."""

SIZES = (0.1, 0.25, 0.5, 0.75)
"""Shares of the image's area between which an image's largest object is counted."""


class Curve(NamedTuple):
    """The errors of one row over thresholds.

    Attributes:
        thresholds: ``[t]``, ascending.
        errors: Metric to ``t`` estimates.
    """

    thresholds: tuple[float, ...]
    errors: Mapping[str, tuple[Estimate, ...]]


class Kinds(NamedTuple):
    """How many images of a row have each kind of error (:data:`benchmark.metrics.common.anatomy.KINDS`).

    Counted are the images that the devkit scores.

    Attributes:
        predicted: ``[kinds]`` by the most probable class's box.
        label: ``[kinds]`` by the box of the ground-truth class's own map; ``None`` without such.
        sizes: ``[sizes, kinds]`` of ``predicted`` by the size of the image's largest object.
        classes: ``[classes, kinds]`` of ``predicted`` by the image's class.
    """

    predicted: Counts
    label: Counts | None
    sizes: Counts
    classes: Counts


class PairedTest(NamedTuple):
    """Two rows on the same images.

    Attributes:
        first: Row.
        second: Row.
        metric: The error that they are compared by.
        difference: ``first - second`` with its paired interval.
        first_alone: Images that the first alone gets right.
        second_alone: Images that the second alone gets right.
        p: Of McNemar's exact test, two-sided.
        adjusted: The same after Holm's correction for all pairs of this metric on the page.
    """

    first: str
    second: str
    metric: str
    difference: Estimate
    first_alone: int
    second_alone: int
    p: float
    adjusted: float


@dataclass
class BoxDetails:
    """What records of boxes say beyond a table's numbers.

    Attributes:
        curves: Row to its errors over thresholds; a row without a curve is not in it.
        kinds: Row to its kinds of errors.
        tests: Paired tests between rows.
        unjudged: Row to the reason why it is in none of them.
        classes: Name of each class; its number where the dataset is not at hand.
        gallery: Images with what rows say of them, plain; ``None`` without the images.
    """

    curves: dict[str, Curve] = field(default_factory=dict)
    kinds: dict[str, Kinds] = field(default_factory=dict)
    tests: Sequence[PairedTest] = ()
    unjudged: dict[str, str] = field(default_factory=dict)
    classes: Sequence[str] = ()
    gallery: Node | None = None


@dataclass(frozen=True)
class Chapter:
    """A table on the page.

    Attributes:
        table: The table.
        file: Its json, as the page names it.
        commands: Row to the command that measures it.
        boxes: What records of boxes say; ``None`` for a table that draws no box.
        sheet: The picture sheet in a data URI; empty without one.
        remarks: What the page lacks, and why.
    """

    table: Table
    file: str
    commands: Mapping[str, str]
    boxes: BoxDetails | None = None
    sheet: str = ""
    remarks: Sequence[str] = ()
