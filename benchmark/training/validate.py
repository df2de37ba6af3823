"""How often a net is wrong on a dataset, measured as the benchmark itself does."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmark.cell import Scene
from benchmark.explain import class_order, read_batches, reproducible
from benchmark.training.world import World
from benchmark.types import Sample

_BEST = 5


@dataclass(frozen=True)
class Errors:
    """Classification errors over ``n`` images.

    Attributes:
        top1: Fraction of images whose class is not the first.
        top5: Fraction of images whose class is not among the first five.
        n: Images that could be read.
    """

    top1: float
    top5: float
    n: int


@torch.no_grad()
def errors(scene: Scene, module: nn.Module, outputs: int, world: World) -> Errors:
    """Classification errors of a module on a scene's dataset, in the benchmark's own geometry, in float32.

    Args:
        scene: Dataset, input format, transform and settings.
        module: On the device; left in evaluation mode.
        outputs: Of the module.
        world: Each process measures a part of the images.
    """
    module.eval()
    order = torch.from_numpy(class_order(scene, outputs).to_output).long()
    device = scene.settings.torch_device
    wrong = torch.zeros(3, dtype=torch.int64, device=device)
    own = list(scene.dataset.samples)[world.rank :: world.size]
    with ThreadPoolExecutor(scene.settings.thread_count) as pool, reproducible():
        for batch in read_batches(scene, _groups(own, scene.settings.batch_size), pool):
            if batch.samples:
                labels = order[[sample.label for sample in batch.samples]]
                inputs = batch.inputs.to(device, scene.settings.dtype)
                wrong += _wrong(module(inputs), labels.to(device))
    first, fifth, n = world.summed(wrong).tolist()
    return Errors(first / max(n, 1), fifth / max(n, 1), n)


def _wrong(logits: Tensor, labels: Tensor) -> Tensor:
    """Counts ``[3]``: wrong first, wrong five, images."""
    best = logits.topk(min(_BEST, logits.shape[1])).indices
    right = best == labels[:, None]
    return torch.stack([(~right[:, 0]).sum(), (~right.any(1)).sum(), labels.new_tensor(len(labels))])


def _groups(samples: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]
