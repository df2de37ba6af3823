"""Compare the rows of a table of pairs: by which number, and their order in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from benchmark.core.errors import UserError
from benchmark.reporting.text import shown
from benchmark.tasks.pairs.types import PairMetric

if TYPE_CHECKING:
    from benchmark.core.types import Difference, Result
    from benchmark.reporting.published import Published

Metrics = Mapping[str, PairMetric]
"""A row's pair metrics by name."""


class Headline(NamedTuple):
    """The name of a number by which rows are compared, and of the pair metric that makes it."""

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
    given = {
        row: [Headline(name, maker) for maker, metric in metrics.items() for name in metric.gives]
        for row, metrics in rows.items()
    }
    found = {
        row: sorted((one for one in own if wanted in one), key=lambda one: one.metric != wanted)
        for row, own in given.items()
    }
    if not any(found.values()):
        if strict:
            names = dict.fromkeys(one.metric for own in given.values() for one in own)
            raise UserError(
                f"table.differences={wanted}: no row has such a number; choose {' | '.join(names)}, or null "
                "for no comparison"
            )
        found = given
    return {row: own[0] for row, own in found.items() if own}


def family(row: str) -> tuple[str, str]:
    """Return what rows of one comparison share: the network's name and the settings, without the method's.

    >>> family("vgg16/grad_cam/patch=16")
    ('vgg16', 'patch=16')
    """
    model, _, rest = row.partition("/")
    return model, rest.partition("/")[2]


def orders(
    results: Sequence[Result],
    headline: Headline,
    differences: Sequence[Difference],
    published: Published | None,
) -> tuple[str, ...]:
    """Write one sentence for each family of at least two rows.

    Args:
        results: Results of the table's rows.
        headline: The number by which they are ordered, the highest first.
        differences: Paired differences with their confidence intervals.
        published: Published numbers, if there are any.
    """
    families: dict[tuple[str, str], list[Result]] = {}
    for one in results:
        if headline.metric in one.metrics:
            families.setdefault(family(one.row), []).append(one)
    several = {key: rows for key, rows in families.items() if len(rows) > 1}
    return tuple(_sentence(key, rows, headline, differences, published) for key, rows in several.items())


def _sentence(
    key: tuple[str, str],
    rows: Sequence[Result],
    headline: Headline,
    differences: Sequence[Difference],
    published: Published | None,
) -> str:
    metric = headline.metric
    found = {_method(one.row): one.metrics[metric].value for one in rows}
    model, settings = key
    parts = [f"{', '.join(filter(None, [model, settings]))} by {metric}: {_chain(found, metric)}"]
    own = [d for d in differences if family(d.first) == key and d.metric == metric]
    apart = {frozenset((_method(d.first), _method(d.second))): d for d in own}
    alike = {pair for pair, d in apart.items() if d.estimate.low <= 0 <= d.estimate.high}
    if apart:
        parts.append(f"{len(alike)} of {len(apart)} differences have 0 in their interval")
    name, theirs = _theirs(published, model, headline, found)
    if len(theirs) > 1:
        parts.append(f"published {'' if name == metric else f'by {name}: '}{_chain(theirs, name)}")
        parts.append(_agreement(found, theirs, apart.keys() - alike))
    return "; ".join(parts)


def _method(row: str) -> str:
    return row.split("/")[1] if "/" in row else row


def _chain(values: dict[str, float], metric: str) -> str:
    ordered = sorted(values, key=lambda name: -values[name])
    return " > ".join(f"{name} {shown(metric, values[name])}" for name in ordered)


def _theirs(
    published: Published | None, model: str, headline: Headline, found: dict[str, float]
) -> tuple[str, dict[str, float]]:
    """Return published numbers of the metric itself, or, where there are none, of its pair metric's name."""
    rows = {name: published.rows.get(f"{model}/{name}") for name in found} if published else {}
    for metric in headline:
        numbers = {name: row.metrics[metric] for name, row in rows.items() if row and metric in row.metrics}
        if numbers:
            return metric, numbers
    return headline.metric, {}


def _agreement(found: dict[str, float], theirs: dict[str, float], certain: Set[frozenset[str]]) -> str:
    """Count how many pairs of methods stand in the published order, and which do not, the certain marked."""
    pairs = list(combinations(sorted(theirs, key=lambda name: -theirs[name]), 2))
    against = [(a, b) for a, b in pairs if found[a] < found[b]]
    text = f"{len(pairs) - len(against)} of {len(pairs)} pairs of methods stand in the published order"
    if not against:
        return text
    beyond = " (beyond the interval)"
    named = [f"{b} above {a}{beyond if frozenset((a, b)) in certain else ''}" for a, b in against]
    return f"{text}; against it: {', '.join(named)}"
