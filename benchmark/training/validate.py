"""Validation of a network on a dataset, with images in the benchmark's own geometry."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import nn

from benchmark.core.device import reproducible
from benchmark.core.types import Sample
from benchmark.pipeline.batches import read_batches
from benchmark.pipeline.class_order import ClassOrder, class_order
from benchmark.pipeline.scene import Scene
from benchmark.training.distributed import World
from benchmark.training.objective import Objective
from benchmark.transforms.normalize import averaged, side_by_side


@torch.no_grad()
def measure(
    scene: Scene, module: nn.Module, objective: Objective, outputs: int, world: World
) -> dict[str, Any]:
    """Measure a net on a scene's dataset, in the benchmark's own geometry, in float32.

    Args:
        scene: Dataset, input format, transform and settings.
        module: The network on the device; left in evaluation mode.
        objective: The objective that is measured.
        outputs: Number of the module's outputs.
        world: Each process measures a part of the images.

    Returns:
        What the objective's ``found`` gives.
    """
    module.eval()
    order = class_order(scene, outputs)
    device, samples = scene.settings.torch_device, scene.dataset.samples
    targets = torch.from_numpy(objective.targets(samples, order))
    place = {sample.image_id: number for number, sample in enumerate(samples)}
    # One row an image, and whether it could be read; the others' rows are zero, so that a sum unites all.
    table = torch.zeros(len(samples), objective.width(outputs) + 1, dtype=torch.float64, device=device)
    own = list(samples)[world.rank :: world.size]
    with ThreadPoolExecutor(scene.settings.thread_count) as pool, reproducible():
        for batch in read_batches(scene, groups(own, scene.settings.batch_size), pool):
            if batch.samples:
                rows = [place[sample.image_id] for sample in batch.samples]
                inputs, views = side_by_side(batch.inputs)
                scores = module(inputs.to(device, scene.settings.dtype))
                if views > 1:
                    scores = averaged(objective.probabilities(scores), views)
                table[rows, :-1] = objective.rows(scores, targets[rows].to(device))
                table[rows, -1] = 1
    return concluded(scene, objective, order, world.summed(table))


def concluded(scene: Scene, objective: Objective, order: ClassOrder, table: torch.Tensor) -> dict[str, Any]:
    """Conclude from rows ``[images, width + 1]``, of which the last column says whether an image was read."""
    return objective.found(table[table[:, -1] > 0, :-1], order, scene.dataset.classes)


def groups(samples: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    """Yield the samples, ``size`` at a time."""
    for start in range(0, len(samples), size):
        yield samples[start : start + size]
