"""The localization errors of a row at every threshold of its recorded curve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.core.bootstrap import fractions
from benchmark.core.types import BoolArray, Records, Result
from benchmark.metrics.common.threshold_curve import one_box_each, right_at
from benchmark.reporting.page.content import Curve


def options_of(result: Result, metric: str) -> Mapping[str, Any]:
    """Return the options that a row's metric had; none where it was not asked for."""
    found = result.config.get("metric")
    options = found.get(metric) if isinstance(found, Mapping) else None
    return options if isinstance(options, Mapping) else {}


def least_overlap(result: Result, metric: str = "localization") -> float:
    """Return the intersection over union from which on a metric calls a row's boxes right."""
    options = options_of(result, metric) or options_of(result, "localization")
    return float(options.get("iou", 0.5))


def curve(result: Result, records: Records) -> Curve | None:
    """Return a row's errors over thresholds; ``None`` if no curve was recorded.

    The curve holds the boxes of the ground-truth class's own map. A prediction of another class is wrong at
    every threshold, and one of that class has that very map, so that the curve gives the top-1 and the top-5
    error as well: an image is right if its class is among the first predictions and the curve's box is right.

    Args:
        result: The row; its metrics' own least overlap, resamples and seed are taken.
        records: The row's records.
    """
    single = one_box_each(records)
    found = None if single is None else right_at(single, least_overlap(result))
    given = None if single is None else right_at(single, least_overlap(result, "gt_known"))
    if found is None or given is None:
        return None
    thresholds, right = found
    options = options_of(result, "localization")
    drawn = int(options.get("resamples", 10_000)), int(options.get("seed", 0))
    errors = {
        name: tuple(fractions({name: column}, *drawn)[name] for column in wrong.T)
        for name, wrong in _wrong(records, right, given[1])
        if name in result.metrics and len(wrong)
    }
    return Curve(tuple(thresholds.tolist()), errors)


def _wrong(records: Records, right: BoolArray, given: BoolArray) -> Iterator[tuple[str, BoolArray]]:
    """Yield ``[images, t]`` for each error that depends on a box, over the images that it averages.

    Args:
        records: The row's records.
        right: ``[n, t]`` whether a box is right for the localization errors.
        given: ``[n, t]`` whether it is for the error with the class given.
    """
    known, official = records.classes == records.labels[:, None], ~records.blacklisted
    yield "gt_known", ~given[official]
    for depth in (1, 5):
        wrong: BoolArray = ~(known[:, :depth].any(axis=1)[:, None] & right)
        yield f"loc_top{depth}", wrong[official]
        yield f"loc_top{depth}_all", wrong
