"""What a net is trained for, and by which number it is judged: one class an image, or any set of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.masks import labelled
from benchmark.core.protocols import Dataset
from benchmark.core.types import Sample
from benchmark.pipeline.class_order import ClassOrder
from benchmark.training import average_precision

Targets = npt.NDArray[Any]
"""One row an image: its output (int64), or ``[outputs]`` float32 of 1 shown, 0 not shown, -1 left out."""

_BEST = 5


class Found(Protocol):
    """What a validation found.

    Attributes:
        n: Images that could be read.
        main: The number of the curve, a fraction.
        entries: What the passport keeps.
    """

    @property
    def n(self) -> int: ...  # noqa: D102 - attributes, described above
    @property
    def main(self) -> float: ...  # noqa: D102
    @property
    def entries(self) -> Mapping[str, Any]: ...  # noqa: D102


class Objective(Protocol):
    """A loss, with what it learns from and how its result is measured.

    Attributes:
        key: Name of the main number in a passport.
        title: What a person reads.
        column: Its column in the curve.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    column: ClassVar[str]

    def check(self, dataset: Dataset, part: str) -> None:
        """Refuse images that this objective would misread; ``part`` names the dataset's option.

        Raises:
            UserError: With the remedy.
        """
        ...

    def targets(self, samples: Sequence[Sample], order: ClassOrder) -> Targets:
        """What is to be learnt of each image, one row an image."""
        ...

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean loss over the images, a scalar, of logits ``[n, outputs]``."""
        ...

    def probabilities(self, logits: Tensor) -> Tensor:
        """``[n, outputs]``, for a mean over several views of an image."""
        ...

    def width(self, outputs: int) -> int:
        """Numbers that :meth:`rows` keeps of an image."""
        ...

    def rows(self, scores: Tensor, targets: Tensor) -> Tensor:
        """``[n, width]`` float64: what :meth:`found` needs of each image."""
        ...

    def found(self, rows: Tensor, order: ClassOrder, classes: Sequence[str]) -> Found:
        """The result over all images, of their rows."""
        ...

    def told(self, passport: Mapping[str, Any]) -> str:
        """The result in a person's words."""
        ...


@dataclass(frozen=True)
class Errors:
    """Classification errors over ``n`` images.

    Attributes:
        top1: Fraction of images whose class is not the first.
        top5: Fraction of images whose class is not among the first five.
        n: Images that could be read.
    """

    top1: float
    top5: float
    n: int

    @property
    def main(self) -> float:
        """See :class:`Found`."""
        return self.top1

    @property
    def entries(self) -> Mapping[str, Any]:
        """See :class:`Found`."""
        return {"cls_top1": self.top1, "cls_top5": self.top5, "n": self.n}


@dataclass(frozen=True)
class CrossEntropy:
    """One class an image, softmax; measured by the top-1 error.

    Attributes:
        label_smoothing: In [0, 1).
    """

    key: ClassVar[str] = "cls_top1"
    title: ClassVar[str] = "top-1 error"
    column: ClassVar[str] = "top1_error"

    label_smoothing: float = 0.0

    def check(self, dataset: Dataset, part: str) -> None:
        """An image of several classes has no one label."""
        several = next((s.image_id for s in dataset.samples if s.objects and len(labelled(s)) > 1), None)
        if several is not None:
            raise UserError(
                f"train.loss=cross_entropy: image {several} of {part} ({dataset.name}) shows several "
                "classes; set train.loss=bce"
            )

    def targets(self, samples: Sequence[Sample], order: ClassOrder) -> Targets:
        """``[n]`` int64 outputs."""
        return order.to_output[[sample.label for sample in samples]].astype(np.int64)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean negative log-probability of the image's class."""
        return F.cross_entropy(logits, targets, label_smoothing=self.label_smoothing)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Softmax."""
        return logits.softmax(dim=1)

    def width(self, outputs: int) -> int:
        """Two."""
        return 2

    def rows(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Whether the first class is wrong, and whether the first five are."""
        best = scores.topk(min(_BEST, scores.shape[1])).indices
        right = best == targets[:, None]
        return torch.stack([~right[:, 0], ~right.any(1)], dim=1).double()

    def found(self, rows: Tensor, order: ClassOrder, classes: Sequence[str]) -> Errors:
        """Both errors."""
        n = len(rows)
        first, fifth = rows.sum(0).tolist()
        return Errors(first / max(n, 1), fifth / max(n, 1), n)

    def told(self, passport: Mapping[str, Any]) -> str:
        """Both errors in percent."""
        return f"error {100 * passport['cls_top1']:.2f} % top-1, {100 * passport['cls_top5']:.2f} % top-5"


@dataclass(frozen=True)
class Precision:
    """Mean average precision over ``n`` images.

    Attributes:
        map: By the rule of VOC 2007, over the classes of which there is a positive image.
        area: By the rule of VOC 2010.
        n: Images that could be read.
        per_class: Class to its average precision by the rule of 2007; those without a positive are left out.
    """

    map: float
    area: float
    n: int
    per_class: Mapping[str, float] = field(default_factory=dict)

    @property
    def main(self) -> float:
        """See :class:`Found`."""
        return self.map

    @property
    def entries(self) -> Mapping[str, Any]:
        """See :class:`Found`."""
        return {"map": self.map, "map_area": self.area, "ap": dict(self.per_class), "n": self.n}


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """Any set of classes an image, one sigmoid a class; measured by VOC 2007's mean average precision.

    A class that an image has difficult objects of alone is left out of loss and measure for this image, as
    VOC leaves it out; so is an output that the dataset has no class for.
    """

    key: ClassVar[str] = "map"
    title: ClassVar[str] = "mAP"
    column: ClassVar[str] = "map"

    def check(self, dataset: Dataset, part: str) -> None:
        """Every dataset has images of some classes."""

    def targets(self, samples: Sequence[Sample], order: ClassOrder) -> Targets:
        """``[n, outputs]`` float32: 1, 0, or -1 for what is left out."""
        targets = np.full((len(samples), len(order.to_label)), -1, np.float32)
        targets[:, order.to_output] = 0
        for row, sample in zip(targets, samples, strict=True):
            if sample.objects is None:
                row[order.to_output[sample.label]] = 1
                continue
            row[order.to_output[labelled(sample, difficult=True)]] = -1
            row[order.to_output[labelled(sample)]] = 1
        return targets

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Sum over the classes, mean over the images, as Caffe's ``SigmoidCrossEntropyLoss``."""
        counts = targets >= 0
        each = F.binary_cross_entropy_with_logits(logits, targets.clamp(min=0).to(logits), reduction="none")
        return (each * counts).sum() / len(logits)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Sigmoid."""
        return logits.sigmoid()

    def width(self, outputs: int) -> int:
        """Score and truth of each output."""
        return 2 * outputs

    def rows(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Scores, then truths."""
        return torch.cat([scores.double(), targets.double()], dim=1)

    def found(self, rows: Tensor, order: ClassOrder, classes: Sequence[str]) -> Precision:
        """Average precision of each class of the dataset."""
        scores, truth = (part[:, order.to_output] for part in np.split(rows.cpu().numpy(), 2, axis=1))
        result = average_precision.mean(scores, truth)
        known = {name: ap for name, ap in zip(classes, result.per_class, strict=True) if not np.isnan(ap)}
        if not known:
            raise UserError("val_set: no image shows any class; give the split with its annotations")
        return Precision(result.map, result.area, len(rows), known)

    def told(self, passport: Mapping[str, Any]) -> str:
        """Mean, and the range over the classes, in percent."""
        least, greatest = min(passport["ap"].values()), max(passport["ap"].values())
        rule = f"VOC 2007, {len(passport['ap'])} classes from {100 * least:.1f} to {100 * greatest:.1f}"
        return f"mAP {100 * passport['map']:.2f} % ({rule})"
