"""Plan what an experiment measures: its rows, those that stay open, and what shares a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from benchmark.core.errors import UserError
from benchmark.core.provenance import fingerprint
from benchmark.core.types import OpenRow
from benchmark.models.forward import output_count
from benchmark.pipeline.agenda import Agenda, ShardSet
from benchmark.pipeline.class_order import class_order
from benchmark.pipeline.recording import Recorder
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.shard_loop import measure, refuse_unreadable

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.core.types import Model
    from benchmark.pipeline.cell import Cell
    from benchmark.pipeline.rows import Row
    from benchmark.pipeline.settings import RunSettings


@dataclass
class Scenes:
    """The scenes of an experiment, each made once: rows of one model and transform share a forward pass.

    Attributes:
        dataset: The images of every scene.
        settings: Settings of the computation.
    """

    dataset: Dataset
    settings: RunSettings
    _made: dict[str, Scene] = field(default_factory=dict, init=False)
    _models: dict[str, Model] = field(default_factory=dict, init=False)
    _outputs: dict[int, int] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        """Return the number of scenes."""
        return len(self._made)

    def __iter__(self) -> Iterator[Scene]:
        """Return the scenes in the order of their making."""
        return iter(self._made.values())

    def of(self, row: Row, *parts: object) -> Scene:
        """Return the scene of a row; its model and transform are built only if no row before had the same.

        Args:
            row: The row.
            parts: What else an image is put through, such as its method: one that is ``costly`` makes the
                shards smaller, so that a kill loses no more of the work.

        Raises:
            UserError: Whatever the making of model or transform refuses; and if the model cannot take the
                inputs, or its outputs do not fit the dataset's classes: now, not after hours of other rows.
        """
        costly = any(getattr(part, "costly", False) for part in parts)
        key = fingerprint([costly, *(row.config[name] for name in ("model", "transform"))])
        if key not in self._made:
            net = fingerprint({"model": row.config["model"]})
            self._models[net] = self._models.get(net) or row.build("model")
            scene = Scene(self.dataset, self._models[net], row.build("transform"), self.settings, costly)
            class_order(scene, self.outputs(scene.model))
            self._made[key] = scene
        return self._made[key]

    def outputs(self, model: Model) -> int:
        """Return the number of scores of a scene's model, found once for each.

        Raises:
            UserError: If it cannot take inputs of its size.
        """
        if id(model) not in self._outputs:  # which stays its own: the models are kept
            self._outputs[id(model)] = output_count(model)
        return self._outputs[id(model)]


class PlannedRow(Protocol):
    """A row that can be measured.

    Attributes:
        cells: All that it needs: its method's, and a reference's if it has one.
    """

    @property
    def cells(self) -> Sequence[Cell]: ...  # noqa: D102 - an attribute, described above


R = TypeVar("R", bound=PlannedRow)


@dataclass
class Plan(Generic[R]):
    """The plan of an experiment: what it measures.

    Attributes:
        dataset: The images of every row.
        settings: Settings of the computation.
        runs: Folder of the raw records.
        recorder: Gives what makes the records of a cell of a row.
        rows: Those that can be measured, by name.
        open: Row to the reason why it cannot be measured.
        scenes: Scenes of dataset and settings.
    """

    dataset: Dataset
    settings: RunSettings
    runs: Path
    recorder: Callable[[R, Cell], Recorder[Any, Any]]
    rows: dict[str, R] = field(default_factory=dict)
    open: dict[str, OpenRow] = field(default_factory=dict)
    scenes: Scenes = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a scene."""
        _ = self.settings.torch_device  # an unusable one is refused before anything is read
        self.scenes = Scenes(self.dataset, self.settings)

    def add(self, row: Row, planned: Callable[[Row], R]) -> None:
        """Take in a row; one that is refused stays open, with the reason."""
        try:
            self.rows[row.name] = planned(row)
        except UserError as error:
            model, method = row.config["model"]["name"], row.config["method"]["name"]
            self.open[row.name] = OpenRow(row.name, model, method, str(error))

    def refuse_nothing_to_measure(self) -> None:
        """Refuse a plan of open rows alone.

        Raises:
            UserError: With the first one's reason.
        """
        if not self.rows:
            raise UserError(next(iter(self.open.values())).reason)

    def work(self, rows: Sequence[R] | None = None) -> list[tuple[Recorder[Any, Any], list[Cell]]]:
        """Return the cells of some rows, of all of the plan by default, each once, with their recorders."""
        groups: dict[tuple[Any, ...], tuple[Recorder[Any, Any], dict[Path, Cell]]] = {}
        for row in self.rows.values() if rows is None else rows:
            for cell in row.cells:
                recorder = self.recorder(row, cell)
                groups.setdefault(recorder.key, (recorder, {}))[1][cell.folder] = cell
        return [(recorder, list(cells.values())) for recorder, cells in groups.values()]

    def measure(self, rows: Sequence[R] | None = None) -> None:
        """Make what is missing of some rows, of all of the plan by default.

        Raises:
            UserError: If images cannot be read, after all else is made; at once if a method, model and
                dataset do not fit together.
        """
        self._agenda().note(self.runs)
        unreadable: dict[str, str] = {}
        for recorder, cells in self.work(rows):
            unreadable |= measure(recorder, cells)
        refuse_unreadable(unreadable)

    def _agenda(self) -> Agenda:
        rows = {
            name: [
                ShardSet(
                    cell.folder.relative_to(self.runs).as_posix(),
                    self.recorder(row, cell).store.name,
                    tuple(len(shard) for shard in cell.scene.shards),
                )
                for cell in row.cells
            ]
            for name, row in self.rows.items()
        }
        images = f"{self.dataset.name}, {len(self.dataset.samples)} images"
        return Agenda(images, rows, {name: row.reason for name, row in self.open.items()})

    def in_order(self, found: Mapping[str, Any], order: Sequence[str]) -> tuple[Any, ...]:
        """Return what was found of each row, or the open row, in the given order."""
        return tuple({**self.open, **found}[name] for name in order)
