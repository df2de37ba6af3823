"""The files of one method for one scene and task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.core.provenance import fingerprint

if TYPE_CHECKING:
    from benchmark.core.protocols import Method
    from benchmark.pipeline.scene import Scene


@dataclass(frozen=True)
class ShardKey:
    """What a shard is, whatever is in it.

    Attributes:
        folder: Folder of all shards of its cell.
        run: sha256 of everything that can change a number in it, but its image files.
        number: Number of the shard.
        images: Identifiers of its images, each with the size of its file in bytes.
    """

    folder: Path
    run: str
    number: int
    images: Mapping[str, int | None]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One method on a scene, with the folders of its heatmaps and of a task's records.

    Attributes:
        scene: Images, model, transform.
        method: Makes the heatmaps.
        heatmap_folder: Holds the shards of heatmaps; shared by cells that differ in the task's part alone.
        folder: Holds the shards of records.
        run: sha256 of everything that can change a record of this cell, but the image files: each shard keeps
            the sizes of its own.
    """

    scene: Scene
    method: Method
    heatmap_folder: Path
    folder: Path
    run: str

    @property
    def fingerprint(self) -> str:
        """Return the sha256 of everything that can change a record of this cell."""
        return fingerprint({"run": self.run, "dataset": self.scene.dataset.fingerprint})

    def shard(self, number: int) -> ShardKey:
        """Return what a shard of the cell's records is."""
        return ShardKey(self.folder, self.run, number, self.scene.images(number))
