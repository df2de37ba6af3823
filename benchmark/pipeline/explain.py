"""Turn images into heatmaps: one forward pass of a batch for all classes of an image and every method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmark.core.device import reproducible, sent_by, to_device, to_host
from benchmark.core.protocols import MadeElsewhere, Method, Recorded, SeveralViews
from benchmark.core.stages import device_stage, stage
from benchmark.core.targets import bound, text_of
from benchmark.models.forward import forward_pass
from benchmark.pipeline.class_order import ClassOrder, class_order, refuse_top_k
from benchmark.pipeline.heatmap_store import KEPT_SIDE, Heatmaps
from benchmark.transforms.normalize import averaged, by_image, side_by_side

if TYPE_CHECKING:
    from benchmark.core.types import ForwardPass, Sample
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.scene import Scene

_HALF_LIMIT = 6e4  # just below the largest number that half precision holds


@contextmanager
def forwarded(
    scene: Scene, methods: Sequence[Recorded], inputs: Tensor, samples: Sequence[Sample]
) -> Iterator[ForwardPass]:
    """Run one forward pass for all methods; they belong into the ``with`` block, in the run's precision.

    Args:
        scene: Model and run options.
        methods: Methods, and readings, whose layers and operations are recorded.
        inputs: ``[N, 3, S, S]`` on the host.
        samples: The images, each of one or several inputs; their texts are bound to a model that needs them.
    """
    settings = scene.settings
    sent = to_device(inputs, settings.torch_device).to(settings.dtype, memory_format=settings.memory_format)
    layers = tuple(sorted({layer for method in methods for layer in method.layers}))
    views = len(inputs) // max(len(samples), 1)
    texts = [text_of(sample) for sample in samples for _ in range(views)]
    with reproducible(), settings.autocast(), stage(scene.model.name), bound(scene.model.module, texts):
        with device_stage("forward", settings.torch_device):
            operations = any(method.operations for method in methods)
            passed = forward_pass(scene.model, sent, layers, operations, settings.compile)
        yield passed


@dataclass(frozen=True)
class Explained:
    """A batch's heatmaps that are being copied to the host; :meth:`fetch` waits for them."""

    batch: Batch
    top: Tensor
    scores: Tensor
    maps: tuple[tuple[Tensor, Tensor], ...]
    order: ClassOrder
    ready: torch.cuda.Event | None

    def fetch(self) -> list[Heatmaps]:
        """Wait for the heatmaps of each method, and return them as arrays."""
        if self.ready is not None:
            self.ready.synchronize()
        ids = tuple(sample.image_id for sample in self.batch.samples)
        classes = self.order.to_label[self.top.numpy()]
        scores = self.scores.float().numpy()
        return [
            Heatmaps(ids, classes, scores, maps.numpy(), scales.numpy(), self.batch.views, self.batch.skipped)
            for maps, scales in self.maps
        ]


def explain(scene: Scene, methods: Sequence[Method], batch: Batch) -> Explained:
    """Make every method's heatmaps of the top-k classes and the label, without waiting for the device.

    Raises:
        UserError: If the model's outputs do not fit the dataset's classes, or are fewer than ``top_k``.
    """
    device = scene.settings.torch_device
    inputs, views = side_by_side(batch.inputs)
    with forwarded(scene, methods, inputs, batch.samples) as forward:
        order = class_order(scene, forward.logits.shape[1])
        scores, top = _top(scene, forward.logits.detach(), views)
        labels = torch.from_numpy(order.to_output[[sample.label for sample in batch.samples]]).long()
        classes = torch.cat([top, to_device(labels, device)[:, None]], dim=1)
        each = classes.repeat_interleave(views, dim=0) if views > 1 else classes
        maps = []
        for method in methods:
            with device_stage(method.name, device):
                if isinstance(method, MadeElsewhere):
                    found = _read(method, scene, batch, classes, order)
                else:
                    found = _merged(scene, method(scene.model, forward, each), views)
                maps.append(relative(found.detach()))
    made = tuple((to_host(relative), to_host(scale)) for relative, scale in maps)
    return Explained(batch, to_host(top), to_host(scores), made, order, sent_by(device))


def _read(method: MadeElsewhere, scene: Scene, batch: Batch, classes: Tensor, order: ClassOrder) -> Tensor:
    """Return heatmaps that were made elsewhere, of outputs ``[N, K]``, which are waited for."""
    labels = order.to_label[classes.cpu().numpy()]  # -1 is no class of the dataset
    names = [[scene.dataset.classes[label] if label >= 0 else "" for label in own] for own in labels]
    return method.maps([sample.image_id for sample in batch.samples], names)


def _top(scene: Scene, logits: Tensor, views: int) -> tuple[Tensor, Tensor]:
    """Return probabilities and outputs of the best classes, ``[N, k]`` each."""
    wanted = scene.settings.top_k
    refuse_top_k(wanted, scene.model, logits.shape[1])
    probabilities = logits.to(torch.promote_types(logits.dtype, torch.float32)).softmax(dim=1)
    scores, top = averaged(probabilities, views).topk(wanted, dim=1)
    return scores, top


def _merged(scene: Scene, maps: Tensor, views: int) -> Tensor:
    """Merge the maps ``[N * V, K, h, w]`` of an image's views; what has one view is returned as it is."""
    if not isinstance(scene.transform, SeveralViews):
        return maps
    full = maps.to(torch.promote_types(maps.dtype, torch.float32))  # sums, where a model's half would do
    return scene.transform.merge(by_image(full, views), scene.model.input.size)


def relative(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps as shares of their maximum, and that maximum ``[N, K]``.

    A map without a positive value is divided by its largest absolute value, an all-zero map by one. What is
    not finite stays so, to be refused where it can be named. Small maps are rounded to half precision here,
    so that boxes made now and later from storage are the same.
    """
    highest = maps.amax(dim=(-2, -1), keepdim=True)
    largest = maps.abs().amax(dim=(-2, -1), keepdim=True)
    scale = torch.where(highest > 0, highest, torch.where(largest > 0, largest, torch.ones_like(largest)))
    relative = torch.where(maps.isfinite(), (maps / scale).clamp(-_HALF_LIMIT, _HALF_LIMIT), maps)
    kept = max(maps.shape[-2:]) <= KEPT_SIDE
    return relative.half() if kept else relative.float(), scale[..., 0, 0].float()
