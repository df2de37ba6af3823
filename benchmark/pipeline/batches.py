"""Read the images of a scene, a few batches ahead of their use."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.protocols import SeveralViews
from benchmark.core.stages import stage
from benchmark.datasets.images import UnreadableImage, read_sample
from benchmark.transforms.normalize import to_input

if TYPE_CHECKING:
    from benchmark.core.types import Sample, View
    from benchmark.pipeline.scene import Scene

_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class Batch:
    """Images of one shard, read and resampled.

    Attributes:
        samples: Those that could be read.
        inputs: ``[N, 3, S, S]`` on the CPU; ``[N, V, 3, S, S]`` where each image is seen V times.
        views: The region of its image that each input shows.
        skipped: Those that could not be read, each with the reason.
    """

    samples: tuple[Sample, ...]
    inputs: Tensor
    views: tuple[View, ...]
    skipped: dict[str, str]

    def parts(self, size: int) -> Iterator[Batch]:
        """Yield batches of at most ``size`` images; one alone has the skipped ones."""
        for start in range(0, max(len(self.samples), 1), size):
            part, skipped = slice(start, start + size), {} if start else self.skipped
            yield Batch(self.samples[part], self.inputs[part], self.views[part], skipped)


def read_batches(scene: Scene, groups: Iterable[Sequence[Sample]], pool: Executor) -> Iterator[Batch]:
    """Decode and resample images on threads, a few batches ahead of their use.

    Raises:
        UserError: If an image cannot be read and ``run.unreadable`` is ``error``.
    """
    waiting: deque[tuple[Sequence[Sample], list[Future[tuple[Tensor, View] | str]]]] = deque()
    for samples in groups:
        waiting.append((samples, [pool.submit(_read, scene, sample) for sample in samples]))
        if len(waiting) > _BATCHES_AHEAD:
            yield _collate(scene, *waiting.popleft())
    while waiting:
        yield _collate(scene, *waiting.popleft())


def _read(scene: Scene, sample: Sample) -> tuple[Tensor, View] | str:
    with stage(scene.model.name):
        try:
            with stage("decode"):
                image = read_sample(sample)
        except UnreadableImage as error:
            return str(error)
        with stage("transform"):
            pixels, view = scene.transform(image, scene.model.input.size)
            cut = scene.transform.cut if isinstance(scene.transform, SeveralViews) else None
            return to_input(pixels, scene.model.input, cut), view


def _collate(
    scene: Scene, samples: Sequence[Sample], futures: Sequence[Future[tuple[Tensor, View] | str]]
) -> Batch:
    read = [(sample, future.result()) for sample, future in zip(samples, futures, strict=True)]
    good = [(sample, *result) for sample, result in read if not isinstance(result, str)]
    skipped = {sample.image_id: result for sample, result in read if isinstance(result, str)}
    if skipped and scene.settings.unreadable == "error":
        reason = next(iter(skipped.values()))
        raise UserError(f"{reason}; mend it, or leave such images out, counted, with run.unreadable=skip")
    size = scene.model.input.size
    inputs = torch.stack([tensor for _, tensor, _ in good]) if good else torch.zeros(0, 3, size, size)
    return Batch(tuple(s for s, _, _ in good), inputs, tuple(v for _, _, v in good), skipped)
