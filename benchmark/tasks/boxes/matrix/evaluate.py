"""From stored records to a matrix's rows: thresholds chosen on held-out images, numbers from all others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.core.protocols import Localizer, Metric
from benchmark.core.provenance import fingerprint
from benchmark.core.types import OpenRow, Records, Result
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.results import conditions, files_of
from benchmark.tasks.boxes.cell import BoxCell, box_cell
from benchmark.tasks.boxes.matrix.split import Split
from benchmark.tasks.boxes.matrix.threshold import ThresholdCurve, curve_of, family, threshold_option
from benchmark.tasks.boxes.records import STORE, read_records
from benchmark.tasks.boxes.result import counts, estimates, result

CHOSEN = "+heldout"
"""What the name of a row ends in whose threshold was chosen: ``grad_cam/gradcam_15+heldout``."""


@dataclass(frozen=True)
class Evaluated:
    """A row of the matrix, and its curve over thresholds if it has one."""

    row: Result | OpenRow
    curve: ThresholdCurve | None = None


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

    def __call__(self, cell: BoxCell) -> Evaluated:
        """Compute what a cell's records say, or tell that some are not made yet."""
        found = result(cell, {})
        if isinstance(found, OpenRow):
            return Evaluated(found)
        records = self.split.evaluated(_records(cell))
        if cell.row.endswith(CHOSEN):  # what the whole curve says does not depend on the chosen threshold
            records = replace(records, curve=None, grid=())
        if self.split.heldout:
            rest = replace(cell.scene, dataset=self.split.rest)
            found = replace(
                found,
                fingerprint=fingerprint({"cell": found.fingerprint, "evaluated": rest.dataset.fingerprint}),
                counts=counts(rest, records),
                conditions={**found.conditions, "dataset": conditions(rest, ())["dataset"]},
            )
        numbers = estimates(records, self.metrics)
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

    def __call__(self, plan: Plan[BoxCell]) -> dict[str, BoxCell]:
        """Make the cells with the best thresholds, still to be measured, from a plan whose own are measured.

        There is one for each method and each family of protocols that differ in the threshold alone, under
        the first one's name. Cells without a threshold, or not measured as a whole, have none.

        Returns:
            Row to cell; a row is named as the one that it is made from, and :data:`CHOSEN`.
        """
        chosen: dict[str, BoxCell] = {}
        seen: set[tuple[Path, str]] = set()
        for cell in plan.rows.values() if self.split.heldout else ():
            key = cell.heatmap_folder, family(cell.config["localizer"])
            if key not in seen and (best := self._best(cell, plan.runs)) is not None:
                seen.add(key)
                chosen[best.row] = best
        return chosen

    def _best(self, cell: BoxCell, runs: Path) -> BoxCell | None:
        """Return the cell with the threshold at which its held-out curve is best."""
        option = threshold_option(cell.config["localizer"])
        if option is None or not all(file.exists() for file in files_of(cell, STORE)):
            return None
        curve = curve_of(self.split.tuning(_records(cell)), self.iou)
        if curve is None:
            return None
        value = option.at(curve.best)
        options = {**cell.config["localizer"], option.option: value}
        if "grid" in options:
            options["grid"] = []  # the curve is there already
        others = [change for change in cell.changes if not change.startswith(f"{option.option}=")]
        return box_cell(
            cell.scene,
            cell.row + CHOSEN,
            cell.method,
            self.make(options),
            {**cell.config, "localizer": options},
            runs,
            (*others, f"{option.option}={value} chosen on {self.split.name}, {curve.n} images"),
        )


def _records(cell: BoxCell) -> Records:
    return read_records(files_of(cell, STORE))
