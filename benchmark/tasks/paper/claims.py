"""Claims of the paper, typed once in ``results/published/claims/paper.yaml``, and the judgement of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml

from benchmark.core.errors import UserError
from benchmark.core.options import Checked
from benchmark.core.types import Estimate, OpenRow, Result
from benchmark.reporting.lines import Line, lines
from benchmark.reporting.table import Table
from benchmark.reporting.text import interval, one_line, shown
from benchmark.reporting.verdicts import EXPLAINED, MATCHES, NOT_COMPARABLE

OPEN = "open"
WORDS = (MATCHES, EXPLAINED, NOT_COMPARABLE, OPEN)
"""Verdicts, the best first."""

_Text = Annotated[str, "not empty"]


@dataclass(frozen=True)
class Claim(Checked, group="claims"):
    """One claim: a number of a row, or that one number is above another.

    Attributes:
        claim: In words.
        section: Of the paper.
        published: The published numbers as text, with their unit.
        experiment: Key of the experiment that tries it.
        metric: Name of the number; empty for a claim that no number here tries.
        row: The row whose number it is; empty where it is an order.
        above: The row whose number is claimed to be above the other's.
        below: The other row.
        than: The metric of ``below``, where it is another; both rows may then be the same, and their paired
            difference is the row's metric ``METRIC_gain``.
        table: Name of a table beside the experiment's own, such as ``study_answers``; empty for its own.
        missing: What is missing where the experiment has no such number, with the remedy.
    """

    claim: _Text
    section: _Text
    published: _Text
    experiment: _Text
    metric: str = ""
    row: str = ""
    above: str = ""
    below: str = ""
    than: str = ""
    table: str = ""
    missing: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        order = bool(self.above and self.below)
        if bool(self.metric) != (bool(self.row) != order):
            raise UserError(
                f"{self.claim!r}: give metric and row, or metric, above and below, or none of them"
            )


@dataclass(frozen=True)
class Judged:
    """A claim and what became of it.

    Attributes:
        name: The claim's name.
        claim: The claim.
        word: One of :data:`WORDS`.
        measured: Numbers with their intervals, as text; empty where there are none.
        on: Images and their number.
        why: What is missing, or why it differs or cannot be compared.
        source: Of the published number, as its table states it.
        estimate: The number, or the difference of an order.
    """

    name: str
    claim: Claim
    word: str
    measured: str = ""
    on: str = ""
    why: str = ""
    source: str = ""
    estimate: Estimate | None = None


def read_claims(path: Path) -> dict[str, Claim]:
    """Read claims by name.

    Raises:
        UserError: If the file is missing or not as it must be, naming the claim.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))["claims"]
        return {str(name): Claim(**entry) for name, entry in content.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: is no list of claims ({one_line(error)})") from error
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def judge_all(name: str, claim: Claim, tables: Sequence[Table], reasons: Sequence[str]) -> Judged:
    """Judge a claim by the table that says most: comparable before not comparable before none.

    Args:
        name: The claim's name.
        claim: The claim.
        tables: Tables of its experiment, the user's own images first.
        reasons: Why there are not more tables.
    """
    if not claim.metric:
        return Judged(name, claim, OPEN, why=claim.missing or "no number here tries it")
    found = [_judged(name, claim, table) for table in tables]
    if not found:
        why = "; ".join(dict.fromkeys(filter(None, (claim.missing, *reasons))))
        return Judged(name, claim, OPEN, why=why or f"experiment={claim.experiment} has not run")
    return min(found, key=lambda one: (WORDS.index(one.word), not one.measured))


def _judged(name: str, claim: Claim, table: Table) -> Judged:
    on = f"{table.dataset.name}, {table.dataset.images} images"
    other = claim.than or claim.metric
    wanted = [(claim.row or claim.above, claim.metric), *([] if claim.row else [(claim.below, other)])]
    rows = {row.row: row for row in table.rows}
    for row, metric in wanted:
        here = rows.get(row)
        if not isinstance(here, Result) or metric not in here.metrics:
            reason = here.reason if isinstance(here, OpenRow) else f"{table.name} has no {metric} of {row}"
            return Judged(name, claim, OPEN, on=on, why="; ".join(filter(None, (claim.missing, reason))))
    found = {(line.row, line.metric): line for line in lines(table)}
    if claim.row:
        return _number(name, claim, found[wanted[0]], on)
    return _order(name, claim, table, (found[wanted[0]], found[wanted[1]]), on)


def _number(name: str, claim: Claim, line: Line, on: str) -> Judged:
    estimate = Estimate(line.measured or 0.0, line.low or 0.0, line.high or 0.0, line.n or 0)
    word = line.verdict.word if line.verdict else NOT_COMPARABLE
    why = line.why or "no number of these images was published"
    if word not in WORDS:
        word, why = OPEN, f"{line.verdict.describe(line.metric) if line.verdict else ''}: {line.why}"
    if word == EXPLAINED and line.verdict:
        why = line.verdict.describe(line.metric)
    text = with_interval(claim.metric, estimate)
    return Judged(name, claim, word, text, on, "" if word == MATCHES else why, line.source, estimate)


def _order(name: str, claim: Claim, table: Table, both: tuple[Line, Line], on: str) -> Judged:
    """Judge an order by the paired difference of the table, or by the ends of both intervals without one."""
    first, second = both
    apart, paired = _difference(table, claim), "paired"
    if apart is None:
        paired = "unpaired, by the ends of both intervals"
        ends = [end for line in (first, second) for end in (line.low, line.high)]
        low, high, least, most = (math.nan if end is None else end for end in ends)
        value = (first.measured or 0.0) - (second.measured or 0.0)
        apart = Estimate(value, low - most, high - least, min(first.n or 0, second.n or 0))
    names = ("", "") if claim.above == claim.below else (f"{claim.above} ", f"{claim.below} ")
    told = [f"{row}{shown(claim.metric, one.measured)}" for row, one in zip(names, both, strict=True)]
    values = " and ".join(told)
    text = f"{values}, difference {with_interval(claim.metric, apart, signed=True)} ({paired})"
    holds = "the same order" if apart.low > 0 else "the other order" if apart.high < 0 else "undecided"
    why = f"{holds} here"
    comparable = all(table.comparable_row(row) for row in (claim.above, claim.below))
    if not comparable:
        mismatch = table.mismatch(claim.above) or table.mismatch(claim.below)
        reason = mismatch if table.comparable else ""
        why = f"{why}; {reason or f'the paper measured other networks or images than {table.dataset.name}'}"
        return Judged(name, claim, NOT_COMPARABLE, text, on, why, first.source, apart)
    if apart.low > 0:
        return Judged(name, claim, MATCHES, text, on, "", first.source, apart)
    remedy = "more images decide it" if holds == "undecided" else "no reason of known size"
    return Judged(name, claim, OPEN, text, on, f"{why}; {remedy}", first.source, apart)


def _difference(table: Table, claim: Claim) -> Estimate | None:
    if claim.than and claim.above == claim.below:
        results = (row for row in table.rows if isinstance(row, Result) and row.row == claim.above)
        return next(results).metrics.get(f"{claim.metric}_gain")
    for one in table.differences:
        if (
            one.metric == claim.metric
            and not claim.than
            and {one.first, one.second} == {claim.above, claim.below}
        ):
            value, low, high, n = one.estimate
            return one.estimate if one.first == claim.above else Estimate(0 - value, 0 - high, 0 - low, n)
    return None


def with_interval(metric: str, estimate: Estimate, signed: bool = False) -> str:
    """Write a number with its 95 % interval, such as ``56.51 [54.1–58.9]``."""
    value = shown(metric, estimate.value, signed)
    return f"{value} [{interval(metric, estimate.low, estimate.high)}]"
