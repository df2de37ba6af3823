"""Store the maps of a layer's units, image by image: NetDissect's first pass, of which thresholds are made.

Columns: ``image_id``; ``view`` (width and height of the image, then the region that the network saw: x0, y0,
x1, y1); ``map``, float32, one unit after the other, row by row. Metadata: ``shape``, units, rows, columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from benchmark.attribution.common.class_activation import feature_maps
from benchmark.core.device import sent_by, to_host
from benchmark.core.errors import UserError
from benchmark.core.types import Box, FloatArray, View
from benchmark.pipeline.explain import forwarded
from benchmark.pipeline.store import Shards, ShardStore, flat

if TYPE_CHECKING:
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.cell import Cell
    from benchmark.pipeline.recording import Shard
    from benchmark.pipeline.scene import Scene

STORE = ShardStore("units", ("shape",))


class UnitMaps(NamedTuple):
    """The maps ``[C, h, w]`` of one image for each cell, and the region that they cover."""

    image_id: str
    view: View
    maps: Sequence[FloatArray]


@dataclass(frozen=True)
class PendingMaps:
    """A batch's maps ``[N, C, h, w]`` on their way to the host, one for each cell."""

    batch: Batch
    maps: Sequence[Tensor]
    ready: torch.cuda.Event | None
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return the number of images."""
        return len(self.batch.samples)

    def wait(self) -> None:
        """Wait until everything has arrived on the host."""
        if self.ready is not None:
            self.ready.synchronize()

    def image(self, number: int) -> UnitMaps:
        """Return one image's maps.

        Raises:
            UserError: If one holds NaN or infinity.
        """
        image_id, maps = self.batch.samples[number].image_id, [one[number].numpy() for one in self.maps]
        if not all(np.isfinite(one).all() for one in maps):
            raise UserError(
                f"image {image_id}: NaN or infinity in the maps; use run.precision=float32, check the weights"
            )
        return UnitMaps(image_id, self.batch.views[number], maps)


@dataclass(frozen=True)
class UnitRecorder:
    """Stores the maps of one scene's layers: a :class:`benchmark.pipeline.recording.Recorder`."""

    scene: Scene
    store = STORE

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what cells share that share a forward pass: their scene."""
        return (id(self.scene),)

    def start(self, cells: Sequence[Cell], batch: Batch) -> PendingMaps:
        """Ask the device for the maps of each cell's layer, without waiting for it."""
        methods = [cell.method for cell in cells]
        with torch.no_grad(), forwarded(self.scene, methods, batch.inputs, batch.samples) as forward:
            layers = [method.layers[0] for method in methods]
            maps = [feature_maps(self.scene.model, forward, layer).detach().float() for layer in layers]
            host = [to_host(one) for one in maps]
        return PendingMaps(batch, host, sent_by(self.scene.settings.torch_device))

    def holds(self, cell: Cell, number: int) -> bool:
        """Return true: nothing is stored beside the maps."""
        return True

    def restart(self, cell: Cell, number: int) -> None:
        """Return ``None``: maps need a forward pass."""

    def write(self, cells: Sequence[Cell], shard: Shard[UnitMaps]) -> None:
        """Store a shard, one file a cell."""
        views = [[one.view.width, one.view.height, *one.view.region] for one in shard.images]
        for place, cell in enumerate(cells):
            maps = [image.maps[place] for image in shard.images]
            columns = {
                "image_id": pa.array([image.image_id for image in shard.images], pa.string()),
                "view": pa.array(views, pa.list_(pa.int32())),
                "map": pa.array([one.reshape(-1) for one in maps], pa.list_(pa.float32())),
            }
            metadata = {"done": len(maps), "skipped": dict(shard.skipped)}
            shape = list(maps[0].shape) if maps else []
            STORE.write(cell.shard(shard.number), columns, {**metadata, "shape": shape}, shard.made)


@dataclass(frozen=True)
class StoredMaps:
    """All stored maps of a cell.

    Attributes:
        image_ids: ``[n]``.
        views: ``[n]`` what the network saw of each.
        maps: ``[n, C, h, w]``.
    """

    image_ids: tuple[str, ...]
    views: tuple[View, ...]
    maps: FloatArray


def maps_in(shards: Shards) -> StoredMaps:
    """Return what some shards hold."""
    table = shards.table
    views = flat(table, "view", np.int32).reshape(-1, 6).tolist()
    return StoredMaps(
        tuple(table["image_id"].to_pylist()),
        tuple(View(wide, high, Box(*region)) for wide, high, *region in views),
        flat(table, "map", np.float32).reshape(len(table), *shards.metadata["shape"]),
    )
