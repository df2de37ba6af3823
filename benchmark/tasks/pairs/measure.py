"""Images to pairs: one forward pass of a batch for every class, method and reading."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.core.device import to_device, to_host
from benchmark.core.errors import UserError
from benchmark.core.masks import objects_of, region
from benchmark.core.protocols import Method
from benchmark.core.types import FloatArray
from benchmark.models.forward import forward_pass
from benchmark.pipeline.cell import Scene
from benchmark.pipeline.explain import Batch, ClassOrder, class_order, reproducible
from benchmark.tasks.pairs.protocols import ClassPolicy, Reading
from benchmark.tasks.pairs.types import Asked, Pair

Row = Mapping[str, Any]
"""One pair's columns of one method."""


@dataclass(frozen=True)
class Answered:
    """A batch's answers on their way to the host.

    Attributes:
        batch: The images.
        chosen: ``[N, K]`` outputs, -1 where an image has fewer.
        logits: ``[N, C]``.
        values: Of each method and reading, name to ``[N, K, …]``.
        order: Between outputs and labels.
        ready: When all of it has arrived; ``None`` where nothing travels.
    """

    batch: Batch
    chosen: Tensor
    logits: Tensor
    values: Sequence[Mapping[str, Mapping[str, Tensor]]]
    order: ClassOrder
    ready: torch.cuda.Event | None

    def rows(self, readings: Mapping[str, Reading], pool: Executor) -> list[Future[list[list[Row]]]]:
        """Finish each image on a thread: the rows of each method, pair by pair. Waits for the device."""
        if self.ready is not None:
            self.ready.synchronize()
        chosen, logits = self.chosen.numpy(), self.logits.float().numpy()
        return [
            pool.submit(self._image, number, chosen[number], logits[number], readings)
            for number in range(len(chosen))
        ]

    def unknown(self) -> int:
        """How many of the chosen outputs, each once an image, are none of the dataset's classes."""
        rows = [set(row[row >= 0].tolist()) for row in self.chosen.numpy()]
        return sum(int(self.order.to_label[output] < 0) for row in rows for output in row)

    def _image(
        self, number: int, chosen: np.ndarray[Any, Any], logits: FloatArray, readings: Mapping[str, Reading]
    ) -> list[list[Row]]:
        found: list[list[Row]] = [[] for _ in self.values]
        sample = self.batch.samples[number]
        for place, output in enumerate(chosen.tolist()):
            if output < 0 or output in chosen[:place] or self.order.to_label[output] < 0:
                continue
            pair = Pair(sample, int(self.order.to_label[output]), self.batch.views[number])
            known = about(pair, logits, output)
            for rows, values in zip(found, self.values, strict=True):
                rows.append(known | _finished(pair, readings, values, (number, place)))
        return found


def _finished(
    pair: Pair,
    readings: Mapping[str, Reading],
    values: Mapping[str, Mapping[str, Tensor]],
    place: tuple[int, int],
) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, reading in readings.items():
        own = {key: value[place].numpy() for key, value in values[name].items()}
        try:
            columns |= reading.finish(pair, own)
        except UserError as error:
            raise UserError(f"image {pair.sample.image_id}: {error}") from error
    return columns


def about(pair: Pair, logits: FloatArray, output: int) -> dict[str, Any]:
    """The columns that every pair has (:class:`benchmark.tasks.pairs.types.Pairs`), from ``[C]`` scores."""
    if not np.isfinite(logits).all():
        raise UserError(
            f"image {pair.sample.image_id}: NaN or infinity in the scores; use run.precision=float32, "
            "check the weights"
        )
    objects = objects_of(pair.sample)
    own = objects.classes == pair.label
    present = np.unique(objects.classes)
    height, width = pair.view.height, pair.view.width
    others = present[present != pair.label].tolist()
    better = (logits > logits[output]).sum() + (logits[:output] == logits[output]).sum()
    return {
        "label": np.int32(pair.label),
        "labelled": np.bool_(own.any()),
        "difficult": np.bool_(own.any() and objects.difficult[own].all()),
        "classes": np.int32(len(present)),
        "rank": np.int32(better),
        "logit": np.float32(logits[output]),
        "share": np.float32(region(pair.sample, [pair.label], height, width).mean()),
        "other_share": np.float32(region(pair.sample, others, height, width).mean()),
    }


def ask(
    scene: Scene,
    policy: ClassPolicy,
    readings: Mapping[str, Reading],
    methods: Sequence[Method],
    batch: Batch,
) -> Answered:
    """Every method's maps of the asked classes, and what is read off them, without waiting for the device.

    Raises:
        UserError: If the model's outputs do not fit the dataset's classes.
    """
    settings, model = scene.settings, scene.model
    device = settings.torch_device
    sent = to_device(batch.inputs, device)
    inputs = sent.to(settings.dtype, memory_format=settings.memory_format)
    layers = tuple(sorted({layer for method in methods for layer in method.layers}))
    with reproducible(), settings.autocast():
        forward = forward_pass(model, inputs, layers, any(method.operations for method in methods))
        logits = forward.logits.detach()
        order = class_order(scene, logits.shape[1])
        chosen = policy(batch.samples, order.to_output, logits)
        classes = chosen.clamp(min=0)
        values = []
        for method in methods:
            asked = Asked(model, forward, classes, method(model, forward, classes).detach())
            values.append({name: _fetched(reading.measure(asked)) for name, reading in readings.items()})
    host = _fetched({"chosen": chosen, "logits": logits})
    ready = torch.cuda.current_stream(device).record_event() if device.type == "cuda" else None
    return Answered(batch, host["chosen"], host["logits"], values, order, ready)


def _fetched(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """On their way to the host."""
    return {name: to_host(tensor.detach()) for name, tensor in tensors.items()}
