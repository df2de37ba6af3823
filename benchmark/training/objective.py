"""Objectives of a training, with their losses and measures: one class an image, or any set of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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
from benchmark.training.average_precision import by_class

Targets = npt.NDArray[Any]
"""One row an image: its output (int64), or ``[outputs]`` float32 of 1 shown, 0 not shown, -1 left out."""

_BEST = 5


@dataclass(frozen=True)
class CrossEntropy:
    """One class an image, softmax; measured by the top-1 error.

    Attributes:
        label_smoothing: In [0, 1).
        key: Name of the main number in a passport.
        title: Its name for a reader.
        column: Its column in the curve.
    """

    key: ClassVar[str] = "cls_top1"
    title: ClassVar[str] = "top-1 error"
    column: ClassVar[str] = "top1_error"

    label_smoothing: float = 0.0

    def check(self, dataset: Dataset, part: str) -> None:
        """Refuse images of several classes, which have no one label; ``part`` names the dataset's option.

        Raises:
            UserError: With the remedy.
        """
        several = next((s.image_id for s in dataset.samples if s.objects and len(labelled(s)) > 1), None)
        if several is not None:
            raise UserError(
                f"train.loss=cross_entropy: image {several} of {part} ({dataset.name}) shows several "
                "classes; set train.loss=bce"
            )

    def targets(self, samples: Sequence[Sample], order: ClassOrder) -> Targets:
        """Return the output of each image's class, ``[n]`` int64."""
        return order.to_output[[sample.label for sample in samples]].astype(np.int64)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean negative log-probability of the image's class, of logits ``[n, outputs]``."""
        return F.cross_entropy(logits, targets, label_smoothing=self.label_smoothing)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the softmax ``[n, outputs]``, for a mean over several views of an image."""
        return logits.softmax(dim=1)

    def width(self, outputs: int) -> int:
        """Return how many numbers :meth:`rows` keeps of an image."""
        return 2

    def rows(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return whether the first class is wrong, and whether the first five are, ``[n, 2]`` float64."""
        best = scores.topk(min(_BEST, scores.shape[1])).indices
        right = best == targets[:, None]
        return torch.stack([~right[:, 0], ~right.any(1)], dim=1).double()

    def found(self, rows: Tensor, order: ClassOrder, classes: Sequence[str]) -> dict[str, Any]:
        """Return both errors, fractions of the images, and the number of images, as a passport keeps them."""
        first, fifth = (rows.sum(0) / max(len(rows), 1)).tolist()
        return {"cls_top1": first, "cls_top5": fifth, "n": len(rows)}

    def sentence(self, passport: Mapping[str, Any]) -> str:
        """Return both errors in percent, for a reader."""
        return f"error {100 * passport['cls_top1']:.2f} % top-1, {100 * passport['cls_top5']:.2f} % top-5"


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
        """Accept every dataset: each has images of some classes."""

    def targets(self, samples: Sequence[Sample], order: ClassOrder) -> Targets:
        """Return 1, 0, or -1 for what is left out, ``[n, outputs]`` float32."""
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
        """Return the loss, summed over classes, mean over images, as Caffe's ``SigmoidCrossEntropyLoss``."""
        counts = targets >= 0
        each = F.binary_cross_entropy_with_logits(logits, targets.clamp(min=0).to(logits), reduction="none")
        return (each * counts).sum() / len(logits)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the sigmoids ``[n, outputs]``."""
        return logits.sigmoid()

    def width(self, outputs: int) -> int:
        """Return how many numbers :meth:`rows` keeps of an image."""
        return 2 * outputs

    def rows(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the scores, then the truths, ``[n, 2 * outputs]`` float64."""
        return torch.cat([scores.double(), targets.double()], dim=1)

    def found(self, rows: Tensor, order: ClassOrder, classes: Sequence[str]) -> dict[str, Any]:
        """Return the mean average precision by both rules, and each class's by that of 2007.

        Classes without a positive image are left out.

        Raises:
            UserError: If there is no such class.
        """
        scores, truth = (part[:, order.to_output] for part in np.split(rows.cpu().numpy(), 2, axis=1))
        known = {
            name: one for name, one in zip(classes, by_class(scores, truth), strict=True) if one is not None
        }
        if not known:
            raise UserError("val_set: no image shows any class; give the split with its annotations")
        eleven, area = (float(np.mean(values)) for values in zip(*known.values(), strict=True))
        per_class = {name: one.voc2007 for name, one in known.items()}
        return {"map": eleven, "map_area": area, "ap": per_class, "n": len(rows)}

    def sentence(self, passport: Mapping[str, Any]) -> str:
        """Return the mean, and the range over the classes, in percent, for a reader."""
        least, greatest = min(passport["ap"].values()), max(passport["ap"].values())
        rule = f"VOC 2007, {len(passport['ap'])} classes from {100 * least:.1f} to {100 * greatest:.1f}"
        return f"mAP {100 * passport['map']:.2f} % ({rule})"


Objective = CrossEntropy | BinaryCrossEntropy
"""A loss, with what it learns from and how its result is measured."""
