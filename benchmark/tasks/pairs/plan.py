"""Plan a table of pairs of image and class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset, Method, SeveralViews
from benchmark.pipeline.plan import Plan
from benchmark.tasks.pairs.ask import Question, pair_cell
from benchmark.tasks.pairs.recorder import PairRecorder
from benchmark.tasks.pairs.types import ChecksScene

if TYPE_CHECKING:
    from benchmark.pipeline.cell import Cell
    from benchmark.pipeline.rows import Row
    from benchmark.pipeline.scene import Scene
    from benchmark.pipeline.settings import RunSettings
    from benchmark.tasks.pairs.types import PairMetric

GROUPS = (
    *("dataset", "transform", "model", "method", "reference", "classes", "reading", "pair_metric"),
    "run",
)
"""The config groups that make a row's numbers."""


@dataclass(frozen=True)
class PairRow:
    """A row that can be measured.

    Attributes:
        row: Its name.
        question: Classes and readings that are asked for.
        cell: The method's answers.
        reference: The reference method's; ``None`` without one.
        metrics: Pair metrics by name.
        config: The row's resolved configuration, plain.
    """

    row: str
    question: Question
    cell: Cell
    reference: Cell | None
    metrics: Mapping[str, PairMetric]
    config: Mapping[str, Any]

    @property
    def scene(self) -> Scene:
        """Return model, images and transform."""
        return self.cell.scene

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Return the method's cell, and the reference's if there is one."""
        return (self.cell,) if self.reference is None else (self.cell, self.reference)


def plan_of(dataset: Dataset, settings: RunSettings, runs: Path, rows: Iterable[Row]) -> Plan[PairRow]:
    """Plan rows that ask about pairs.

    Args:
        dataset: The images of every row.
        settings: Settings of the computation.
        runs: Folder of the raw records.
        rows: Rows as configured.

    Raises:
        UserError: If the device cannot be used.
    """
    plan: Plan[PairRow] = Plan(
        dataset, settings, runs, lambda row, cell: PairRecorder(cell.scene, row.question)
    )
    for row in rows:
        plan.add(row, lambda row: _planned(row, plan))
    return plan


def _planned(row: Row, plan: Plan[PairRow]) -> PairRow:
    config = row.numeric(GROUPS)
    method, metrics = row.build("method"), row.build("pair_metric")
    asked = {"classes": config["classes"], "readings": config["reading"]}
    question = Question(row.build("classes"), row.build("reading"), asked)
    reference: Method | None = row.build("reference")
    for metric in metrics.values():
        _refuse_unasked(metric, question, reference)
    readings = question.readings.values()
    scene = plan.scenes.of(row, method, *readings)
    if isinstance(scene.transform, SeveralViews):
        raise UserError(
            f"transform={scene.transform.name}: pairs are asked of one view; choose transform=warp"
        )
    method.check(scene.model)
    if reference is not None:
        try:
            reference.check(scene.model)
        except UserError as error:  # it is a method, and speaks of its options as one
            raise UserError(str(error).replace("method.", "reference.")) from error
    for reading in question.readings.values():
        reading.check(scene.model)
    for metric in metrics.values():
        metric.check(question.policy, question.readings)
        if isinstance(metric, ChecksScene):
            metric.check_scene(scene, question.readings)
    cell = pair_cell(scene, question, method, config, plan.runs)
    compared = {**config, "method": config["reference"]}
    against = None
    if reference is not None:
        against = pair_cell(
            plan.scenes.of(row, reference, *readings), question, reference, compared, plan.runs
        )
    return PairRow(row.name, question, cell, against, metrics, config)


def _refuse_unasked(metric: PairMetric, question: Question, reference: Method | None) -> None:
    """Refuse a metric whose readings or reference are missing, before anything is measured."""
    lacking = [name for name in metric.reads if name not in question.readings]
    if lacking:
        wanted = ",".join([*question.readings, *lacking])
        raise UserError(f"pair_metric {metric.name} needs the reading {lacking[0]}; add reading=[{wanted}]")
    if metric.needs_reference and reference is None:
        raise UserError(
            f"pair_metric {metric.name} needs maps to compare with; add method@reference=occlusion"
        )
