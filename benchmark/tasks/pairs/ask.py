"""Ask a network about pairs of image and class: one forward pass for every class, method and reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmark.core.device import sent_by, to_host
from benchmark.core.errors import UserError
from benchmark.core.masks import objects_of, region
from benchmark.core.protocols import Recorded
from benchmark.core.stages import device_stage, stage
from benchmark.core.targets import TextSample
from benchmark.pipeline.address import address
from benchmark.pipeline.cell import Cell
from benchmark.pipeline.class_order import ClassOrder, class_order
from benchmark.pipeline.explain import forwarded
from benchmark.tasks.pairs.types import Asked, Pair

if TYPE_CHECKING:
    from benchmark.core.protocols import Method
    from benchmark.core.types import FloatArray, Sample
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.scene import Scene
    from benchmark.tasks.pairs.types import ClassPolicy, Reading

PairColumns = Mapping[str, Any]
"""One pair's columns of one method."""


@dataclass(frozen=True)
class Question:
    """A class policy and readings of the classes' maps by name, with the plain configuration of both."""

    policy: ClassPolicy
    readings: Mapping[str, Reading]
    config: Mapping[str, Any]

    @property
    def protocol(self) -> str:
        """Return the class policy by name and version."""
        return f"{self.policy.name} v{self.policy.version}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the configuration, of a reading that reads files with what these hold in their place."""
        readings = dict(self.config.get("readings", {}))
        for name, reading in self.readings.items():
            if (identity := getattr(reading, "identity", None)) is not None:
                readings[name] = identity(readings[name])
        return {**self.config, "readings": readings} if readings else self.config


def pair_cell(
    scene: Scene, question: Question, method: Method, config: Mapping[str, Any], runs: Path
) -> Cell:
    """Return the cell of a method that is asked a question, with its folders below ``runs``.

    Args:
        scene: Images, model, transform.
        question: Asked of it.
        method: Built from ``config["method"]``.
        config: Plain configuration of ``model``, ``transform`` and ``method``.
        runs: Folder of the raw records.
    """
    place = address(
        scene,
        method,
        config,
        runs,
        name=question.policy.name,
        options=question.identity,
        code=[question.policy, *_with_parts(question.readings.values()), ask, PendingPairs],
    )
    return Cell(scene=scene, method=method, **place._asdict())


def _with_parts(parts: Iterable[object]) -> Iterator[object]:
    """Yield readings, and whatever else their numbers depend on, such as a box's localizer."""
    for part in parts:
        yield part
        yield from _with_parts(getattr(part, "parts", ()))


class ImagePairs(NamedTuple):
    """The pairs of one image: of each method, one a class.

    ``unknown`` is the number of chosen outputs that are none of the dataset's classes.
    """

    image_id: str
    pairs: Sequence[Sequence[PairColumns]]
    unknown: int


@dataclass(frozen=True)
class PendingPairs:
    """A batch's readings that are being copied to the host.

    Attributes:
        batch: The images.
        readings: Readings by name.
        chosen: ``[N, K]`` outputs, -1 where an image has fewer.
        logits: ``[N, C]``.
        values: Values ``[N, K, …]`` by method, reading and name.
        order: Between outputs and labels.
        ready: Event after which all of it has arrived; ``None`` if nothing is copied.
        skipped: None of its images.
    """

    batch: Batch
    readings: Mapping[str, Reading]
    chosen: Tensor
    logits: Tensor
    values: Sequence[Mapping[str, Mapping[str, Tensor]]]
    order: ClassOrder
    ready: torch.cuda.Event | None
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return the number of images."""
        return len(self.batch.samples)

    def wait(self) -> None:
        """Wait until everything has arrived on the host."""
        if self.ready is not None:
            self.ready.synchronize()

    def image(self, number: int) -> ImagePairs:
        """Finish one image: the columns of each method, pair by pair."""
        sample, view = self.batch.samples[number], self.batch.views[number]
        logits = self.logits[number].float().numpy()
        found: list[list[PairColumns]] = [[] for _ in self.values]
        outputs = self.chosen[number].tolist()
        labels = {output: int(self.order.to_label[output]) for output in outputs if output >= 0}
        for place, output in enumerate(outputs):
            if labels.get(output, -1) < 0 or output in outputs[:place]:
                continue
            pair = Pair(sample, labels[output], view)
            common = about(pair, logits, output)
            for rows, values in zip(found, self.values, strict=True):
                with stage("readings"):
                    rows.append(common | _finished(pair, self.readings, values, (number, place)))
        return ImagePairs(sample.image_id, found, sum(label < 0 for label in labels.values()))


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
    """Return the columns that every pair has (:class:`benchmark.tasks.pairs.types.Pairs`)."""
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
        **({"image": np.str_(_file(pair.sample))} if isinstance(pair.sample, TextSample) else {}),
        "label": np.int32(pair.label),
        "labelled": np.bool_(own.any()),
        "difficult": np.bool_(own.any() and objects.difficult[own].all()),
        "classes": np.int32(len(present)),
        "rank": np.int32(better),
        "logit": np.float32(logits[output]),
        "share": np.float32(region(pair.sample, [pair.label], height, width).mean()),
        "other_share": np.float32(region(pair.sample, others, height, width).mean()),
    }


def _file(sample: Sample) -> str:
    """Return the image of a question: the same for all questions about it, wherever the images lie."""
    return "/".join(sample.path.parts[-2:]) if sample.path else sample.image_id


def ask(
    scene: Scene,
    policy: ClassPolicy,
    readings: Mapping[str, Reading],
    methods: Sequence[Method],
    batch: Batch,
) -> PendingPairs:
    """Make every method's maps of the chosen classes and read them off, without waiting for the device.

    Raises:
        UserError: If the model's outputs do not fit the dataset's classes.
    """
    device = scene.settings.torch_device
    recorded = [one for one in readings.values() if isinstance(one, Recorded)]
    with forwarded(scene, [*methods, *recorded], batch.inputs, batch.samples) as forward:
        logits = forward.logits.detach()
        order = class_order(scene, logits.shape[1])
        chosen = policy(batch.samples, order.to_output, logits)
        classes = chosen.clamp(min=0)
        values = []
        for method in methods:
            with device_stage(method.name, device):
                maps = method(scene.model, forward, classes).detach()
            asked = Asked(scene.model, forward, classes, maps, method)
            own = {}
            for name, reading in readings.items():
                with device_stage(f"{method.name}, {name}", device):
                    own[name] = _fetched(reading.measure(asked))
            values.append(own)
    host = _fetched({"chosen": chosen, "logits": logits})
    ready = sent_by(device)
    return PendingPairs(batch, readings, host["chosen"], host["logits"], values, order, ready)


def _fetched(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Send tensors to the host."""
    return {name: to_host(tensor.detach()) for name, tensor in tensors.items()}
