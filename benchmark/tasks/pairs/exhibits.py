"""The maps that a run of pairs keeps for its picture sheet: of a few images, whatever their size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from benchmark.pipeline.exhibits import Exhibit, chosen, exhibit

if TYPE_CHECKING:
    from benchmark.core.types import FloatArray, ForwardPass, Model, Sample
    from benchmark.pipeline.scene import Scene
    from benchmark.tasks.pairs.protocols import ClassPolicy
    from benchmark.tasks.pairs.types import Asked, Pair

EXHIBIT = "exhibit"
"""The name of the reading and of its column."""


@runtime_checkable
class Coloured(Protocol):
    """A method that also offers its map in colours, before they are combined to one number a pixel."""

    def products(self, model: Model, forward: ForwardPass, classes: Tensor) -> Iterator[Tensor]:
        """Yield signed maps ``[N, 3, S, S]`` of each class, in the channel order of the network's input."""
        ...


def exhibited(scene: Scene, policy: ClassPolicy) -> list[Sample]:
    """Choose the images whose maps are kept, of those with a pair whatever the network says."""
    outputs = np.arange(len(scene.dataset.classes), dtype=np.int32)
    scores = torch.zeros(1, len(outputs))
    return chosen(scene.dataset.samples, fits=lambda one: bool((policy([one], outputs, scores) >= 0).any()))


@dataclass(frozen=True)
class ExhibitReading:
    """The map itself, of some images alone, in colours where its method has them.

    Beside the readings that were chosen, and not stored among their columns.

    Attributes:
        images: Identifiers of those images.
        name: Name of its column.
        version: Version of its code.
    """

    images: frozenset[str]
    name: str = field(default=EXHIBIT, init=False)
    version: int = field(default=1, init=False)

    def check(self, model: Model) -> None:
        """Accept every model."""

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Make maps ``[N, K, C, h, w]``: C is 3, RGB, where the method has colours, else 1."""
        if not isinstance(asked.method, Coloured):
            return {EXHIBIT: asked.maps[:, :, None]}
        products = torch.stack(list(asked.method.products(asked.model, asked.forward, asked.classes)), 1)
        return {EXHIBIT: products.flip(2) if asked.model.input.order == "bgr" else products}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Exhibit]:
        """Make what is kept of one pair's map."""
        wanted = pair.sample.image_id in self.images
        return {EXHIBIT: exhibit(values[EXHIBIT], pair.view)} if wanted else {}
