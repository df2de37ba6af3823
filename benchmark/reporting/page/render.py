"""Write a report page: Jinja2 templates, with everything that they need inside one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from math import isfinite
from typing import Any, NamedTuple

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from benchmark.core.nested import flatten
from benchmark.core.types import Estimate, OpenRow, Result
from benchmark.metrics.common.anatomy import KINDS
from benchmark.reporting.lines import Line, lines
from benchmark.reporting.page import charts
from benchmark.reporting.page.content import SIZES, BoxDetails, Chapter, Counts, Node
from benchmark.reporting.render.notes import notes
from benchmark.reporting.render.summary import MARKS
from benchmark.reporting.text import NONE, interval, plain, shown

MOST_BYTES = 15_000_000
"""Size of a page, at most."""
_TEMPLATES = ("page.html", "parts.html", "style.css", "page.js", "gallery.js")
_LISTED = 40
"""Conditions of a cell that the page shows; the rest stands in its json."""
KIND_TITLES: Mapping[str, str] = {
    "right": "right",
    "class_wrong": "class wrong",
    "empty_map": "empty map",
    "several_objects": "one of several objects",
    "off_target": "off target",
    "too_big": "box too big",
    "too_small": "box too small",
}


class BarPart(NamedTuple):
    """A bar's part: its kind, how many images it stands for, and their share in percent."""

    kind: str
    images: int
    percent: float


def render(chapters: Sequence[Chapter]) -> str:
    """Return the page as HTML, UTF-8; nothing in it is fetched from elsewhere."""
    return environment().get_template("page.html").render(chapters=chapters, title=_title(chapters))


def environment() -> Environment:
    """Return the templates with what they call."""
    folder = files(__package__) / "templates"
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in _TEMPLATES}
    made = Environment(
        loader=DictLoader(texts),
        autoescape=lambda name: bool(name) and str(name).endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "shown": shown,
        "interval": interval,
        "plain": plain,
        "marks": MARKS,
        "dash": NONE,
        "kinds": KIND_TITLES,
        "charts": charts,
        "columns_of": columns_of,
        "found": found,
        "notes": notes,
        "bar": bar,
        "size_titles": size_titles(),
        "data_of": data_of,
        "charts_of": charts_of,
        "facts": facts,
        "own_threshold": own_threshold,
        "p_value": p_value,
        "data_at": data_at,
        "counts_of": counts_of,
        "bounds": bounds,
    }
    made.filters["broken"] = broken
    return made


def broken(name: str) -> Markup:
    """Allow a line break behind each slash of a row's name."""
    return Markup("/<wbr>").join(name.split("/"))


def _title(chapters: Sequence[Chapter]) -> str:
    return "; ".join(chapter.table.full_title for chapter in chapters)


def found(chapter: Chapter) -> dict[tuple[str, str], Line]:
    """Return the lines of a table by row and metric."""
    return {(line.row, line.metric): line for line in lines(chapter.table)}


def columns_of(chapter: Chapter) -> list[dict[str, str]]:
    """Return the columns of the main table and of the rest, each metric with its title."""
    table = chapter.table
    present = dict.fromkeys(line.metric for line in lines(table))
    main = {key: title for key, title in table.titles.items() if key in present}
    main |= {one.metric: one.metric for one in table.differences if one.metric not in main}
    rest = {key: key for key in sorted(present) if key not in main}
    return [main, rest] if main else [rest]


def bar(counts: Counts) -> list[BarPart]:
    """Return the parts of a bar of kinds that are there."""
    total = max(int(counts.sum()), 1)
    pairs = zip(KINDS, counts.tolist(), strict=True)
    return [BarPart(kind, count, 100 * count / total) for kind, count in pairs if count]


def size_titles() -> list[str]:
    """Name the ranges between the sizes of objects."""
    ends = [0.0, *SIZES, 1.0]
    return [f"{100 * low:.0f}–{100 * high:.0f} %" for low, high in pairwise(ends)]


def own_threshold(row: Result | OpenRow) -> str:
    """Return the threshold that a row was measured with; empty without one."""
    options = row.config.get("localizer") if isinstance(row, Result) else None
    value = options.get("threshold") if isinstance(options, Mapping) else None
    return charts.named(value) if isinstance(value, int | float) else ""


def p_value(value: float) -> str:
    """Write a p-value.

    >>> p_value(0.0312), p_value(1e-7), p_value(1.0)
    ('0.031', '< 0.001', '1.000')
    """
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def bounds(metric: str, estimate: Estimate) -> str:
    """Write both ends of a difference's interval; a dash where it has none."""
    if not isfinite(estimate.high - estimate.low):
        return NONE
    return ", ".join(shown(metric, end, signed=True) for end in (estimate.low, estimate.high))


def counts_of(boxes: BoxDetails, of: str) -> dict[str, Counts]:
    """Return the counts of kinds of each row that has them, ``of`` the predicted box or the label's."""
    found = {row: getattr(kinds, of) for row, kinds in boxes.kinds.items()}
    return {row: counts for row, counts in found.items() if counts is not None}


def data_at(boxes: BoxDetails, row: str, metric: str, threshold: str) -> str:
    """Return a row's error at a threshold, as it is printed."""
    curve = boxes.curves[row]
    names = [charts.named(one) for one in curve.thresholds]
    return shown(metric, curve.errors[metric][names.index(threshold)].value) if threshold in names else NONE


def charts_of(boxes: BoxDetails) -> list[charts.Chart]:
    """Lay out a chart for each error of the curves; of all images only where it is not the devkit's."""
    metrics = dict.fromkeys(metric for curve in boxes.curves.values() for metric in curve.errors)
    order = [name for name in ("loc_top1", "loc_top5", "gt_known") if name in metrics]
    return [charts.chart(boxes.curves, metric) for metric in order]


def facts(row: Result) -> Iterator[tuple[str, str]]:
    """List what a cell's numbers depend on, with dotted keys."""
    yield from (("cell", row.fingerprint), ("protocol", row.localizer))
    yield from list(flatten({**row.conditions, "counts": row.counts}).items())[:_LISTED]


def data_of(chapter: Chapter) -> Node:
    """Return what the page's script reads of a chapter: every number as it is printed."""
    boxes = chapter.boxes
    if boxes is None:
        return {}
    return {
        "thresholds": [charts.named(one) for one in charts.thresholds_of(boxes.curves)],
        "curves": {row: _moved(curve.thresholds, curve.errors) for row, curve in boxes.curves.items()},
        "kinds": list(KIND_TITLES.items()),
        "classes": _classes(boxes),
        "gallery": boxes.gallery,
    }


def _moved(thresholds: Sequence[float], errors: Mapping[str, Any]) -> Node:
    """Return the value and the interval of each metric at each threshold, as they are printed."""
    return {
        metric: {
            charts.named(threshold): [shown(metric, one.value), interval(metric, one.low, one.high)]
            for threshold, one in zip(thresholds, estimates, strict=True)
        }
        for metric, estimates in errors.items()
    }


def _classes(boxes: BoxDetails) -> Node:
    """Return the kinds of errors of each class that has images, ``[classes][rows][kinds]``."""
    rows = list(boxes.kinds)
    counts = [boxes.kinds[row].classes for row in rows]
    seen = [place for place in range(len(boxes.classes)) if counts and counts[0][place].sum()]
    return {
        "rows": rows,
        "names": [boxes.classes[place] for place in seen],
        "counts": [[one[place].tolist() for one in counts] for place in seen],
    }
