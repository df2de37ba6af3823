"""The number by which the rows of a table of pairs are compared: the one that the table names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benchmark.core.errors import UserError
from benchmark.tasks.pairs.protocols import PairMetric

Metrics = Mapping[str, PairMetric]
"""A row's pair metrics by name."""


class Headline(NamedTuple):
    """A number by which rows are compared.

    Attributes:
        metric: Name of the number.
        maker: Name of the pair metric that gives it.
    """

    metric: str
    maker: str


def headlines(rows: Mapping[str, Metrics], wanted: str | None, strict: bool) -> dict[str, Headline]:
    """Choose the number by which each row is compared; a row without such a number is left out.

    ``wanted`` names a number (``rank_correlation_28``), or a pair metric and so the first number that it
    gives with its options (``rank_correlation``; with Kendall's coefficient, ``kendall``).

    Args:
        rows: Pair metrics of each row, by name.
        wanted: The table's ``differences``; ``None`` for no comparison.
        strict: Whether ``wanted`` must be there. If not, since the user chose other pair metrics than the
            table's own, and no row has it, rows are compared by their first number.

    Raises:
        UserError: If ``strict`` and no row has it, with the names that there are.
    """
    if wanted is None:
        return {}
    found = {row: _named(metrics, wanted) for row, metrics in rows.items()}
    if not any(found.values()):
        if strict:
            names = dict.fromkeys(one.metric for metrics in rows.values() for one in _given(metrics))
            raise UserError(
                f"table.differences={wanted}: no row has such a number; choose {' | '.join(names)}, or null "
                "for no comparison"
            )
        found = {row: next(iter(_given(metrics)), None) for row, metrics in rows.items()}
    return {row: one for row, one in found.items() if one}


def _named(metrics: Metrics, wanted: str) -> Headline | None:
    given = _given(metrics)
    same = [one for one in given if one.metric == wanted] or [one for one in given if one.maker == wanted]
    return same[0] if same else None


def _given(metrics: Metrics) -> list[Headline]:
    return [Headline(name, maker) for maker, metric in metrics.items() for name in metric.gives]
