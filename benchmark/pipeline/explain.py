"""Images to heatmaps: one forward pass of a batch for the top-k classes, the label and every method."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmark.core.device import to_device, to_host
from benchmark.core.errors import UserError
from benchmark.core.protocols import Method, SeveralViews
from benchmark.core.types import IntArray, Model, Sample, View
from benchmark.datasets.images import UnreadableImage, read_sample
from benchmark.models.forward import forward_pass
from benchmark.pipeline.cell import Scene
from benchmark.pipeline.store import KEPT_SIDE, Heatmaps
from benchmark.transforms.normalize import averaged, by_image, side_by_side, to_input

_BATCHES_AHEAD = 2
_HALF_LIMIT = 6e4  # just below the largest number that half precision holds


@dataclass(frozen=True)
class Batch:
    """Images of one shard, read and resampled.

    Attributes:
        samples: Those that could be read.
        inputs: ``[N, 3, S, S]`` on the CPU; ``[N, V, 3, S, S]`` where each image is seen V times.
        views: How each input lies in its image.
        skipped: Those that could not be read, each with the reason.
    """

    samples: tuple[Sample, ...]
    inputs: Tensor
    views: tuple[View, ...]
    skipped: dict[str, str]


@contextmanager
def reproducible() -> Iterator[None]:
    """Switch off what makes a device's numbers vary: TF32, and cuDNN's search for the fastest kernel.

    On CUDA the order of atomic sums stays open (excitation backprop and gradients through max pooling whose
    windows overlap): there the last bit of a heatmap can differ from run to run.
    """
    backend, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = backend.deterministic, backend.benchmark, backend.allow_tf32, matmul.allow_tf32
    backend.deterministic, backend.benchmark, backend.allow_tf32, matmul.allow_tf32 = (
        True,
        False,
        False,
        False,
    )
    try:
        yield
    finally:
        backend.deterministic, backend.benchmark, backend.allow_tf32, matmul.allow_tf32 = before


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
    try:
        pixels, view = scene.transform(read_sample(sample), scene.model.input.size)
    except UnreadableImage as error:
        return str(error)
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


@dataclass(frozen=True)
class ClassOrder:
    """Between a dataset's labels and a model's outputs.

    Attributes:
        to_output: ``[classes]`` output of each label.
        to_label: ``[outputs]`` label of each output, -1 where the dataset has no such class.
    """

    to_output: IntArray
    to_label: IntArray


def class_order(scene: Scene, outputs: int) -> ClassOrder:
    """How labels and outputs correspond.

    Raises:
        UserError: If the model lacks a class of the dataset.
    """
    names = scene.model.classes
    wanted = scene.dataset.classes
    if names is None:
        if outputs != len(wanted):
            raise UserError(
                f"model {scene.model.name} has {outputs} outputs and dataset {scene.dataset.name} "
                f"{len(wanted)} classes; choose a model of these classes, name the outputs with "
                "model.classes=FILE (one identifier a line), or other images with dataset.root=DIR"
            )
        identity = np.arange(outputs, dtype=np.int32)
        return ClassOrder(identity, identity)
    position = {name: index for index, name in enumerate(names)}
    lacking = [name for name in wanted if name not in position]
    if lacking:
        raise UserError(
            f"model {scene.model.name} has no output for class {lacking[0]} of {scene.dataset.name}"
        )
    to_output = np.array([position[name] for name in wanted], np.int32)
    to_label = np.full(outputs, -1, np.int32)
    to_label[to_output] = np.arange(len(wanted))
    return ClassOrder(to_output, to_label)


def refuse_top_k(wanted: int, model: Model, outputs: int) -> None:
    """Refuse more predicted classes than the model has outputs.

    Raises:
        UserError: Naming the option and both numbers.
    """
    if wanted > outputs:
        raise UserError(f"run.top_k={wanted}: model {model.name} has only {outputs} outputs; choose fewer")


@dataclass(frozen=True)
class Explained:
    """A batch's heatmaps on their way to the host; :meth:`fetch` waits for them."""

    batch: Batch
    top: Tensor
    scores: Tensor
    maps: tuple[tuple[Tensor, Tensor], ...]
    order: ClassOrder
    ready: torch.cuda.Event | None

    def fetch(self) -> list[Heatmaps]:
        """The heatmaps of each method, as arrays."""
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
    """Heatmaps of every method for the top-k classes and the label, without waiting for the device.

    Raises:
        UserError: If the model's outputs do not fit the dataset's classes, or are fewer than ``top_k``.
    """
    settings, model = scene.settings, scene.model
    device = settings.torch_device
    sent, views = side_by_side(batch.inputs)
    inputs = to_device(sent, device).to(settings.dtype, memory_format=settings.memory_format)
    layers = tuple(sorted({layer for method in methods for layer in method.layers}))
    with reproducible(), settings.autocast():
        forward = forward_pass(model, inputs, layers, any(method.operations for method in methods))
        order = class_order(scene, forward.logits.shape[1])
        scores, top = _top(scene, forward.logits.detach(), views)
        labels = torch.from_numpy(order.to_output[[sample.label for sample in batch.samples]]).long()
        classes = torch.cat([top, to_device(labels, device)[:, None]], dim=1)
        each = classes.repeat_interleave(views, dim=0) if views > 1 else classes
        maps = [_relative(_merged(scene, method(model, forward, each), views)) for method in methods]
    made = tuple((to_host(relative), to_host(scale)) for relative, scale in maps)
    host_top, host_scores = to_host(top), to_host(scores)
    ready = torch.cuda.current_stream(device).record_event() if device.type == "cuda" else None
    return Explained(batch, host_top, host_scores, made, order, ready)


def _top(scene: Scene, logits: Tensor, views: int) -> tuple[Tensor, Tensor]:
    """Probabilities and outputs of the best classes, ``[N, k]`` each."""
    wanted = scene.settings.top_k
    refuse_top_k(wanted, scene.model, logits.shape[1])
    probabilities = logits.to(torch.promote_types(logits.dtype, torch.float32)).softmax(dim=1)
    scores, top = averaged(probabilities, views).topk(wanted, dim=1)
    return scores, top


def _merged(scene: Scene, maps: Tensor, views: int) -> Tensor:
    """The maps ``[N * V, K, h, w]`` of an image's views as one of the image; untouched where there is one."""
    if not isinstance(scene.transform, SeveralViews):
        return maps
    full = maps.to(torch.promote_types(maps.dtype, torch.float32))  # sums, where a model's half would do
    return scene.transform.merge(by_image(full, views), scene.model.input.size)


def _relative(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Maps as shares of their maximum, and that maximum ``[N, K]``.

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


def prepare(model: Model, scene: Scene) -> None:
    """Move a model to the run's device, precision and memory format."""
    settings = scene.settings
    model.module.to(device=settings.torch_device, dtype=settings.dtype)
    model.module.to(memory_format=settings.memory_format)
