"""Turn heatmaps into boxes and hold them against the annotated ones: Table 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmark.core.options import Checked
from benchmark.pipeline.results import files_of
from benchmark.tasks.boxes.comparison import compare, differences, twins_of
from benchmark.tasks.boxes.failures import failure_sheet
from benchmark.tasks.boxes.pictures import picture_sheet
from benchmark.tasks.boxes.plan import plan_of
from benchmark.tasks.boxes.records import STORE
from benchmark.tasks.boxes.result import result
from benchmark.tasks.task import Experiment, Outcome

if TYPE_CHECKING:
    from benchmark.core.protocols import Metric


_SHEETS: Mapping[str, Callable[..., list[Path]]] = {"chosen": picture_sheet, "failures": failure_sheet}


@dataclass(frozen=True)
class BoxTask(Checked, group="task"):
    """The task ``boxes``.

    Attributes:
        sheet: What the picture sheet shows: images ``chosen`` by place and class, or ``failures``, the
            misclassified ones with the maps of both classes.
    """

    sheet: Literal["chosen", "failures"] = "chosen"

    def check(self, words: Sequence[str]) -> None:
        """Accept every override: whether an option exists, its composition says."""

    def run(self, experiment: Experiment) -> Outcome:
        """Measure what is missing, and make the table from what is stored."""
        # First, since they may refuse their options.
        metrics: dict[str, dict[str, Metric]] = {row.name: row.build("metric") for row in experiment.rows}
        bare = [name for name, chosen in metrics.items() if not any(map(_needs_curve, chosen.values()))]
        plan = plan_of(experiment.dataset, experiment.settings, experiment.runs, experiment.rows, bare)
        plan.refuse_nothing_to_measure()
        pairs = (experiment.table or {}).get("same_boxes", ())
        twins = [one for pair in pairs if (one := twins_of(plan, *pair)) is not None]
        plan.measure([*plan.rows.values(), *(one.second for one in twins)])
        found = {name: result(cell, metrics[name]) for name, cell in plan.rows.items()}
        table = experiment.tabulated(
            plan.in_order(found, [row.name for row in experiment.rows]),
            checks=tuple(compare(one) for one in twins),
            differences=tuple(differences(plan.rows, metrics, experiment.compare)),
        )
        return Outcome(
            table=table,
            dataset=plan.dataset,
            records={row.row: STORE.merge(files_of(plan.rows[row.row], STORE)) for row in table.measured},
            sheet=partial(_SHEETS[self.sheet], table=table, cells=plan.rows, count=experiment.pictures),
        )


def _needs_curve(metric: Metric) -> bool:
    """Return whether a metric looks at boxes over thresholds; one that does not say so may."""
    return getattr(metric, "needs_curve", True)
