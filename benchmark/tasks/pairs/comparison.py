"""Which number the rows of a table of pairs are compared by: what the table names, as the options make it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benchmark.core.errors import UserError
from benchmark.tasks.pairs.protocols import PairMetric

Metrics = Mapping[str, PairMetric]
"""A row's pair metrics by name."""


class Headline(NamedTuple):
    """A number that rows are compared by.

    Attributes:
        metric: Its name.
        maker: The pair metric that gives it.
    """

    metric: str
    maker: str


def headlines(rows: Mapping[str, Metrics], wanted: str | None, strict: bool) -> dict[str, Headline]:
    """Choose what each row is compared by; a row that has nothing of the kind is left out.

    ``wanted`` names a number (``rank_correlation_28``), or a pair metric and so the first number that it
    gives with its options (``rank_correlation``: of Kendall's coefficient, ``kendall``).

    Args:
        rows: By name.
        wanted: As the table has it; ``None``: nothing is compared.
        strict: Whether it was meant for these pair metrics. If not, as where the user chose others than the
            table's own, and no row has it, rows are compared by their first number.

    Raises:
        UserError: If no row has it, with the names that there are.
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
