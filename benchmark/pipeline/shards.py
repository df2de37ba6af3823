"""Which shards are still to be made, and by whom: the same for boxes and for pairs."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from benchmark.core.progress import Counter
from benchmark.pipeline.cell import Scene


class _Stored(Protocol):
    @property
    def folder(self) -> Path: ...


_C = TypeVar("_C", bound=_Stored)


def missing(scene: Scene, cells: Sequence[_C], file: Callable[[Path, int], Path]) -> dict[int, list[_C]]:
    """Of this worker's shards those that lack a file, each with the cells that lack it.

    Args:
        scene: Whose shards, and which worker of how many.
        cells: Each with a folder.
        file: From a cell's folder and a shard's number to the file.
    """
    mine = range(scene.settings.worker, len(scene.shards), scene.settings.workers)
    wanted = {n: [cell for cell in cells if not file(cell.folder, n).exists()] for n in mine}
    return {number: lacking for number, lacking in wanted.items() if lacking}


def counter_of(scene: Scene, lacking: Mapping[int, object]) -> Counter:
    """Of this worker's images, those of the shards that are there already done."""
    mine = range(scene.settings.worker, len(scene.shards), scene.settings.workers)
    total = sum(len(scene.shards[number]) for number in mine)
    return Counter(scene.model.name, total, total - sum(len(scene.shards[number]) for number in lacking))
