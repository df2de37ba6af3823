"""What a person can set of a training; ``conf/train/default.yaml`` and ``probe.yaml`` have the same keys."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmark.core.errors import UserError
from benchmark.training.objective import BinaryCrossEntropy, CrossEntropy, Objective

_FREE_OF_NUMBERS = (
    *("init", "checkpoint_every", "workers", "cache"),
    *("publish", "published", "passport", "tolerance"),
)
"""Options that cannot change the weights by themselves; what ``init`` names is in the fingerprint."""
_LOSSES = ("cross_entropy", "bce")


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
class Published:
    """Numbers of others that the reached one stands beside.

    Attributes:
        numbers: What a person reads, to percent.
        source: Paper and section.
        why: The reason why ours may differ.
    """

    numbers: Mapping[str, float]
    source: str
    why: str

    def __str__(self) -> str:
        told = ", ".join(f"{name} {number:.2f} %" for name, number in self.numbers.items())
        return f"published: {told} ({self.source}); ours may differ: {self.why}"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every kind of training has.

    Attributes:
        loss: ``cross_entropy``, of one class an image, or ``bce``, of any set of classes; see
            :mod:`benchmark.training.objective`.
        init: Weights to start from: a file, ``trained:NAME``, or ``None`` to start at random.
        seed: Of everything that is drawn.
        publish: Folder that weights and passport are copied to at the end, or ``None``.
        published: Kept in the passport beside the number that is reached.
        passport: ``auto`` (the embedded weights' of the same name, if there is one), ``none``, or a file.
        tolerance: Points of the reached number within which a re-training must agree with that passport.

    Raises:
        UserError: If an option is out of its range.
    """

    loss: str = "cross_entropy"
    init: str | None = None
    seed: int = 0
    publish: str | None = None
    published: Published | None = None
    passport: str = "auto"
    tolerance: float = 3.0

    def __post_init__(self) -> None:
        _require(self.loss in _LOSSES, "loss", self.loss, " | ".join(_LOSSES))
        _require(_whole(self.seed, 0), "seed", self.seed, "0 or more")
        _require(_real(self.tolerance) and self.tolerance >= 0, "tolerance", self.tolerance, "0 or more")

    @property
    def objective(self) -> Objective:
        """What is learnt, and measured."""
        return BinaryCrossEntropy() if self.loss == "bce" else CrossEntropy()

    def identity(self) -> dict[str, Any]:
        """What of these options can change the weights."""
        kept = {key: value for key, value in asdict(self).items() if key not in _FREE_OF_NUMBERS}
        if self.loss == "cross_entropy":
            del kept["loss"]  # once the only one: the weights that it made keep their address
        return kept


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(Options):
    """Options of ``conf/train/probe.yaml``: the classifier alone is trained, on stored features.

    Attributes:
        strengths: Candidates for the strength ``λ`` of the penalty ``λ/2 |w|²``, on features of mean variance
            1; the one with the least loss on held-out training images is taken. A single one is fixed.
        folds: Parts of the training images that are held out in turn.
        mirrored: Whether each training image is learnt from mirrored as well.

    Raises:
        UserError: If an option is out of its range, or there are no weights to take the features from.
    """

    strengths: Sequence[float] = (0.01, 0.1, 1.0)
    folds: int = 5
    mirrored: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        listed = isinstance(self.strengths, Sequence) and not isinstance(self.strengths, str)
        good = listed and len(self.strengths) > 0 and all(_real(s) and s > 0 for s in self.strengths)
        _require(good, "strengths", self.strengths, "a list of numbers above 0")
        _require(_whole(self.folds, 2), "folds", self.folds, "2 or more")
        _require(isinstance(self.mirrored, bool), "mirrored", self.mirrored, "true | false")
        if self.init is None:
            raise UserError(
                "train.init: a probe learns on the features of a trained net; give its weights, such as "
                "train.init=bvlc_googlenet.caffemodel"
            )

    def identity(self) -> dict[str, Any]:
        """What of these options can change the weights."""
        return {**super().identity(), "strengths": sorted(self.strengths, reverse=True), "kind": "probe"}


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Options):
    """Options of ``conf/train/default.yaml``: every layer is trained, in iterations.

    Attributes:
        iterations: Steps of the optimizer.
        batch_size: Images of a step, over all processes together.
        optimizer: ``sgd`` (with ``momentum``) or ``adamw``.
        lr: Learning rate before the schedule.
        momentum: Of ``sgd``.
        weight_decay: Of weights; biases and norms have none, as in the authors' prototxts.
        schedule: Of the learning rate.
        new_layers_lr: Factor on the learning rate of layers that were not copied from ``init``.
        label_smoothing: Of ``cross_entropy``, in [0, 1).
        augmentation: Of the training images.
        batch_norm: Whether each convolution is normalised during training; see
            :mod:`benchmark.training.norms`.
        half: Whether the weights are saved, and measured, in half precision.
        checkpoint_every: Iterations.
        validate_every: Iterations.
        log_every: Iterations that share a line of the curve.
        workers: Processes that decode; 0: the training process itself.
        cache: Bytes of decoded images that each of these keeps in memory.

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
    half: bool = False
    checkpoint_every: int = 200
    validate_every: int = 500
    log_every: int = 20
    workers: int = 0
    cache: int = 2_000_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(self.optimizer in ("sgd", "adamw"), "optimizer", self.optimizer, "sgd | adamw")
        for option in ("iterations", "batch_size", "checkpoint_every", "validate_every", "log_every"):
            _require(_whole(getattr(self, option), 1), option, getattr(self, option), "1 or more")
        for option in ("workers", "cache"):
            _require(_whole(getattr(self, option), 0), option, getattr(self, option), "0 or more")
        for option in ("batch_norm", "half"):
            _require(isinstance(getattr(self, option), bool), option, getattr(self, option), "true | false")
        for option in ("lr", "momentum", "weight_decay", "new_layers_lr"):
            value = getattr(self, option)
            _require(_real(value) and value >= 0, option, value, "0 or more")
        _require(
            _real(self.label_smoothing) and 0 <= self.label_smoothing < 1,
            "label_smoothing",
            self.label_smoothing,
            "from 0, below 1",
        )
        if self.label_smoothing and self.loss != "cross_entropy":
            raise UserError(f"train.label_smoothing={self.label_smoothing}: of cross_entropy; set it to 0")

    @property
    def objective(self) -> Objective:
        """What is learnt, and measured."""
        return super().objective if self.loss == "bce" else CrossEntropy(self.label_smoothing)

    def lr_at(self, iteration: int) -> float:
        """The learning rate of one iteration, counted from 0."""
        return self.lr * self.schedule.factor(iteration, self.iterations)


def _whole(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def _real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(holds: bool, option: str, value: object, allowed: str) -> None:
    if not holds:
        raise UserError(f"train.{option}={value}: out of range; allowed: {allowed}")
