"""Ask about pairs of image and class, such as by how much a heatmap agrees with an occlusion map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from benchmark.core.types import Difference
from benchmark.pipeline.results import files_of
from benchmark.tasks.pairs.comparison import Headline, headlines, orders
from benchmark.tasks.pairs.pictures import pair_sheet
from benchmark.tasks.pairs.plan import PairRow, plan_of
from benchmark.tasks.pairs.records import STORE
from benchmark.tasks.pairs.result import Measured, Resampling, differences, result
from benchmark.tasks.pairs.sentences import sentences
from benchmark.tasks.task import Experiment, Outcome, refuse_options_of_boxes

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.pipeline.plan import Plan
    from benchmark.reporting.published import Published
    from benchmark.reporting.table import Table


@dataclass(frozen=True)
class PairTask:
    """The task ``pairs``.

    Attributes:
        bootstrap: Bootstrap over images, for the confidence intervals.
    """

    bootstrap: Resampling = field(default_factory=Resampling)

    def check(self, words: Sequence[str]) -> None:
        """Refuse options of boxes: this task draws none."""
        refuse_options_of_boxes(words)

    def run(self, experiment: Experiment) -> Outcome:
        """Measure what is missing, and make the table from what is stored."""
        plan = plan_of(experiment.dataset, experiment.settings, experiment.runs, experiment.rows)
        plan.refuse_nothing_to_measure()
        compared = _headlines(experiment, plan)
        plan.measure()
        found = {name: result(row, self.bootstrap) for name, row in plan.rows.items()}
        done = {name: one for name, one in found.items() if isinstance(one, Measured)}
        apart, checks = _comparison(done, compared, self.bootstrap, experiment.published)
        rows = {name: done[name].result if name in done else one for name, one in found.items()}
        table = experiment.tabulated(
            plan.in_order(rows, [*plan.rows, *plan.open]),
            checks=checks,
            differences=(*apart, *_swept(experiment, done, compared, self.bootstrap)),
        )
        return Outcome(
            table=table,
            dataset=plan.dataset,
            records={name: STORE.merge(files_of(plan.rows[name].cell, STORE)) for name in done},
            references={
                name: STORE.merge(files_of(reference, STORE))
                for name in done
                if (reference := plan.rows[name].reference)
            },
            sheet=partial(_beside, table=table, rows=plan.rows, count=experiment.pictures),
        )


def _beside(path: Path, table: Table, rows: Mapping[str, PairRow], count: int) -> list[Path]:
    """Write the sentences of metrics that have some, and the picture sheet."""
    spoken = [written for one in table.measured for written in sentences(path, rows[one.row])]
    return [*spoken, *pair_sheet(path, table, rows, count)]


def _swept(
    experiment: Experiment,
    done: Mapping[str, Measured],
    compared: Mapping[str, Headline],
    resampling: Resampling,
) -> Iterator[Difference]:
    """Yield the differences that the experiment wants, of the number that the rows are compared by."""
    for first, second in experiment.compare:
        if first not in done or second not in done:
            continue
        one, other = done[first].statistics, done[second].statistics
        names = [compared[first].metric] if first in compared else list(one)
        metric = next((name for name in names if name in other), None)
        found = resampling.difference(one[metric], other[metric]) if metric else None
        if metric and found:
            yield Difference(first, second, metric, found)


def _headlines(experiment: Experiment, plan: Plan[PairRow]) -> dict[str, Headline]:
    """Choose what each row is compared by; a name that no row has is refused before anything is measured."""
    wanted = (experiment.table or {}).get("differences")
    words = [word.lstrip("+~") for word in experiment.words]
    own = any(word.startswith("table.differences=") for word in words)
    strict = own or not any(word.startswith("pair_metric") for word in words)
    rows = {name: row.metrics for name, row in plan.rows.items()}
    return headlines(rows, None if wanted is None else str(wanted), strict)


def _comparison(
    done: Mapping[str, Measured],
    compared: Mapping[str, Headline],
    resampling: Resampling,
    published: Published | None,
) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """Return the differences of the finished rows that have one number in common, and their order."""
    apart: tuple[Difference, ...] = ()
    checks: tuple[str, ...] = ()
    for headline in dict.fromkeys(compared.values()):
        alike = [done[name] for name, own in compared.items() if own == headline and name in done]
        found = differences(alike, headline.metric, resampling)
        apart += found
        checks += orders([one.result for one in alike], headline, found, published)
    return apart, checks
