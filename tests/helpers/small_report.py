"""A finished table of three rows on ten images, as a run leaves it on disk."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmark.core.protocols import Metric
from benchmark.core.types import Estimate, Records, Result
from benchmark.localizers.max_box import MaxBox
from benchmark.metrics.classification import Classification
from benchmark.metrics.gt_known import GtKnown
from benchmark.metrics.localization import Localization
from benchmark.pipeline.results import files_of
from benchmark.reporting.archive import Archived, write_table
from benchmark.reporting.table import DatasetNote, Table
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.locate import collect, locate, slots
from benchmark.tasks.boxes.records import STORE
from benchmark.tasks.boxes.result import estimates, result
from helpers import small_scenes
from helpers.small_scenes import Folder
from helpers.stored_tables import target

ROWS = (("grad_cam", "max_box"), ("cam", "strict"), ("backprop", "grabcut"))
METRICS: dict[str, Metric] = {
    "classification": Classification(),
    "localization": Localization(),
    "gt_known": GtKnown(),
}


class SmallReport(NamedTuple):
    """What a test holds a page against.

    Attributes:
        archive: The table's json.
        dataset: Its images.
        records: Row to its records.
        at_half: Row to what its metrics say of boxes that its localizer makes at a threshold of 0.5.
    """

    archive: Path
    dataset: Folder
    records: dict[str, Records]
    at_half: dict[str, dict[str, Estimate]]


def small_report(folder: Path) -> SmallReport:
    """Measure the rows below a folder, and write their table."""
    images = folder / "images"
    images.mkdir()
    on = small_scenes.scene(images)
    assert isinstance(on.dataset, Folder)
    cells = [small_scenes.cell(on, folder / "runs", *row) for row in ROWS]
    small_scenes.made(on, cells)
    note = DatasetNote(on.dataset.name, len(on.dataset.samples), False, on.dataset.fingerprint)
    nodes = {name: {"_target_": target(metric), **vars(metric)} for name, metric in METRICS.items()}
    measured = [row for row in (result(cell, METRICS) for cell in cells) if isinstance(row, Result)]
    rows = tuple(replace(row, config={**row.config, "metric": nodes}) for row in measured)
    places = {c.row: STORE.merge(files_of(c, STORE)).relative_to(folder).as_posix() for c in cells}
    archive = write_table(folder / "folder", Archived(Table("small", "Small", note, rows), None, places))
    half = {
        cell.row: estimates(_at(cell, on.dataset, 0.5), METRICS)
        for cell in cells
        if isinstance(cell.localizer, MaxBox)
    }
    return SmallReport(archive, on.dataset, {c.row: small_scenes.records(c) for c in cells}, half)


def _at(cell: BoxCell, dataset: Folder, threshold: float) -> Records:
    """Make the boxes of a cell's stored heatmaps again, as a localizer with this threshold does."""
    from benchmark.pipeline.heatmap_store import heatmap_file, read_heatmaps

    located = []
    for number in range(len(cell.scene.shards)):
        heatmaps = read_heatmaps(heatmap_file(cell.heatmap_folder, number))
        samples = {sample.image_id: sample for sample in dataset.samples}
        located += [
            locate(MaxBox("other", 1, threshold, grid=()), samples[image_id], slots(heatmaps, place))
            for place, image_id in enumerate(heatmaps.image_ids)
        ]
    return collect(located, (), {})
