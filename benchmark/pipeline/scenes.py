"""Scenes: rows of one model and transform share a forward pass, rows of one model its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmark.core.provenance import fingerprint
from benchmark.models.forward import output_count
from benchmark.pipeline.class_order import class_order
from benchmark.pipeline.scene import Scene

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.core.types import Model
    from benchmark.pipeline.rows import Row
    from benchmark.pipeline.settings import RunSettings


@dataclass
class Scenes:
    """The scenes of an experiment, each made once.

    Attributes:
        dataset: The images of every scene.
        settings: Settings of the computation.
    """

    dataset: Dataset
    settings: RunSettings
    _made: dict[str, Scene] = field(default_factory=dict, init=False)
    _models: dict[str, Model] = field(default_factory=dict, init=False)
    _outputs: dict[int, int] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        """Return the number of scenes."""
        return len(self._made)

    def __iter__(self) -> Iterator[Scene]:
        """Return the scenes in the order of their making."""
        return iter(self._made.values())

    def of(self, row: Row) -> Scene:
        """Return the scene of a row; its model and transform are built only if no row before had the same.

        Raises:
            UserError: Whatever the making of model or transform refuses; and if the model cannot take the
                inputs, or its outputs do not fit the dataset's classes: now, not after hours of other rows.
        """
        key = fingerprint({name: row.config[name] for name in ("model", "transform")})
        if key not in self._made:
            net = fingerprint({"model": row.config["model"]})
            self._models[net] = self._models.get(net) or row.build("model")
            scene = Scene(self.dataset, self._models[net], row.build("transform"), self.settings)
            class_order(scene, self.outputs(scene.model))
            self._made[key] = scene
        return self._made[key]

    def outputs(self, model: Model) -> int:
        """Return the number of scores of a scene's model, found once for each.

        Raises:
            UserError: If it cannot take inputs of its size.
        """
        if id(model) not in self._outputs:  # which stays its own: the models are kept
            self._outputs[id(model)] = output_count(model)
        return self._outputs[id(model)]
