"""What a person can set of a training; ``conf/train/default.yaml`` has the same keys."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmark.errors import UserError

_FREE_OF_NUMBERS = (
    *("init", "checkpoint_every", "workers", "cache"),
    *("publish", "passport", "tolerance"),
)
"""Options that cannot change the weights by themselves; what ``init`` names is in the fingerprint."""


@dataclass(frozen=True)
class Schedule:
    """The learning rate over the iterations, as a factor of ``lr``.

    Attributes:
        kind: ``constant``; ``step``: times ``gamma`` every ``step`` iterations (Caffe's policy of that name);
            ``cosine``: half a cosine from 1 after the warm-up to 0 at the end.
        step: Iterations.
        gamma: In (0, 1].
        warmup: Iterations over which the factor first grows linearly, on top of the above.

    Raises:
        UserError: If an option is out of its range.
    """

    kind: str = "step"
    step: int = 40_000
    gamma: float = 0.1
    warmup: int = 0

    def __post_init__(self) -> None:
        kinds = ("constant", "step", "cosine")
        _require(self.kind in kinds, "schedule.kind", self.kind, " | ".join(kinds))
        _require(_whole(self.step, 1), "schedule.step", self.step, "1 or more")
        _require(_real(self.gamma) and 0 < self.gamma <= 1, "schedule.gamma", self.gamma, "above 0, up to 1")
        _require(_whole(self.warmup, 0), "schedule.warmup", self.warmup, "0 or more")

    def factor(self, iteration: int, iterations: int) -> float:
        """The factor of one iteration, counted from 0, of so many."""
        rise = min(1.0, (iteration + 1) / self.warmup) if self.warmup else 1.0
        if self.kind == "step":
            return float(rise * self.gamma ** (iteration // self.step))
        if self.kind == "cosine":
            done = max(0, iteration - self.warmup) / max(1, iterations - self.warmup)
            return rise * (1 + math.cos(math.pi * done)) / 2
        return rise


@dataclass(frozen=True)
class Augmentation:
    """How a training image differs from the image as it is validated; see :mod:`benchmark.training.augment`.

    Attributes:
        crop: Least and greatest area of the part that is seen, fractions of the image.
        ratio: Greatest factor by which its aspect ratio differs from the image's, at least 1.
        flip: Whether half of the images are mirrored.
        colour: Greatest relative change of brightness, of contrast and of saturation, in [0, 1).

    Raises:
        UserError: If an option is out of its range.
    """

    crop: Sequence[float] = (0.5, 1.0)
    ratio: float = 4 / 3
    flip: bool = True
    colour: float = 0.0

    def __post_init__(self) -> None:
        numbers = isinstance(self.crop, Sequence) and len(self.crop) == 2 and all(map(_real, self.crop))
        ordered = numbers and 0 < self.crop[0] <= self.crop[1] <= 1
        _require(ordered, "augmentation.crop", self.crop, "[least, greatest] area in (0, 1]")
        _require(_real(self.ratio) and self.ratio >= 1, "augmentation.ratio", self.ratio, "1 or more")
        _require(isinstance(self.flip, bool), "augmentation.flip", self.flip, "true | false")
        _require(
            _real(self.colour) and 0 <= self.colour < 1, "augmentation.colour", self.colour, "from 0, below 1"
        )


@dataclass(frozen=True)
class TrainOptions:
    """Options of ``conf/train``.

    Attributes:
        iterations: Steps of the optimizer.
        batch_size: Images of a step, over all processes together.
        optimizer: ``sgd`` (with ``momentum``) or ``adamw``.
        lr: Learning rate before the schedule.
        momentum: Of ``sgd``.
        weight_decay: Of weights; biases and norms have none, as in the authors' prototxts.
        schedule: Of the learning rate.
        new_layers_lr: Factor on the learning rate of layers that were not copied from ``init``.
        label_smoothing: In [0, 1).
        augmentation: Of the training images.
        batch_norm: Whether each convolution is normalised during training; see
            :mod:`benchmark.training.norms`.
        init: Weights to start from: a file, ``trained:NAME``, or ``None`` to start at random.
        seed: Of parameters, order, augmentation and dropout.
        half: Whether the weights are saved, and measured, in half precision.
        checkpoint_every: Iterations.
        validate_every: Iterations.
        log_every: Iterations that share a line of the curve.
        workers: Processes that decode; 0: the training process itself.
        cache: Bytes of decoded images that each of these keeps in memory.
        publish: Folder that weights and passport are copied to at the end, or ``None``.
        passport: ``auto`` (the embedded weights' of the same name, if there is one), ``none``, or a file.
        tolerance: Points of top-1 error within which a re-training must agree with that passport.

    Raises:
        UserError: If an option is out of its range.
    """

    iterations: int
    batch_size: int = 32
    optimizer: str = "sgd"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Schedule = field(default_factory=Schedule)
    new_layers_lr: float = 1.0
    label_smoothing: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    batch_norm: bool = False
    init: str | None = None
    seed: int = 0
    half: bool = False
    checkpoint_every: int = 200
    validate_every: int = 500
    log_every: int = 20
    workers: int = 0
    cache: int = 2_000_000_000
    publish: str | None = None
    passport: str = "auto"
    tolerance: float = 3.0

    def __post_init__(self) -> None:
        _require(self.optimizer in ("sgd", "adamw"), "optimizer", self.optimizer, "sgd | adamw")
        for option in ("iterations", "batch_size", "checkpoint_every", "validate_every", "log_every"):
            _require(_whole(getattr(self, option), 1), option, getattr(self, option), "1 or more")
        for option in ("seed", "workers", "cache"):
            _require(_whole(getattr(self, option), 0), option, getattr(self, option), "0 or more")
        for option in ("batch_norm", "half"):
            _require(isinstance(getattr(self, option), bool), option, getattr(self, option), "true | false")
        for option in ("lr", "momentum", "weight_decay", "new_layers_lr", "tolerance"):
            value = getattr(self, option)
            _require(_real(value) and value >= 0, option, value, "0 or more")
        _require(
            _real(self.label_smoothing) and 0 <= self.label_smoothing < 1,
            "label_smoothing",
            self.label_smoothing,
            "from 0, below 1",
        )

    def lr_at(self, iteration: int) -> float:
        """The learning rate of one iteration, counted from 0."""
        return self.lr * self.schedule.factor(iteration, self.iterations)

    def identity(self) -> dict[str, Any]:
        """What of these options can change the weights."""
        return {key: value for key, value in asdict(self).items() if key not in _FREE_OF_NUMBERS}


def _whole(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def _real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(holds: bool, option: str, value: object, allowed: str) -> None:
    if not holds:
        raise UserError(f"train.{option}={value}: out of range; allowed: {allowed}")
