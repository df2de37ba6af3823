"""Rows of a finished table of pairs, read again from their records: no image, no device, no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmark.core.errors import UserError
from benchmark.tasks.pairs.comparison import Headline, family, orders
from benchmark.tasks.pairs.result import Resampling, counted, statistics_of

if TYPE_CHECKING:
    from benchmark.core.paired import Statistic
    from benchmark.core.types import Difference, Estimate, Result
    from benchmark.reporting.table import Table
    from benchmark.tasks.pairs.types import Answers, PairMetric

Build = Callable[[str, Mapping[str, Any]], "PairMetric"]
"""Makes a pair metric of its name and of its options, as a result's configuration holds them."""


@dataclass(frozen=True)
class StoredPairs:
    """A measured row and its pairs.

    Attributes:
        result: The row as the table holds it.
        answers: What its numbers are made of.
        metrics: The pair metrics that its configuration names.
        resampling: The bootstrap of its intervals.
    """

    result: Result
    answers: Answers
    metrics: Mapping[str, PairMetric]
    resampling: Resampling

    def again(self) -> tuple[dict[str, Estimate], dict[str, int]]:
        """Return the numbers and the counts that follow from the pairs."""
        made = {name: self.resampling.estimate(one) for name, one in self.statistics.items()}
        return made, counted(self.answers)

    @cached_property
    def statistics(self) -> dict[str, Statistic]:
        """Return what the numbers are made of, by name."""
        return statistics_of(self.metrics, self.answers)

    @property
    def foreign(self) -> list[str]:
        """Return the numbers that no pair metric of the row gives, such as those of a trained network."""
        given = {name for metric in self.metrics.values() for name in metric.gives}
        return [name for name in self.result.metrics if name not in {*given, *self.statistics}]

    @cached_property
    def annotations(self) -> dict[str, object]:
        """Return what the dataset says of each image: the classes that it holds, and how they are marked."""
        pairs, found = self.answers.pairs, dict[str, set[tuple[Any, ...]]]()
        marks = [pairs.columns[name].tolist() for name in ("label", "labelled", "difficult", "share")]
        for image, label, labelled, *more in zip(pairs.image_ids, *marks, strict=True):
            found.setdefault(image, set()).update([(label, *more)] if labelled else [])
        return dict(found)

    def maker(self, number: str) -> type:
        """Return the kind of the metric that makes a number."""
        return next((type(metric) for metric in self.metrics.values() if number in metric.gives), type(None))

    def less(self, other: Mapping[str, Statistic], metric: str) -> Estimate | None:
        """Return a number less another row's over the images of both; ``None`` if it is not in both."""
        one, another = self.statistics.get(metric), other.get(metric)
        return None if one is None or another is None else self.resampling.difference(one, another)


def stored_pairs(result: Result, answers: Answers, build: Build) -> StoredPairs:
    """Make the metrics of a row whose pairs have been read.

    Raises:
        UserError: With the reason why its numbers cannot be derived again.
    """
    nodes, drawn = result.config.get("pair_metric"), result.conditions.get("resampling")
    if not isinstance(nodes, Mapping) or not nodes or not isinstance(drawn, Mapping):
        raise UserError("its result names no metric and no bootstrap")
    metrics = {name: build(name, node) for name, node in nodes.items()}
    if answers.reference is None and any(metric.needs_reference for metric in metrics.values()):
        raise UserError("the records of its reference are not there")
    return StoredPairs(result, answers, metrics, Resampling(**drawn))


def orders_again(table: Table, rows: Mapping[str, StoredPairs]) -> dict[str, str]:
    """Derive the sentences about the order of rows.

    Args:
        table: The table with the numbers and differences that follow from the records.
        rows: Its rows that have been read.

    Returns:
        What each of the table's sentences should be, by the sentence.
    """
    found, results = dict[str, str](), [one for one in table.measured if one.row in rows]
    inside = [one for one in table.differences if family(one.first) == family(one.second)]
    for headline in _headlines(inside, rows):
        alike = [one for one in results if headline in _given(rows[one.row])]
        apart = [one for one in inside if one.metric == headline.metric]
        for sentence in orders(alike, headline, apart, table.published):
            about = sentence[: sentence.index(": ") + 1]
            found |= {printed: sentence for printed in table.checks if printed.startswith(about)}
    return found


def _headlines(differences: Sequence[Difference], rows: Mapping[str, StoredPairs]) -> list[Headline]:
    """Return the numbers that differences are of, each with the pair metric that makes it."""
    named = {one.metric for one in differences}
    given = (one for row in rows.values() for one in _given(row))
    return list(dict.fromkeys(one for one in given if one.metric in named))


def _given(row: StoredPairs) -> list[Headline]:
    return [Headline(name, maker) for maker, metric in row.metrics.items() for name in metric.gives]
