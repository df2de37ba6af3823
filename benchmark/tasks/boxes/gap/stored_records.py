"""Read the records of a cell that were stored by an earlier run."""

from benchmark.core.types import Records
from benchmark.pipeline.heatmap_store import heatmap_file
from benchmark.pipeline.results import files_of
from benchmark.pipeline.shard_loop import measure
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.recorder import BoxRecorder
from benchmark.tasks.boxes.records import STORE, read_records


def records_of(cell: BoxCell) -> Records | None:
    """Return a cell's records, made from its stored heatmaps where only those are there; else ``None``."""
    files = files_of(cell, STORE)
    absent = [number for number, file in enumerate(files) if not file.exists()]
    if not all(heatmap_file(cell.heatmap_folder, number).exists() for number in absent):
        return None
    if absent:
        measure(BoxRecorder(cell.scene), [cell])
    return read_records(files)
