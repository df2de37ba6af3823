"""How numbers and texts of a table are written, whatever it is rendered as."""

import math
from collections.abc import Iterable

NONE = "–"
"""What stands where there is no number."""

PLAIN = ("rank_correlation", "kendall", "spearman", "deletion", "insertion", "rating", "in_out")
"""How the names of metrics begin that are printed as they are; all others are fractions, and in percent."""


_BETTER = {
    "Errors, lower is better": ("cls_top", "loc_top", "gt_known", "oracle_per_image"),
    "Accuracies, higher is better": ("max_box_acc", "pointing", "accuracy"),
}


def better(metrics: Iterable[str]) -> dict[str, list[str]]:
    """Group the errors and the accuracies among some metrics; a threshold is neither.

    >>> better(["loc_top1", "max_box_acc", "max_box_acc_threshold"])
    {'Errors, lower is better': ['loc_top1'], 'Accuracies, higher is better': ['max_box_acc']}
    """
    names = [metric for metric in metrics if not metric.endswith("_threshold")]
    groups = {what: [name for name in names if name.startswith(starts)] for what, starts in _BETTER.items()}
    return {what: group for what, group in groups.items() if group}


def plain(metric: str) -> bool:
    """Return whether a metric is printed as it is, with three decimals, and not in percent.

    >>> plain("rank_correlation_28"), plain("constant_maps")
    (True, False)
    """
    return metric.startswith(PLAIN)


def shown(metric: str, value: float | None, signed: bool = False) -> str:
    """Write a value in percent with two decimals, or plain with three.

    >>> shown("loc_top1", 0.5651), shown("rank_correlation", -0.2), shown("loc_top1", 0.01, signed=True)
    ('56.51', '-0.200', '+1.00')
    """
    if value is None:
        return NONE
    number, digits = (value, 3) if plain(metric) else (100 * value, 2)
    return f"{round(number, digits) + 0.0:{'+' if signed else ''}.{digits}f}"  # + 0.0: never -0.00


def interval(metric: str, low: float | None, high: float | None) -> str:
    """Write an interval in percent with one decimal, or plain with three; a dash where it has no bounds.

    >>> interval("loc_top1", 0.541, 0.588), interval("rank_correlation", -0.012, 0.2)
    ('54.1–58.8', '-0.012 to 0.200')
    """
    if low is None or high is None or not math.isfinite(high - low):
        return NONE
    if plain(metric):
        return f"{round(low, 3) + 0.0:.3f} to {round(high, 3) + 0.0:.3f}"
    return f"{100 * low:.1f}{NONE}{100 * high:.1f}"


def one_line(text: object) -> str:
    """Write a text on one line, its white space made single spaces."""
    return " ".join(str(text).split())


def grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Write once what is said of several rows.

    >>> grouped([("a/cam", "no weights"), ("b/cam", "no image"), ("c/cam", "no weights")])
    [('a/cam, c/cam', 'no weights'), ('b/cam', 'no image')]
    """
    rows: dict[str, list[str]] = {}
    for row, text in pairs:
        rows.setdefault(text, []).append(row)
    return [(", ".join(names), text) for text, names in rows.items()]
