"""The kinds of errors of a row's boxes by class and by size, and how two rows differ image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import area
from benchmark.core.paired import mcnemar, paired
from benchmark.core.protocols import Metric
from benchmark.core.types import BoolArray, Records, Result
from benchmark.metrics.common.anatomy import KINDS, Thresholds, anatomy
from benchmark.reporting.page.content import SIZES, Counts, Kinds, PairedTest
from benchmark.tasks.boxes.comparison import wrong_by
from benchmark.tasks.boxes.page.curves import least_overlap, options_of

_MOST_PAIRS = 66


class Mistakes(NamedTuple):
    """Which images a row gets wrong, of those that the devkit scores.

    Attributes:
        image_ids: Of all images.
        wrong: Error to ``[images]``.
    """

    image_ids: tuple[str, ...]
    wrong: Mapping[str, BoolArray]


def kinds_of(result: Result, records: Records, classes: int) -> Kinds:
    """Count the kinds of errors of a row.

    Args:
        result: The row; the limits are those of its metric ``anatomy``, or that metric's own.
        records: The row's records.
        classes: Number of the dataset's classes.
    """
    limits, counted = limits_of(result), ~records.blacklisted
    kinds = anatomy(records, "predicted", limits)[counted]
    known = records.label_boxes is not None and records.label_empty is not None
    return Kinds(
        predicted=np.bincount(kinds, minlength=len(KINDS)),
        label=np.bincount(anatomy(records, "label", limits)[counted], minlength=len(KINDS))
        if known
        else None,
        sizes=_table(_sizes(records)[counted], kinds, len(SIZES) + 1),
        classes=_table(records.labels[counted].astype(np.int64), kinds, classes),
    )


def limits_of(result: Result) -> Thresholds:
    """Return where one kind of error of a row ends and the next begins."""
    options, default = options_of(result, "anatomy"), Thresholds()
    touch, inside = (float(options.get(key, getattr(default, key))) for key in ("touch", "inside"))
    return Thresholds(least_overlap(result), touch, inside)


def judged(records: Records, metrics: Mapping[str, Metric]) -> Mistakes:
    """Say of each scored image whether a row gets it wrong, by its own metrics."""
    counted, wrong = ~records.blacklisted, wrong_by(metrics, records)
    return Mistakes(records.image_ids, {name: one[counted] for name, one in wrong.items()})


def paired_tests(rows: Mapping[str, Mistakes]) -> list[PairedTest]:
    """Compare each two rows that were measured on the same images, by the top-1 and the GT-known error.

    Of more rows than make 66 pairs, only each with the first is compared.
    """
    pairs = list(combinations(rows, 2))
    if len(pairs) > _MOST_PAIRS:
        pairs = [(next(iter(rows)), other) for other in list(rows)[1:]]
    pairs = [(a, b) for a, b in pairs if rows[a].image_ids == rows[b].image_ids]
    found = []
    for metric in ("loc_top1", "gt_known"):
        tests = [
            _test(a, b, metric, rows[a].wrong[metric], rows[b].wrong[metric])
            for a, b in pairs
            if metric in rows[a].wrong and metric in rows[b].wrong and len(rows[a].wrong[metric])
        ]
        adjusted = holm([test.p for test in tests])
        found += [test._replace(adjusted=p) for test, p in zip(tests, adjusted, strict=True)]
    return found


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values after Holm's correction (1979) for their number.

    >>> holm([0.01, 0.5, 0.03])
    [0.03, 0.5, 0.06]
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, least = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = least
    return adjusted


def _test(first: str, second: str, metric: str, one: BoolArray, other: BoolArray) -> PairedTest:
    right = mcnemar(~one, ~other)
    return PairedTest(first, second, metric, paired(one, other), *right, right.p)


def _table(groups: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64], count: int) -> Counts:
    """Count kinds ``[n]`` by group ``[n]``; ``[count, kinds]``."""
    flat = np.bincount(groups * len(KINDS) + kinds, minlength=count * len(KINDS))
    table: Counts = flat.reshape(-1, len(KINDS)).astype(np.int64)
    return table


def _sizes(records: Records) -> npt.NDArray[np.int64]:
    """Return the place among :data:`SIZES` of each image's largest object."""
    shares = np.zeros(len(records))
    pixels = records.sizes.astype(np.int64).prod(axis=1)
    np.maximum.at(shares, records.owner, area(records.truth) / pixels[records.owner])
    return np.digitize(shares, SIZES).astype(np.int64)
