"""From configured rows to what has to be computed: scenes, their cells, open rows and checks.

The components arrive built; this module only puts together what can share a forward pass.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset, Localizer, Method, Transform
from benchmark.core.types import Model, OpenRow
from benchmark.pipeline.address import address
from benchmark.pipeline.cell import Cell, Recipe, Scene
from benchmark.pipeline.explain import refuse_top_k
from benchmark.pipeline.scenes import Scenes
from benchmark.pipeline.settings import RunSettings

_LONGEST_STEM = 120


@dataclass(frozen=True)
class RowParts:
    """A row's components, and the plain configuration that they were built from.

    ``model`` is called only where no row before had the same one; ``changes`` are options of the localizer
    that differ from what its name stands for, as ``threshold=0.25``.
    """

    row: str
    config: Mapping[str, Any]
    changes: tuple[str, ...]
    model: Callable[[], Model]
    transform: Callable[[], Transform]
    method: Callable[[], Method]
    localizer: Callable[[], Localizer]


@dataclass(frozen=True)
class Twins:
    """Two rows whose boxes must be equal, the second one's boxes made by the first one's localizer."""

    first: Cell
    second: Cell
    scene: Scene


@dataclass
class Plan:
    """What an experiment computes.

    Attributes:
        dataset: The images of every row.
        settings: How they are computed.
        runs: Where raw records go.
        scenes: Of dataset and settings.
        cells: Row to scene and cell.
        open: Row to the reason why it cannot be measured.
        twins: Asserted when they are done.
    """

    dataset: Dataset
    settings: RunSettings
    runs: Path
    scenes: Scenes = field(init=False)
    cells: dict[str, tuple[Scene, Cell]] = field(default_factory=dict)
    open: dict[str, OpenRow] = field(default_factory=dict)
    twins: list[Twins] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Without a scene yet."""
        self.scenes = Scenes(self.dataset, self.settings)

    def add(self, parts: RowParts) -> None:
        """Take in a row; one that cannot be measured is open, and says why."""
        try:
            method, localizer = parts.method(), parts.localizer()  # before the costly model: they may refuse
            scene = self.scenes.of(parts.config, parts.model, parts.transform)
            refuse_top_k(self.settings.top_k, scene.model, self.scenes.outputs(scene.model))
            method.check(scene.model)
        except UserError as error:
            model, name = parts.config["model"]["name"], parts.config["method"]["name"]
            self.open[parts.row] = OpenRow(parts.row, model, name, str(error))
            return
        cell = address(scene, Recipe(parts.row, method, localizer, parts.changes, parts.config), self.runs)
        self.cells[parts.row] = (scene, cell)

    def add_twins(self, first: str, second: str) -> None:
        """Have the boxes of two rows compared; nothing is compared where one of them is open.

        Raises:
            UserError: If a name is not a row.
        """
        for row in (first, second):
            if row not in self.cells and row not in self.open:
                raise UserError(f"table.same_boxes: {row} is not a row of this table")
        if first in self.open or second in self.open:
            return
        scene, pattern = self.cells[second]
        wanted = self.cells[first][1]
        config = {**pattern.recipe.config, "localizer": wanted.recipe.config["localizer"]}
        twin = address(
            scene, replace(wanted.recipe, row=second, method=pattern.recipe.method, config=config), self.runs
        )
        self.twins.append(Twins(wanted, twin, scene))

    def work(self) -> list[tuple[Scene, list[Cell]]]:
        """Each scene with its cells, every cell once."""
        cells = [*self.cells.values(), *((twins.scene, twins.second) for twins in self.twins)]
        return [
            (scene, list({cell.folder: cell for owner, cell in cells if owner is scene}.values()))
            for scene in self.scenes
        ]


def label(dataset: Dataset) -> str:
    """The name of a dataset's results: only the whole official set goes by its bare name."""
    if dataset.complete:
        return dataset.name
    return f"{dataset.name}-{len(dataset.samples)}-{dataset.fingerprint[:8]}"


def stem(name: str, variation: Sequence[str]) -> str:
    """The name of a table's files: the experiment's, and what the user changed in it.

    It holds only what file systems and Hydra's command line take without quotes. A long one is cut, and ends
    in a hash of the whole: a file's name has room for 255 bytes, suffixes such as ``-curves.csv`` among them.
    """
    safe = ("".join(c if c.isalnum() or c in "._-" else "-" for c in change) for change in variation)
    whole = "+".join([name, *safe]).encode()
    if len(whole) <= _LONGEST_STEM:
        return whole.decode()
    return f"{whole[:_LONGEST_STEM].decode(errors='ignore')}-{hashlib.sha256(whole).hexdigest()[:8]}"
