"""What a cell's stored shards can answer, without a model's forward pass."""

from benchmark.core.types import Records
from benchmark.pipeline.cell import Cell, Scene
from benchmark.pipeline.run import measure
from benchmark.pipeline.store import heatmap_file, read_records, record_file


def records_of(scene: Scene, cell: Cell) -> Records | None:
    """A cell's records, made from its stored heatmaps where only those are there; else ``None``."""
    shards = range(len(scene.shards))
    files = [record_file(cell.folder, number) for number in shards]
    absent = [number for number in shards if not files[number].exists()]
    if not all(heatmap_file(cell.heatmap_folder, number).exists() for number in absent):
        return None
    if absent:
        measure(scene, [cell])
    return read_records(files)
