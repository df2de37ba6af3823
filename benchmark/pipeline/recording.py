"""What a task does in the loop over shards: the types that its part has to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from benchmark.pipeline.cell import Cell

if TYPE_CHECKING:
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.journal import Made
    from benchmark.pipeline.scene import Scene
    from benchmark.pipeline.store import ShardStore

C = TypeVar("C", bound=Cell, contravariant=True)
"""A task's cells."""
F = TypeVar("F")
"""What a task makes of one image."""
F_co = TypeVar("F_co", covariant=True)


class Pending(Protocol[F_co]):
    """Images of a shard that are still being made, by the device or from stored heatmaps.

    Attributes:
        count: Number of images.
        skipped: Images that could not be read, each with the reason.
    """

    @property
    def count(self) -> int: ...  # noqa: D102 - attributes, described above
    @property
    def skipped(self) -> Mapping[str, str]: ...  # noqa: D102

    def wait(self) -> None:
        """Wait until everything has arrived on the host."""
        ...

    def image(self, number: int) -> F_co:
        """Finish one image, once all has arrived; safe to call from several threads."""
        ...


class Restored(Pending[F_co], Protocol[F_co]):
    """Images of a shard that are made from what is stored.

    Attributes:
        by: On which device, and under which other conditions, that was made.
    """

    @property
    def by(self) -> Mapping[str, Any]: ...  # noqa: D102 - an attribute, described above


@dataclass(frozen=True)
class Shard(Generic[F]):
    """The content of one shard.

    Attributes:
        number: Number of the shard.
        images: The task's record of each image that could be read.
        skipped: Images that could not be read, each with the reason.
        made: Where and when it was made.
    """

    number: int
    images: Sequence[F]
    skipped: Mapping[str, str]
    made: Made


class Recorder(Protocol[C, F]):
    """A task's part of the loop: what it makes of the images of a scene.

    Attributes:
        scene: Images, model, transform.
        store: Store of the records.
        key: Cells of recorders with the same key share a forward pass.
    """

    @property
    def scene(self) -> Scene: ...  # noqa: D102 - attributes, described above
    @property
    def store(self) -> ShardStore: ...  # noqa: D102
    @property
    def key(self) -> tuple[Any, ...]: ...  # noqa: D102

    def start(self, cells: Sequence[C], batch: Batch) -> Pending[F]:
        """Ask the device for all that the cells need of a batch, without waiting for it.

        Raises:
            UserError: If a method, model and dataset do not fit together.
        """
        ...

    def holds(self, cell: C, number: int) -> bool:
        """Return whether what is stored beside a shard's records is there and whole; if it is not, say so."""
        ...

    def restart(self, cell: C, number: int) -> Restored[F] | None:
        """Return a shard's images as they are stored, ``None`` where a forward pass is needed."""
        ...

    def write(self, cells: Sequence[C], shard: Shard[F]) -> None:
        """Store a shard, one file a cell."""
        ...
