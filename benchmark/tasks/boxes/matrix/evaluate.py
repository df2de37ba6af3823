"""From stored records to a matrix's rows: thresholds chosen on held-out images, numbers from all others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.core.protocols import Localizer, Metric
from benchmark.core.provenance import fingerprint
from benchmark.core.types import OpenRow, Records, Result
from benchmark.pipeline.address import address
from benchmark.pipeline.cell import Cell, Recipe, Scene
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.results import conditions, counts, measure, result
from benchmark.pipeline.store import read_records, record_file
from benchmark.tasks.boxes.matrix.curve import Curve, curve_of
from benchmark.tasks.boxes.matrix.split import Split
from benchmark.tasks.boxes.matrix.threshold_option import family, knob_of

CHOSEN = "+heldout"
"""What the name of a row ends in whose threshold was chosen: ``grad_cam/gradcam_15+heldout``."""


@dataclass(frozen=True)
class Evaluated:
    """A row of the matrix, and its curve over thresholds if it has one."""

    row: Result | OpenRow
    curve: Curve | None = None


@dataclass(frozen=True)
class Evaluator:
    """Numbers of the images that are evaluated.

    Attributes:
        split: Which they are.
        metrics: By name.
        iou: Least overlap of a right box of the curve, in (0, 1].
    """

    split: Split
    metrics: Mapping[str, Metric]
    iou: float

    def __call__(self, scene: Scene, cell: Cell) -> Evaluated:
        """What a cell's records say, or that some are not made yet."""
        found = result(scene, cell, {})
        if isinstance(found, OpenRow):
            return Evaluated(found)
        records = self.split.evaluated(_records(scene, cell))
        if cell.row.endswith(CHOSEN):  # what the whole curve says does not depend on the chosen threshold
            records = replace(records, curve=None, grid=())
        if self.split.heldout:
            rest = replace(scene, dataset=self.split.rest)
            found = replace(
                found,
                fingerprint=fingerprint({"cell": found.fingerprint, "evaluated": rest.dataset.fingerprint}),
                counts=counts(rest, records),
                conditions={**found.conditions, "dataset": conditions(rest, ())["dataset"]},
            )
        numbers = measure(records, self.metrics)
        return Evaluated(replace(found, metrics=numbers), curve_of(records, self.iou))


@dataclass(frozen=True)
class Chooser:
    """Chooses thresholds on the held-out images, and on those alone.

    Attributes:
        split: Which images are held out; without any, nothing is chosen.
        iou: Least overlap of a right box, in (0, 1].
        make: Builds a localizer from its options.
    """

    split: Split
    iou: float
    make: Callable[[Mapping[str, Any]], Localizer]

    def __call__(self, plan: Plan) -> dict[str, tuple[Scene, Cell]]:
        """The cells with the best thresholds, still to be measured, from a plan whose own are measured.

        There is one for each method and each family of protocols that differ in the threshold alone, under
        the first one's name. Cells without a threshold, or not measured as a whole, have none.

        Returns:
            Row to scene and cell; a row is named as the one that it is made from, and :data:`CHOSEN`.
        """
        chosen: dict[str, tuple[Scene, Cell]] = {}
        seen: set[tuple[Path, str]] = set()
        for scene, cell in plan.cells.values() if self.split.heldout else ():
            key = cell.heatmap_folder, family(cell.recipe.config["localizer"])
            if key not in seen and (recipe := self._best(scene, cell)) is not None:
                seen.add(key)
                chosen[recipe.row] = scene, address(scene, recipe, plan.runs)
        return chosen

    def _best(self, scene: Scene, cell: Cell) -> Recipe | None:
        """The cell's recipe with the threshold at which its held-out curve is best."""
        recipe = cell.recipe
        knob = knob_of(recipe.config["localizer"])
        if knob is None or not _complete(scene, cell):
            return None
        curve = curve_of(self.split.tuning(_records(scene, cell)), self.iou)
        if curve is None:
            return None
        value = knob.at(curve.best)
        options = {**recipe.config["localizer"], knob.option: value}
        if "grid" in options:
            options["grid"] = []  # the curve is there already
        others = [change for change in recipe.changes if not change.startswith(f"{knob.option}=")]
        return replace(
            recipe,
            row=recipe.row + CHOSEN,
            localizer=self.make(options),
            changes=(*others, f"{knob.option}={value} chosen on {self.split.name}, {curve.n} images"),
            config={**recipe.config, "localizer": options},
        )


def _complete(scene: Scene, cell: Cell) -> bool:
    return all(record_file(cell.folder, number).exists() for number in range(len(scene.shards)))


def _records(scene: Scene, cell: Cell) -> Records:
    return read_records([record_file(cell.folder, number) for number in range(len(scene.shards))])
