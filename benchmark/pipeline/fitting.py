"""Give a device no more images at once than its memory holds."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import torch

from benchmark.core.errors import UserError

if TYPE_CHECKING:
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.scene import Scene

P = TypeVar("P")


@dataclass
class Fitting:
    """The number of images of a forward pass, which is halved whenever they do not fit.

    Attributes:
        scene: Its run options have the number to begin with.
        size: The number.
    """

    scene: Scene
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = self.scene.settings.batch_size

    def started(
        self, batch: Batch, start: Callable[[Batch], P], release: Callable[[], None]
    ) -> Iterator[tuple[Batch, P | None]]:
        """Start a batch, in as many parts as it takes, and say so once it takes more of them.

        Args:
            batch: Images of one shard, perhaps none.
            start: Asks the device for all that is wanted of some images.
            release: Finishes what was asked for before, so that its memory is free.

        Yields:
            Each part with what was started; ``None`` where there is no image.

        Raises:
            UserError: If one image alone does not fit.
        """
        waiting = deque(batch.parts(self.size))
        while waiting:
            part = waiting[0]
            pending = self._tried(part, start) if part.samples else None
            if part.samples and pending is None:
                release()
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                waiting = deque(smaller for each in waiting for smaller in each.parts(self.size))
            else:
                yield waiting.popleft(), pending

    def _tried(self, part: Batch, start: Callable[[Batch], P]) -> P | None:
        """Start a part; ``None`` if it does not fit, by when nothing holds on to what was made of it."""
        count = len(part.samples)
        try:
            return start(part)
        except torch.OutOfMemoryError:
            if count == 1:
                remedy = "measure fewer methods at once, or choose another run.device or a smaller model"
                raise UserError(
                    f"{self.scene.model.name}: one image does not fit into the device's memory; {remedy}"
                ) from None
        self.size = (count + 1) // 2
        said = f"{self.scene.model.name}: {count} images do not fit into the device's memory"
        print(f"{said}; the run goes on with {self.size} at once (run.batch_size)", file=sys.stderr)
        return None
