"""Neuron names: which concept each unit of a layer segments, with the counts behind it, as a csv.

Two layouts are read. Ours has a line for each unit and concept that have a pixel in common::

    # {"layer": "inception_5b", "model": "googlenet_voc", "units": 1024, "weights": "…"}
    unit,category,concept,truth,activation,intersect,iou,threshold

NetDissect's (Bau et al., "Network Dissection", CVPR 2017) has a line for each unit with the best concept of
each category, in the columns ``CATEGORY-label``, ``-truth``, ``-activation``, ``-intersect``, ``-iou``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.core.bootstrap import Numbers
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.text_lists import read_text

Counted = npt.NDArray[np.int64]

COLUMNS = ("unit", "category", "concept", "truth", "activation", "intersect", "iou", "threshold")
_PARTS = ("label", "truth", "activation", "intersect", "iou")
_REMEDY = "name a csv of ./scripts/run experiment=neurons, or one that NetDissect published"


class Name(NamedTuple):
    """The name of a unit: the concept with the greatest IoU, a fraction in [0, 1]."""

    category: str
    concept: str
    iou: float


@dataclass(frozen=True)
class NeuronNames:
    """Counts of pixels, column by column; row ``i`` of each is one unit and one concept.

    ``IoU = intersect / (truth + activation - intersect)``, summed over all images before it is divided.

    Attributes:
        unit: ``[n]`` number of the unit, from 0; NetDissect's csv counts from 1.
        category: ``[n]`` category of the concept.
        concept: ``[n]`` its name.
        truth: ``[n]`` pixels of the concept.
        activation: ``[n]`` pixels where the unit is active, in the images that have the category at all.
        intersect: ``[n]`` pixels of both.
        stated: ``[n]`` IoU as the file states it.
        threshold: ``[n]`` activation above which the unit is active; NaN where the file has none.
        origin: Whose units they are: ``model``, ``layer``, ``weights``, ``units``; empty for NetDissect's.
    """

    unit: Counted
    category: tuple[str, ...]
    concept: tuple[str, ...]
    truth: Counted
    activation: Counted
    intersect: Counted
    stated: Numbers
    threshold: Numbers
    origin: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def iou(self) -> Numbers:
        """Return the IoU of each row, recomputed from its counts; 0 where nothing is counted."""
        return iou(self.truth, self.activation, self.intersect)

    @property
    def units(self) -> int:
        """Return the number of units of the layer, those without a row included."""
        return int(self.origin.get("units") or (self.unit.max(initial=-1) + 1))

    def best(self) -> dict[int, Name]:
        """Return each unit's name, whatever its IoU; of equal ones the first in the file."""
        found: dict[int, Name] = {}
        for row in np.argsort(-self.iou, kind="stable"):
            name = Name(self.category[row], self.concept[row], float(self.iou[row]))
            found.setdefault(int(self.unit[row]), name)
        return dict(sorted(found.items()))

    def above(self, least: float) -> dict[int, Name]:
        """Return the names of the units whose best IoU is greater than ``least``: the detectors."""
        return {unit: name for unit, name in self.best().items() if name.iou > least}

    def by_category(self, least: float) -> dict[str, tuple[int, int]]:
        """Return, by category, how many units and how many distinct concepts have an IoU above ``least``."""
        rows = np.flatnonzero(self.iou > least)
        return {
            category: (
                len({int(self.unit[row]) for row in rows if self.category[row] == category}),
                len({self.concept[row] for row in rows if self.category[row] == category}),
            )
            for category in sorted(set(self.category))
        }

    def thresholds(self) -> dict[int, float]:
        """Return the threshold of each unit that has one."""
        known = np.flatnonzero(np.isfinite(self.threshold))
        return {int(self.unit[row]): float(self.threshold[row]) for row in known}


def iou(truth: npt.NDArray[Any], activation: npt.NDArray[Any], intersect: npt.NDArray[Any]) -> Numbers:
    """Return ``intersect / (truth + activation - intersect)``, 0 where the union is not positive.

    NetDissect's table has units that are active in no image of a category and share pixels with an unnamed
    concept: the formula is kept for these as it stands.
    """
    union = (truth + activation - intersect).astype(np.float64)
    whole, found = np.asarray(intersect, np.float64), np.zeros(union.shape)
    np.divide(whole, union, out=found, where=union > 0)
    return found


def write_names(path: Path, names: NeuronNames) -> None:
    """Write a table of names in our layout, the rows by unit and falling IoU."""
    text = io.StringIO()
    text.write(f"# {json.dumps(dict(sorted(names.origin.items())))}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in np.lexsort((-names.iou, names.unit)):
        counts = (int(column[row]) for column in (names.truth, names.activation, names.intersect))
        floats = (f"{names.iou[row]:.6f}", f"{names.threshold[row]:.9g}")
        writer.writerow([int(names.unit[row]), names.category[row], names.concept[row], *counts, *floats])
    write_atomically(path, text.getvalue())


def read_names(path: Path | str) -> NeuronNames:
    """Read a table of names in either layout.

    Raises:
        UserError: If it cannot be read, or a number in it is none; the line names the file and the line.
    """
    path = Path(path).expanduser()
    lines = read_text(path, _REMEDY).splitlines()
    origin: dict[str, Any] = {}
    if lines and lines[0].startswith("#"):
        try:
            origin = json.loads(lines.pop(0)[1:])
        except ValueError as error:
            raise UserError(f"{path}, line 1: is damaged ({error}); {_REMEDY}") from error
    table = csv.DictReader(lines)
    header = table.fieldnames or ()
    if set(COLUMNS) <= set(header):
        parts, shift = {"": dict(zip(_PARTS, COLUMNS[2:7], strict=True))}, 0
    else:
        found = [name.removesuffix("-label") for name in header if name.endswith("-label")]
        parts = {one: {part: f"{one}-{part}" for part in _PARTS} for one in found}
        shift = 1
    missing = [name for own in parts.values() for name in own.values() if name not in header]
    if "unit" not in header or not parts or missing:
        raise UserError(f"{path}: has no column {next(iter(missing), 'unit')}; {_REMEDY}")
    rows = []
    for number, line in enumerate(table, start=len(origin and "1") + 2):
        try:
            rows += [_row(line, one, own, shift) for one, own in parts.items()]
        except (ValueError, TypeError) as error:
            raise UserError(f"{path}, line {number}: is damaged ({error}); {_REMEDY}") from error
    if not rows:
        raise UserError(f"{path}: has no unit; {_REMEDY}")
    return names_of(rows, origin)


def _row(line: Mapping[str, str], category: str, own: Mapping[str, str], shift: int) -> tuple[Any, ...]:
    counts = (_whole(line[own[part]]) for part in _PARTS[1:4])
    unit = int(line["unit"]) - shift
    if unit < 0:
        raise ValueError(f"unit {unit + shift}")
    threshold = float(line.get("threshold") or "nan")
    return unit, category or line["category"], line[own["label"]], *counts, float(line[own["iou"]]), threshold


def _whole(text: str) -> int:
    value = float(text)
    if not value.is_integer() or value < 0:
        raise ValueError(f"{text} is no count")
    return int(value)


def names_of(rows: Sequence[tuple[Any, ...]], origin: Mapping[str, Any]) -> NeuronNames:
    """Make a table of rows ``(unit, category, concept, truth, activation, intersect, iou, threshold)``."""
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    unit, truth, activation, intersect = (np.array(columns[place], np.int64) for place in (0, 3, 4, 5))
    stated, threshold = (np.array(columns[place], np.float64) for place in (6, 7))
    names = columns[1], columns[2]
    return NeuronNames(unit, *names, truth, activation, intersect, stated, threshold, origin)
