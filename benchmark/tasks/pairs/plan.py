"""From configured rows to what has to be asked: scenes, each with its cells, references among them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset, Method, SeveralViews, Transform
from benchmark.core.types import Model, OpenRow
from benchmark.pipeline.cell import Scene
from benchmark.pipeline.scenes import Scenes
from benchmark.pipeline.settings import RunSettings
from benchmark.tasks.pairs.cell import PairCell, Question, pair_cell
from benchmark.tasks.pairs.protocols import PairMetric


@dataclass(frozen=True)
class PairParts:
    """A row's components, and the plain configuration that they were built from.

    ``reference`` gives ``None`` where the row's maps are not held against another method's.
    """

    row: str
    config: Mapping[str, Any]
    model: Callable[[], Model]
    transform: Callable[[], Transform]
    method: Callable[[], Method]
    reference: Callable[[], Method | None]
    question: Callable[[], Question]
    metrics: Callable[[], Mapping[str, PairMetric]]


@dataclass(frozen=True)
class PairRow:
    """A row that can be measured.

    Attributes:
        row: Its name.
        scene: Model, images, transform.
        question: What is asked.
        cell: The method's answers.
        reference: The reference method's; ``None`` without one.
        metrics: What is made of the answers, by name.
        config: The row's resolved configuration, plain.
    """

    row: str
    scene: Scene
    question: Question
    cell: PairCell
    reference: PairCell | None
    metrics: Mapping[str, PairMetric]
    config: Mapping[str, Any]

    @property
    def cells(self) -> tuple[PairCell, ...]:
        """The method's and the reference's."""
        return (self.cell,) if self.reference is None else (self.cell, self.reference)


@contextmanager
def _named(place: str) -> Iterator[None]:
    """What a method says of its ``method.`` options is said of those of ``place.``, where it stands."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace("method.", f"{place}.")) from error


def _refuse_unasked(metric: PairMetric, question: Question, reference: Method | None) -> None:
    """Before hours of work, not after."""
    lacking = [name for name in metric.reads if name not in question.readings]
    if lacking:
        wanted = ",".join([*question.readings, *lacking])
        raise UserError(f"pair_metric {metric.name} needs the reading {lacking[0]}; add reading=[{wanted}]")
    if metric.needs_reference and reference is None:
        raise UserError(
            f"pair_metric {metric.name} needs maps to compare with; add method@reference=occlusion"
        )


@dataclass
class PairPlan:
    """What an experiment with pairs computes.

    Attributes:
        dataset: The images of every row.
        settings: How they are computed.
        runs: Where raw records go.
        rows: By name.
        open: Row to the reason why it cannot be measured.
    """

    dataset: Dataset
    settings: RunSettings
    runs: Path
    rows: dict[str, PairRow] = field(default_factory=dict)
    open: dict[str, OpenRow] = field(default_factory=dict)
    _scenes: Scenes = field(init=False)

    def __post_init__(self) -> None:
        """Without a scene yet."""
        self._scenes = Scenes(self.dataset, self.settings)

    def add(self, parts: PairParts) -> None:
        """Take in a row; one that cannot be measured is open, and says why."""
        try:
            self.rows[parts.row] = self._row(parts)
        except UserError as error:
            model, name = parts.config["model"]["name"], parts.config["method"]["name"]
            self.open[parts.row] = OpenRow(parts.row, model, name, str(error))

    def _row(self, parts: PairParts) -> PairRow:
        method, question, metrics = parts.method(), parts.question(), parts.metrics()
        with _named("reference"):
            reference = parts.reference()
        for metric in metrics.values():
            _refuse_unasked(metric, question, reference)
        scene = self._scenes.of(parts.config, parts.model, parts.transform)
        if isinstance(scene.transform, SeveralViews):
            raise UserError(
                f"transform={scene.transform.name}: pairs are asked of one view; choose transform=warp"
            )
        method.check(scene.model)
        if reference is not None:
            with _named("reference"):
                reference.check(scene.model)
        for reading in question.readings.values():
            reading.check(scene.model)
        for metric in metrics.values():
            metric.check(question.policy, question.readings)
        cell = pair_cell(scene, question, method, parts.config, self.runs)
        held = {**parts.config, "method": parts.config["reference"]}
        against = pair_cell(scene, question, reference, held, self.runs) if reference else None
        return PairRow(parts.row, scene, question, cell, against, metrics, parts.config)

    def work(self) -> Iterator[tuple[Scene, Question, list[PairCell]]]:
        """Each scene and question with its cells, every cell once."""
        groups: dict[tuple[int, str], tuple[Scene, Question, dict[Path, PairCell]]] = {}
        for row in self.rows.values():
            key = id(row.scene), repr(row.question.config)
            cells = groups.setdefault(key, (row.scene, row.question, {}))[2]
            cells.update({cell.folder: cell for cell in row.cells})
        for scene, question, cells in groups.values():
            yield scene, question, list(cells.values())
