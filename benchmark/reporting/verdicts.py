"""What follows from a measured and a published number: whether named reasons cover their difference.

* *matches*: the published number lies in the measured 95 % interval, its ends included.
* *explained*: it does not, but does so once it is moved by the reasons: somewhere between the sums of their
  least and of their greatest effects it reaches the interval.
* *unexplained*: it does not.

A reason without a size explains nothing. There are two kinds. One is computed: an error is ``1 - A q``,
where the class is right in a share ``A`` of the images, and the box in a share ``q`` of those; the measured
``A`` with the published ``q'`` is ``(cls - cls') q'`` away from the published error. The others are typed
beside the published numbers, with their source, and hold with classification as it is published. Other images
are no reason: nothing bounds what they change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.reporting.text import shown

if TYPE_CHECKING:
    from benchmark.core.types import Estimate, Result
    from benchmark.reporting.published import PublishedRow, Reason

MATCHES = "matches"
EXPLAINED = "explained"
UNEXPLAINED = "unexplained"
NOT_COMPARABLE = "not comparable"

CLASSIFICATION = "another classification error"
_OF_BOXES, _OF_CLASSES = "loc_", "cls_"
_ROUNDING = 1e-9  # of sums of numbers that were typed with two decimals


class Cause(NamedTuple):
    """A reason for a difference of one metric.

    Attributes:
        what: The reason in words.
        low: Its least effect on ``measured - published``, a fraction.
        high: Its greatest.
        source: Who measured it; empty if it is computed from the row itself.
    """

    what: str
    low: float
    high: float
    source: str = ""

    def __str__(self) -> str:
        """Write the effect in points: ``other classes -4.10``, ``other weights [-2.06, +0.00]``."""
        low, high = (f"{round(100 * end, 2) + 0.0:+.2f}" for end in (self.low, self.high))
        return f"{self.what} {low if low == high else f'[{low}, {high}]'}"


class Verdict(NamedTuple):
    """What became of one number.

    Attributes:
        word: One of the names of this module.
        causes: Reasons that were weighed, whether needed or not.
        left: Distance that remains to the confidence interval, signed as ``measured - published``;
            0 where it reaches it.
    """

    word: str
    causes: tuple[Cause, ...] = ()
    left: float = 0.0

    def describe(self, metric: str) -> str:
        """Write a metric's verdict with what was weighed: ``explained (other weights [-2.06, +0.00])``."""
        if self.word in (MATCHES, NOT_COMPARABLE):
            return self.word
        weighed = ", ".join(map(str, self.causes)) or "no reason of known size"
        left = f", {shown(metric, self.left, signed=True)} left" if self.left else ""
        return f"{self.word} ({weighed}{left})"


def causes(result: Result, published: PublishedRow, metric: str) -> tuple[Cause, ...]:
    """List the reasons that hold for a row's metric, those without an effect left out."""
    computed = _classification(result.metrics, published.metrics, metric)
    typed = [
        Cause(reason.what, *reason.points[metric], reason.source)
        for reason in published.reasons.values()
        if metric in reason.points and _holds(result, reason)
    ]
    return tuple(cause for cause in (computed, *typed) if cause and (cause.low, cause.high) != (0.0, 0.0))


def _holds(result: Result, reason: Reason) -> bool:
    """Return whether a row was measured with the choices that a reason is about."""
    return all(_chosen(result.config, key) in choices for key, choices in reason.given.items())


def _chosen(config: Mapping[str, Any], key: str) -> Any:
    """Return a group's name or an option's value; ``None`` where the row has no such option."""
    found: Any = config
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found.get("name") if isinstance(found, Mapping) else found


def _classification(
    measured: Mapping[str, Estimate], published: Mapping[str, float], metric: str
) -> Cause | None:
    """Compute the effect of another classification error, box accuracy given the class as published."""
    classes = metric.replace(_OF_BOXES, _OF_CLASSES)
    if not metric.startswith(_OF_BOXES) or not {metric, classes} <= set(published) or classes not in measured:
        return None
    given_class = (1 - published[metric]) / (1 - published[classes])
    effect = round((measured[classes].value - published[classes]) * given_class, 12)
    return Cause(CLASSIFICATION, effect, effect)


def judge(measured: Estimate, published: float, reasons: Sequence[Cause]) -> Verdict:
    """Judge one number, by the rule at the top of this module."""
    weighed = tuple(reasons)
    if measured.low <= published <= measured.high:
        return Verdict(MATCHES, weighed, 0.0)
    low = published + sum(cause.low for cause in weighed)
    high = published + sum(cause.high for cause in weighed)
    left = max(measured.low - high, 0.0) - max(low - measured.high, 0.0)
    if abs(left) <= _ROUNDING:
        return Verdict(EXPLAINED, weighed, 0.0)
    return Verdict(UNEXPLAINED, weighed, left)
