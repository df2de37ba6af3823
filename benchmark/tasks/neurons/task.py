"""Name the units of a layer by the concepts that they segment: ``experiment=neurons``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from benchmark.attribution.common.class_activation import feature_maps
from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Fraction, Natural
from benchmark.core.protocols import SeveralViews
from benchmark.core.types import OpenRow
from benchmark.pipeline.address import address
from benchmark.pipeline.cell import Cell
from benchmark.pipeline.names import file_name, label
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.results import files_of, unfinished
from benchmark.pipeline.scene import Scene
from benchmark.reporting.neuron_names import write_names
from benchmark.tasks.neurons.dissect import count, named, thresholds
from benchmark.tasks.neurons.pictures import unit_sheet
from benchmark.tasks.neurons.recorder import STORE, PendingMaps, UnitRecorder, maps_in
from benchmark.tasks.neurons.result import Dissected, Units, result
from benchmark.tasks.task import Experiment, Outcome, refuse_options_of_boxes

if TYPE_CHECKING:
    from benchmark.pipeline.rows import Row
    from benchmark.tasks.neurons.types import Concepts

GROUPS = ("dataset", "transform", "model", "method", "concepts", "run")


@dataclass(frozen=True)
class NeuronRow:
    """A row that can be measured: the units of one layer of a model."""

    row: Row
    cell: Cell

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Return all that the row needs."""
        return (self.cell,)


@dataclass(frozen=True)
class Dissection(Checked, group="task"):
    """The task ``neurons``.

    Attributes:
        quantile: Share of a unit's cells, over all images, that are not active.
        least: A unit bears the name of its best concept where their IoU is greater.
        side: Pixels are counted on so many cells along a side, over the region that the network sees.
        resamples: Of the images, for the 95 % intervals; thresholds stay those of all images.
        seed: Of the draws.
    """

    quantile: Annotated[float, "(0, 1)"] = 0.995
    least: Fraction = 0.05
    side: Count = 112
    resamples: Count = 1000
    seed: Natural = 0

    def check(self, words: Sequence[str]) -> None:
        """Refuse options of boxes: this task draws none."""
        refuse_options_of_boxes(words)

    def run(self, experiment: Experiment) -> Outcome:
        """Measure what is missing, and make the table from what is stored."""
        concepts = _concepts(experiment.rows)
        experiment, bare = _with_masks(experiment, concepts)
        plan: Plan[NeuronRow] = Plan(
            experiment.dataset, experiment.settings, experiment.runs, lambda _, cell: UnitRecorder(cell.scene)
        )
        for row in experiment.rows:
            plan.add(row, partial(_planned, plan=plan))
        plan.refuse_nothing_to_measure()
        plan.measure()
        folder = experiment.results / label(experiment.dataset) / f"{experiment.name}-names"
        found: dict[str, Dissected | OpenRow] = {
            name: self._dissected(row, concepts, bare) for name, row in plan.rows.items()
        }
        done = {name: one for name, one in found.items() if isinstance(one, Dissected)}
        records: dict[str, Path] = {}
        for name, one in done.items():
            records[name] = folder / f"{file_name(name)}.csv"
            write_names(records[name], one.units.names)
        rows = {name: one.result if isinstance(one, Dissected) else one for name, one in found.items()}
        table = experiment.tabulated(plan.in_order(rows, [row.name for row in experiment.rows]))

        def beside(path: Path) -> list[Path]:
            sheet = partial(unit_sheet, table=table, done=done, least=self.least, count=experiment.pictures)
            return [*records.values(), *sheet(path)]

        return Outcome(table, experiment.dataset, records, beside)

    def _dissected(self, row: NeuronRow, concepts: Concepts, bare: int) -> Dissected | OpenRow:
        """Count a row's stored maps against the concepts, or say how many of its shards are missing."""
        missing = unfinished(row.row.name, row.cells, STORE)
        if missing is not None:
            return missing
        shards, scene = STORE.read(files_of(row.cell, STORE)), row.cell.scene
        stored = maps_in(shards)
        samples = {sample.image_id: sample for sample in scene.dataset.samples}
        seen = [samples[image_id] for image_id in stored.image_ids]
        masks = (concepts.masks(*one, self.side) for one in zip(seen, stored.views, strict=True))
        limits = thresholds(stored.maps, self.quantile)
        counts = count(stored.maps, limits, masks, concepts.concepts, self.side)
        layer = row.cell.method.layers[0]
        origin = {
            "model": scene.model.name,
            "layer": scene.model.layers.get(layer, layer),
            "weights": scene.model.weights.sha256,
        }
        names = named(counts, limits, origin)
        numbers = {"expected": len(samples), "done": shards.metadata["done"], "without_masks": bare}
        numbers["skipped"] = len(shards.metadata["skipped"]) + len(scene.dataset.skipped)
        return result(
            row.row.name,
            row.cell,
            Units(names, counts, limits, stored, seen),
            options={**vars(self), "concepts": f"{concepts.name} v{concepts.version}"},
            counted=numbers,
            config=row.row.numeric(GROUPS),
            made=shards.made,
        )


def _concepts(rows: Sequence[Row]) -> Concepts:
    """Make the concepts, which all rows share.

    Raises:
        UserError: If a row has others than the first, or there are none.
    """
    for row in rows:
        if row.config.get("concepts") != rows[0].config.get("concepts"):
            raise UserError(f"{row.name}: all rows of a table share concepts; choose them outside the rows")
    made: Concepts | None = rows[0].build("concepts")
    if made is None:
        raise UserError("concepts: none is chosen; choose one (--help shows them)")
    return made


def _with_masks(experiment: Experiment, concepts: Concepts) -> tuple[Experiment, int]:
    """Leave out images without masks; return the experiment with the others, and the number of those.

    Raises:
        UserError: If no image has masks.
    """
    dataset: Any = experiment.dataset
    samples = tuple(sample for sample in dataset.samples if concepts.covers(sample))
    bare = len(dataset.samples) - len(samples)
    if not (samples and concepts.concepts):  # which are read before anything is measured
        raise UserError(
            f"concepts={concepts.name}: not one image of {dataset.name} has masks; choose the concepts of "
            "these images (--help shows them), their concepts.folder=, or other images with dataset="
        )
    return (replace(experiment, dataset=replace(dataset, samples=samples)) if bare else experiment), bare


def _planned(row: Row, plan: Plan[NeuronRow]) -> NeuronRow:
    # Not plan.scenes, which matches classes: units are named whatever the network's outputs are.
    method, model, transform = (row.build(part) for part in ("method", "model", "transform"))
    scene = Scene(plan.dataset, model, transform, plan.settings)
    if isinstance(transform, SeveralViews):
        raise UserError(
            f"transform={scene.transform.name}: units are named in one view; choose transform=warp"
        )
    if len(method.layers) != 1 or method.layers[0] == "input":
        raise UserError(
            f"method={method.name}: reads no layer whose units have names; choose method=grad_cam"
        )
    method.check(model)
    config = row.numeric(GROUPS)
    place = address(
        scene, method, config, plan.runs, name="units", options={}, code=[feature_maps, PendingMaps]
    )
    return NeuronRow(row, Cell(scene=scene, method=method, **place._asdict()))
