"""Options of a training; ``conf/train/default.yaml`` and ``probe.yaml`` have the same keys."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from benchmark.core.options import (
    Checked,
    Count,
    Fraction,
    Natural,
    NonNegative,
    Positive,
    Share,
    unfit,
)
from benchmark.training.objective import BinaryCrossEntropy, CrossEntropy, Objective

_FREE_OF_NUMBERS = (
    *("init", "checkpoint_every", "workers", "cache"),
    *("publish", "published", "passport", "tolerance"),
)
"""Options that cannot change the weights by themselves; what ``init`` names is in the fingerprint."""


@dataclass(frozen=True)
class Schedule(Checked, group="train.schedule"):
    """The learning rate over the iterations, as a factor of ``lr``.

    Attributes:
        kind: ``constant``; ``step``: times ``gamma`` every ``step`` iterations (Caffe's policy of that name);
            ``cosine``: half a cosine from 1 after the warm-up to 0 at the end.
        step: Iterations.
        gamma: In (0, 1].
        warmup: Iterations over which the factor first grows linearly, on top of the above.
    """

    kind: Literal["constant", "step", "cosine"] = "step"
    step: Count = 40_000
    gamma: Share = 0.1
    warmup: Natural = 0

    def factor(self, iteration: int, iterations: int) -> float:
        """Return the factor of one iteration, counted from 0, out of ``iterations``."""
        rise = min(1.0, (iteration + 1) / self.warmup) if self.warmup else 1.0
        if self.kind == "step":
            return float(rise * self.gamma ** (iteration // self.step))
        if self.kind == "cosine":
            done = max(0, iteration - self.warmup) / max(1, iterations - self.warmup)
            return rise * (1 + math.cos(math.pi * done)) / 2
        return rise


@dataclass(frozen=True)
class Augmentation(Checked, group="train.augmentation"):
    """How a training image differs from the image as it is validated; see :mod:`benchmark.training.augment`.

    Attributes:
        crop: Least and greatest area of the part that is seen, fractions of the image.
        ratio: Greatest factor by which its aspect ratio differs from the image's, at least 1.
        flip: Whether half of the images are mirrored.
        colour: Greatest relative change of brightness, of contrast and of saturation, in [0, 1).
    """

    crop: tuple[Share, Share] = (0.5, 1.0)
    ratio: Annotated[float, "[1, inf)"] = 4 / 3
    flip: bool = True
    colour: Fraction = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop[0] > self.crop[1]:
            raise unfit("train.augmentation.crop", self.crop, "[least, greatest] area in (0, 1]")


@dataclass(frozen=True)
class PublishedNumbers:
    """Published numbers that the reached one is shown with.

    Attributes:
        numbers: Name to percent.
        source: Paper and section.
        why: The reason why ours may differ.
    """

    numbers: Mapping[str, float]
    source: str
    why: str

    def __str__(self) -> str:
        numbers = ", ".join(f"{name} {number:.2f} %" for name, number in self.numbers.items())
        return f"published: {numbers} ({self.source}); ours may differ: {self.why}"


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Checked, group="train"):
    """Options that every kind of training has.

    Attributes:
        loss: ``cross_entropy``, of one class an image, or ``bce``, of any set of classes; see
            :mod:`benchmark.training.objective`.
        init: Weights to start from: a file, ``trained:NAME``, or ``None`` to start at random.
        seed: Seed of all random draws.
        publish: Folder that weights and passport are copied to at the end, or ``None``.
        published: Kept in the passport beside the number that is reached.
        passport: ``auto`` (the embedded weights' of the same name, if there is one), ``none``, or a file.
        tolerance: Points of the reached number within which a re-training must agree with that passport.
    """

    loss: Literal["cross_entropy", "bce"] = "cross_entropy"
    init: str | None = None
    seed: Natural = 0
    publish: str | None = None
    published: PublishedNumbers | None = None
    passport: str = "auto"
    tolerance: NonNegative = 3.0

    @property
    def objective(self) -> Objective:
        """Return what is learnt, and measured."""
        return BinaryCrossEntropy() if self.loss == "bce" else CrossEntropy()

    def identity(self) -> dict[str, Any]:
        """Return what of these options can change the weights."""
        kept = {key: value for key, value in asdict(self).items() if key not in _FREE_OF_NUMBERS}
        if self.loss == "cross_entropy":
            del kept["loss"]  # once the only one: the weights that it made keep their address
        return kept


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(TrainingOptions):
    """Options of ``conf/train/probe.yaml``: the classifier alone is trained, on stored features.

    Attributes:
        strengths: Candidates for the strength ``λ`` of the penalty ``λ/2 |w|²``, on features of mean variance
            1; the one with the least loss on held-out training images is taken. A single one is fixed.
        folds: Parts of the training images that are held out in turn.
        mirrored: Whether each training image is learnt from mirrored as well.

    Raises:
        UserError: If an option is out of its range, or there are no weights to take the features from.
    """

    strengths: Annotated[tuple[Positive, ...], "not empty"] = (0.01, 0.1, 1.0)
    folds: Annotated[int, "[2, inf)"] = 5
    mirrored: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.init is None:
            must = "weights, whose features the probe learns from, such as bvlc_googlenet.caffemodel"
            raise unfit("train.init", self.init, must)

    def identity(self) -> dict[str, Any]:
        """Return what of these options can change the weights."""
        return {**super().identity(), "strengths": sorted(self.strengths, reverse=True), "kind": "probe"}


@dataclass(frozen=True, kw_only=True)
class TrainOptions(TrainingOptions):
    """Options of ``conf/train/default.yaml``: every layer is trained, in iterations.

    Attributes:
        iterations: Steps of the optimizer.
        batch_size: Images of a step, over all processes together.
        optimizer: ``sgd`` (with ``momentum``) or ``adamw``.
        lr: Learning rate before the schedule.
        momentum: Momentum of ``sgd``.
        weight_decay: Decay of weights; biases and norms have none, as in the authors' prototxts.
        schedule: Schedule of the learning rate.
        new_layers_lr: Factor on the learning rate of layers that were not copied from ``init``.
        label_smoothing: Label smoothing of ``cross_entropy``, in [0, 1).
        augmentation: Augmentation of the training images.
        batch_norm: Whether each convolution is normalised during training; see
            :mod:`benchmark.training.norms`.
        half: Whether the weights are saved, and measured, in half precision.
        checkpoint_every: Iterations.
        validate_every: Iterations.
        log_every: Iterations that share a line of the curve.
        workers: Processes that decode; 0: the training process itself.
        cache: Bytes of decoded images that each of these keeps in memory.
    """

    iterations: Count
    batch_size: Count = 32
    optimizer: Literal["sgd", "adamw"] = "sgd"
    lr: NonNegative = 1e-3
    momentum: NonNegative = 0.9
    weight_decay: NonNegative = 5e-4
    schedule: Schedule = field(default_factory=Schedule)
    new_layers_lr: NonNegative = 1.0
    label_smoothing: Fraction = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    batch_norm: bool = False
    half: bool = False
    checkpoint_every: Count = 200
    validate_every: Count = 500
    log_every: Count = 20
    workers: Natural = 0
    cache: Natural = 2_000_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_smoothing and self.loss != "cross_entropy":
            raise unfit(
                "train.label_smoothing", self.label_smoothing, "0 for another loss than cross_entropy"
            )

    @property
    def objective(self) -> Objective:
        """Return what is learnt, and measured."""
        return super().objective if self.loss == "bce" else CrossEntropy(self.label_smoothing)

    def lr_at(self, iteration: int) -> float:
        """Return the learning rate of one iteration, counted from 0."""
        return self.lr * self.schedule.factor(iteration, self.iterations)
