"""A model, and whether it knows the classes of a dataset, tested cheaply before any long run."""

from concurrent.futures import Executor
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.core.device import reproducible
from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, MeanImage, Model
from benchmark.datasets.selection import arrange
from benchmark.models.forward import forward_pass, probe
from benchmark.pipeline.batches import Batch, read_batches
from benchmark.pipeline.class_order import class_order
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.transforms.normalize import averaged, side_by_side


class Accuracy(NamedTuple):
    """Shares of ``n`` images whose label is the best, or among the five best classes."""

    top1: float
    top5: float
    n: int


def describe(model: Model) -> list[str]:
    """Return weights, input and layers of a model, for a reader."""
    pixels = model.input
    size = sum(parameter.numel() for parameter in model.module.parameters())
    return [
        f"model       {model.name}, {size:,} parameters",
        f"weights     {model.weights.source}",
        f"sha256      {model.weights.sha256}",
        *([f"note        {model.weights.note}"] if model.weights.note else []),
        *([f"read        {model.weights.read}"] if model.weights.read else []),
        f"input       {pixels.size}x{pixels.size} {pixels.order}, (pixel * {pixels.scale:.6g} - mean) / std",
        f"mean        {_mean(pixels)}",
        f"std         {', '.join(f'{value:g}' for value in pixels.std)}",
        *(f"layer       {role}: {name}" for role, name in model.layers.items()),
    ]


def _mean(form: InputFormat) -> str:
    if isinstance(form.mean_image, MeanImage):
        return f"image {form.mean_image.source}, sha256 {form.mean_image.sha256}"
    return ", ".join(f"{value:g}" for value in form.mean)


def try_input(model: Model, settings: RunSettings) -> None:
    """Run the model once on noise; it is on the device already.

    Raises:
        UserError: If it cannot take inputs of its size, or its output is not ``[N, C]``.
    """
    with reproducible(), settings.autocast():
        probe(model, ())


def probabilities(model: Model, inputs: Tensor, settings: RunSettings) -> Tensor:
    """Return the softmax ``[N, C]``, float64 on the CPU; the model is on the device already.

    Args:
        model: The model.
        inputs: ``[N, 3, S, S]``, or ``[N, V, 3, S, S]``: the mean over the V views of an image is meant.
        settings: Device and precision.

    Raises:
        UserError: If the model's output is not ``[N, C]``, or not finite.
    """
    with reproducible(), settings.autocast():
        seen, views = side_by_side(inputs)
        logits = forward_pass(model, seen.to(settings.torch_device, settings.dtype)).logits
    scores = averaged(logits.detach().cpu().double().softmax(dim=1), views)
    if not bool(scores.isfinite().all()):
        half = settings.precision == "float16"
        wider = "choose run.precision=float32 (float16 overflows above 65504), or " if half else ""
        raise UserError(
            f"model {model.name}: its scores are NaN or infinite with run.precision={settings.precision}; "
            f"{wider}look at the weights (model.weights=FILE) and at model.input"
        )
    return scores


def summary(rank: Tensor) -> Accuracy:
    """Return the accuracy that the ranks ``[n]`` of the labels amount to."""
    best, among_five = (float((rank < k).sum()) / max(len(rank), 1) for k in (1, 5))
    return Accuracy(best, among_five, len(rank))


def ranks(scene: Scene, count: int, pool: Executor) -> Tensor:
    """Count the classes that the label of each image does not beat.

    The images are at most ``count``, spread over the classes; unreadable ones are left out.

    Raises:
        UserError: If the model's outputs do not fit the dataset's classes, or are not finite.
    """
    scene = replace(scene, settings=replace(scene.settings, unreadable="skip"))
    samples, size = arrange(scene.dataset.samples, "stratified", 0, count), scene.settings.batch_size
    groups = [samples[start : start + size] for start in range(0, len(samples), size)]
    scene.prepare()
    batches = (batch for batch in read_batches(scene, groups, pool) if batch.samples)
    return torch.cat([torch.zeros(0), *(_ranks(scene, batch) for batch in batches)])


def _ranks(scene: Scene, batch: Batch) -> Tensor:
    """Count the classes that each image's label does not beat; a tie is no knowledge of the label."""
    scores = probabilities(scene.model, batch.inputs, scene.settings)
    outputs = class_order(scene, scores.shape[1]).to_output[[sample.label for sample in batch.samples]]
    own = scores.gather(1, torch.from_numpy(outputs).long()[:, None])
    return (scores >= own).sum(dim=1) - 1  # without the label itself
