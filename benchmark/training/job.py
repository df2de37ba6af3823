"""One training as asked for, and where it leaves what it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.cell import Scene
from benchmark.errors import UserError
from benchmark.provenance import fingerprint
from benchmark.training.options import TrainOptions
from benchmark.weights.files import digest

_PLACES = ("weights", "weights_dir", "checksums", "ignore", "classes", "note")
"""Options of a model that do not matter here: its parameters are made, not read."""


@dataclass(frozen=True)
class Job:
    """One net to be trained.

    Attributes:
        learning: Training images, and the model with random parameters.
        checking: Validation images, and the same model.
        options: The recipe.
        origin: File of the weights to start from, or ``None``.
        config: The resolved configuration, plain.
        command: The words that were typed.
        results: The option ``results_dir``.

    Raises:
        UserError: For a precision that cannot be trained in.
    """

    learning: Scene
    checking: Scene
    options: TrainOptions
    origin: Path | None
    config: Mapping[str, Any]
    command: tuple[str, ...]
    results: Path

    def __post_init__(self) -> None:
        if self.learning.settings.precision == "float16":
            raise UserError(
                "run.precision=float16: its gradients underflow without loss scaling; use bfloat16 or float32"
            )

    @property
    def name(self) -> str:
        """The model's."""
        return self.learning.model.name

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of what the weights depend on, up to the code, the software and the number of processes.

        Those are in the passport instead: a training of days is to be resumed after an update, and on
        another number of GPUs.
        """
        model = {key: value for key, value in self.config["model"].items() if key not in _PLACES}
        settings = self.learning.settings
        return fingerprint(
            {
                "model": {**model, "input": self.learning.model.input.identity()},
                "classes": list(self.learning.model.classes or ()),
                "train": self.options.identity(),
                "train_set": self.learning.dataset.fingerprint,
                "val_set": self.checking.dataset.fingerprint,
                "transform": self.config["transform"],
                "origin": None if self.origin is None else digest(self.origin, "sha256"),
                "device": settings.torch_device.type,
                "precision": settings.precision,
                "channels_last": settings.channels_last,
            }
        )

    @property
    def folder(self) -> Path:
        """Holds checkpoint, curve, weights and passport."""
        return self.results / "training" / f"{self.name}-{self.fingerprint[:8]}"

    @property
    def weights(self) -> Path:
        """The trained weights."""
        return self.folder / f"{self.name}.safetensors"

    @property
    def passport(self) -> Path:
        """What is to be known of them; there once the training is finished."""
        return self.folder / f"{self.name}.json"

    @property
    def checkpoint(self) -> Path:
        """Where an interrupted training goes on."""
        return self.folder / "checkpoint.pt"

    @property
    def curve(self) -> Path:
        """Loss and error over the iterations."""
        return self.folder / "curve.csv"
