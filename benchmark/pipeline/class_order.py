"""Match the labels of a dataset with the outputs of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.core.errors import UserError

if TYPE_CHECKING:
    from benchmark.core.types import IntArray, Model
    from benchmark.pipeline.scene import Scene


@dataclass(frozen=True)
class ClassOrder:
    """The map between a dataset's labels and a model's outputs.

    Attributes:
        to_output: ``[classes]`` output of each label.
        to_label: ``[outputs]`` label of each output, -1 where the dataset has no such class.
    """

    to_output: IntArray
    to_label: IntArray


def class_order(scene: Scene, outputs: int) -> ClassOrder:
    """Match a dataset's labels with the scores that a scene's model gives.

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
            f"model {scene.model.name} has no output for class {lacking[0]} of {scene.dataset.name} (its "
            f"first is {names[0]}); choose a model of these classes, or name them as the dataset does "
            "with model.classes= (docs/data.md; a model of texts: model.targets=)"
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
