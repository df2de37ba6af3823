"""From stored records to a matrix's rows: thresholds chosen on held-out images, numbers from all others."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

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


class Evaluated(NamedTuple):
    """A row of the matrix, and its curve over thresholds if it has one."""

    row: Result | OpenRow
    curve: ThresholdCurve | None = None


def evaluate(cell: BoxCell, split: Split, metrics: Mapping[str, Metric], iou: float) -> Evaluated:
    """Compute the numbers of the images that are not held out; an open row where records are missing.

    Args:
        cell: Cell to evaluate.
        split: Its images.
        metrics: Metrics by name.
        iou: Least overlap of a right box of the curve, in (0, 1].
    """
    found = result(cell, {})
    if isinstance(found, OpenRow):
        return Evaluated(found)
    records = split.evaluated(_records(cell))
    if cell.row.endswith(CHOSEN):  # what the whole curve says does not depend on the chosen threshold
        records = replace(records, curve=None, grid=(), overlaps=None)
    if split.heldout:
        rest = replace(cell.scene, dataset=split.rest)
        found = replace(
            found,
            fingerprint=fingerprint({"cell": found.fingerprint, "evaluated": rest.dataset.fingerprint}),
            counts=counts(rest, records),
            conditions={**found.conditions, "dataset": conditions(rest, ())["dataset"]},
        )
    return Evaluated(replace(found, metrics=estimates(records, metrics)), curve_of(records, iou))


def choose(
    plan: Plan[BoxCell], split: Split, iou: float, make: Callable[[Mapping[str, Any]], Localizer]
) -> dict[str, BoxCell]:
    """Choose thresholds on the held-out images, and on those alone.

    There is one for each method and each family of protocols that differ in the threshold alone, under the
    first one's name. Cells without a threshold, or not measured as a whole, have none.

    Args:
        plan: Its own cells are measured.
        split: The images that are held out; without any, nothing is chosen.
        iou: Least overlap of a right box, in (0, 1].
        make: Builds a localizer from its options.

    Returns:
        Row to cell, still to be measured; a row is named as the one that it is made from, and :data:`CHOSEN`.
    """
    chosen: dict[str, BoxCell] = {}
    seen: set[tuple[Path, str]] = set()
    for cell in plan.rows.values() if split.heldout else ():
        key = cell.heatmap_folder, family(cell.config["localizer"])
        changed = None if key in seen else _best(cell, split, iou)
        if changed is not None:
            seen.add(key)
            options, changes = changed
            config = {**cell.config, "localizer": options}
            row, localizer = cell.row + CHOSEN, make(options)
            chosen[row] = box_cell(cell.scene, row, cell.method, localizer, config, plan.runs, changes)
    return chosen


def _best(cell: BoxCell, split: Split, iou: float) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Return a localizer's options and changes with the threshold at which its held-out curve is best."""
    option = threshold_option(cell.config["localizer"])
    if option is None or not all(file.exists() for file in files_of(cell, STORE)):
        return None
    curve = curve_of(split.tuning(_records(cell)), iou)
    if curve is None:
        return None
    value = option.at(curve.best)
    options = {**cell.config["localizer"], option.option: value}
    if "grid" in options:
        options["grid"] = []  # the curve is there already
    others = (change for change in cell.changes if not change.startswith(f"{option.option}="))
    return options, (*others, f"{option.option}={value} chosen on {split.name}, {curve.n} images")


def _records(cell: BoxCell) -> Records:
    return read_records(files_of(cell, STORE))
