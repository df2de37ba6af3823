"""One training: its options, its files, and its outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.provenance import fingerprint
from benchmark.models.weights.files import digest
from benchmark.pipeline.names import file_name
from benchmark.pipeline.scene import Scene
from benchmark.training.options import TrainingOptions

_PLACES = ("weights", "weights_dir", "checksums", "ignore", "classes", "note")
"""Options of a model that do not matter here: its parameters are made, not read."""


Recipe = TypeVar("Recipe", bound=TrainingOptions, covariant=True)


@dataclass(frozen=True)
class Job(Generic[Recipe]):
    """One net to train.

    Attributes:
        learning: Training images, and the model with random parameters.
        checking: Validation images, and the same model.
        options: The recipe.
        origin: File of the weights to start from, or ``None``.
        config: The resolved configuration, plain.
        command: The words that were typed.
        results: The option ``results_dir``.

    Raises:
        UserError: For a precision that cannot be trained in, images that the loss would misread, or images
            that are both learnt and validated on.
    """

    learning: Scene
    checking: Scene
    options: Recipe
    origin: Path | None
    config: Mapping[str, Any]
    command: tuple[str, ...]
    results: Path

    def __post_init__(self) -> None:
        if self.learning.settings.precision == "float16":
            raise UserError(
                "run.precision=float16: its gradients underflow without loss scaling; use bfloat16 or float32"
            )
        for scene, part in ((self.learning, "train_set"), (self.checking, "val_set")):
            self.options.objective.check(scene.dataset, part)
        self._refuse_shared_images()

    def _refuse_shared_images(self) -> None:
        learnt = {sample.path: sample.image_id for sample in self.learning.dataset.samples if sample.path}
        shared = [sample.image_id for sample in self.checking.dataset.samples if sample.path in learnt]
        if shared:
            count = f"{len(shared)} images ({shared[0]}, …)"
            raise UserError(f"train_set and val_set share {count}; give val_set another split")

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.learning.model.name

    @cached_property
    def fingerprint(self) -> str:
        """Return the sha256 of what the weights depend on but code, software and the number of processes.

        Those are in the passport instead, so that a training of days can be resumed after an update, and on
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
        """Return the folder of checkpoint, curve, weights and passport."""
        return self.results / "training" / f"{file_name(self.name)}-{self.fingerprint[:8]}"

    @property
    def weights(self) -> Path:
        """Return the file of the trained weights."""
        return self.folder / f"{file_name(self.name)}.safetensors"

    @property
    def passport(self) -> Path:
        """Return the file that describes the weights; it exists once the training is finished."""
        return self.folder / f"{file_name(self.name)}.json"

    @property
    def checkpoint(self) -> Path:
        """Return the file from which an interrupted training goes on."""
        return self.folder / "checkpoint.pt"

    @property
    def curve(self) -> Path:
        """Return the file of loss and measure over the iterations; a probe has none."""
        return self.folder / "curve.csv"


@dataclass(frozen=True)
class Trained:
    """A net at the end of its training.

    Attributes:
        state: The plain net's parameters as they are to be saved.
        found: The objective's ``found`` on the validation images, with exactly these parameters.
        copied: Layers that started from given weights.
        left: Layers that started at random.
        seconds: Spent on the training over all starts.
        facts: Other facts of the training for the passport, as plain values.
    """

    state: Mapping[str, Tensor]
    found: Mapping[str, Any]
    copied: Sequence[str]
    left: Sequence[str]
    seconds: float
    facts: Mapping[str, Any]
