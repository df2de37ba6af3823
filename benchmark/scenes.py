"""Scenes: rows of one model and transform share a forward pass, rows of one model its weights."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmark.cell import Scene
from benchmark.interfaces import Dataset, Transform
from benchmark.provenance import fingerprint
from benchmark.settings import RunSettings
from benchmark.types import Model


@dataclass
class Scenes:
    """The scenes of an experiment, each made once.

    Attributes:
        dataset: The images of every scene.
        settings: How they are computed.
    """

    dataset: Dataset
    settings: RunSettings
    _made: dict[str, Scene] = field(default_factory=dict, init=False)
    _models: dict[str, Model] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._made)

    def __iter__(self) -> Iterator[Scene]:
        """In the order of their making."""
        return iter(self._made.values())

    def of(
        self, config: Mapping[str, Any], model: Callable[[], Model], transform: Callable[[], Transform]
    ) -> Scene:
        """The scene of a row.

        Args:
            config: The row's, plain; its ``model`` and ``transform`` tell scenes apart.
            model: Called only where no row before had the same one.
            transform: Likewise.

        Raises:
            UserError: Whatever the making of model or transform refuses.
        """
        key = fingerprint({name: config[name] for name in ("model", "transform")})
        if key not in self._made:
            net = fingerprint({"model": config["model"]})
            self._models[net] = self._models.get(net) or model()
            self._made[key] = Scene(self.dataset, self._models[net], transform(), self.settings)
        return self._made[key]
