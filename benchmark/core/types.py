"""The value objects on the way from an image on disk to a printed table.

Conventions, everywhere in the package:

* A *bounding box* is half-open, ``x0 y0 x1 y1`` in original pixels: it covers columns ``x0 … x1 - 1`` and
  rows ``y0 … y1 - 1``. ILSVRC files are inclusive; they are converted where they are read and written.
* A *heatmap* is ``[N, K, h, w]``: one map for each of ``N`` images and ``K`` classes, unnormalised.
* Errors and accuracies are fractions in ``[0, 1]``; only what is printed is in percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # so that whoever only reads results need not wait for torch
    from torch import Tensor, nn

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
FloatBoxes = npt.NDArray[np.float64]
"""Boxes ``[..., 4]`` with fractional coordinates, which only submissions of others have."""
Overlaps = npt.NDArray[np.float64]
"""Intersections over union, in [0, 1]."""
ImageArray = npt.NDArray[np.uint8]
"""An RGB image as decoded, ``[H, W, 3]`` uint8."""


class Box(NamedTuple):
    """A half-open bounding box in original pixels; ``x1 > x0`` and ``y1 > y0`` unless it is empty."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class Objects:
    """The annotated objects of one image, of any classes.

    Attributes:
        classes: ``[B]`` int32 index of each object's class into the dataset's ``classes``.
        boxes: ``[B, 4]`` int32.
        difficult: ``[B]`` whether the annotation marks the object as hard to recognise (PASCAL VOC).
        masks: Each object's mask, as ``pycocotools.mask.decode`` reads it; ``None`` where it is its box.
    """

    classes: IntArray
    boxes: IntArray
    difficult: BoolArray
    masks: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a dataset with its annotation; the pixels are not yet read.

    Attributes:
        image_id: The file's name without its suffix, unique in the dataset.
        path: The image file; ``None`` where only boxes and labels are known (scoring needs no image).
        label: Index into the dataset's ``classes``; of an image of several classes, the lowest of them.
        boxes: ``[B, 4]`` int32 ground-truth boxes of the label's class.
        blacklisted: Left out of the localization average (ILSVRC devkit); classification still counts it.
        size: ``(width, height)`` as annotated, or ``None`` where no annotation states it.
        objects: All objects of an image of several classes (VOC, COCO); ``None`` if of one (ILSVRC).
        bytes: Size of the image file, which stands for its pixels; ``None`` where nobody asked.
        pixel_labels: PNG of the image's size by kind: ``classes`` (0, label + 1, 255 void), ``parts``.
    """

    image_id: str
    path: Path | None
    label: int
    boxes: IntArray
    blacklisted: bool = False
    size: tuple[int, int] | None = None
    objects: Objects | None = None
    bytes: int | None = None
    pixel_labels: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """The region of the original image that a network's input shows.

    Attributes:
        width: Width of the original image, pixels.
        height: Height of the original image, pixels.
        region: The region in whole pixels; a warp shows the whole image.
    """

    width: int
    height: int
    region: Box


@dataclass(frozen=True, slots=True)
class MeanImage:
    """The mean of a network's training images, ``[C, C, 3]`` RGB in 0…255; its file's name and sha256."""

    source: str
    sha256: str
    pixels: FloatArray = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InputFormat:
    """A network's input normalisation: ``(scale * pixel - mean) / std`` in the given channel order.

    Attributes:
        size: Side of the square input, pixels.
        mean: Per channel, **in the network's channel order** and after ``scale``.
        std: Standard deviations of the three channels, likewise.
        order: ``rgb`` or ``bgr``.
        scale: ``1/255`` for torchvision's nets, 1 for Caffe's.
        mean_image: Takes the place of ``mean``, scaled as the pixels are. A yaml names its file, which is
            read when the model is assembled (:mod:`benchmark.models.assembly`).
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    order: str = "rgb"
    scale: float = 1.0
    mean_image: MeanImage | str | None = None

    @property
    def sides(self) -> tuple[int, int]:
        """Return height and width of the input, pixels."""
        return self.size, self.size

    def identity(self) -> dict[str, Any]:
        """Return everything that can change a number, as plain json; of a mean image, its hash."""
        options = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "mean_image"}
        image = self.mean_image
        hashed = image.sha256 if isinstance(image, MeanImage) else image
        return options if image is None else {**options, "mean_image": hashed}


@dataclass(frozen=True, slots=True)
class Weights:
    """The provenance of a model's parameters.

    Attributes:
        source: File name, torchvision enum, or ``random (seed 0)``.
        sha256: Of the file; of the parameters themselves where there is no file.
        note: A remark for readers of its numbers, such as "TF-Slim GoogLeNet with batch norm".
        read: What was unwrapped, where the file holds more than them.
    """

    source: str
    sha256: str
    note: str = ""
    read: str = ""


@dataclass(frozen=True)
class Model:
    """A frozen classifier, with what attribution methods need to know about it.

    Attributes:
        name: The model's key in ``conf/model``.
        module: The network in evaluation mode; no parameter requires grad, and no layer works in place.
        input: Normalisation of its input.
        layers: Role (``last_conv``, ``classifier``, ``excitation``, …) to dotted module name.
        weights: Provenance of the parameters.
        classes: Class identifiers in the order of the outputs, or ``None`` for the dataset's own order.
    """

    name: str
    module: nn.Module
    input: InputFormat
    layers: Mapping[str, str]
    weights: Weights
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One recorded operation of a forward pass, with everything a backward rule needs.

    Attributes:
        function: The function that was called, such as ``torch.nn.functional.linear``.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        output: Its return value.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: Any


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """What one forward pass records, shared by every method of a run.

    Attributes:
        inputs: ``[N, 3, S, S]`` as fed to the network.
        logits: ``[N, C]`` pre-softmax scores, attached to the autograd graph of what was recorded.
        activations: Requested layer to its output, as the network computed it, before any later in-place
            change. ``"input"`` is the network's input.
        operations: Recorded operations in the order of the calls; empty unless requested.
    """

    inputs: Tensor
    logits: Tensor
    activations: Mapping[str, Tensor]
    operations: tuple[Operation, ...] = ()


class LocatedBox(NamedTuple):
    """A localizer's prediction from one heatmap.

    Attributes:
        box: The predicted bounding box, never empty.
        peak: ``(x, y)`` of the map's maximum in original pixels.
        empty: Whether the heatmap yields no box, so that ``box`` is the whole image.
    """

    box: Box
    peak: tuple[int, int]
    empty: bool


@dataclass(frozen=True)
class Records:
    """Predictions and annotations of a set of images, column by column; row ``i`` of each array is one image.

    Attributes:
        image_ids: ``[n]`` identifiers.
        labels: ``[n]`` ground-truth class indices.
        sizes: ``[n, 2]`` width and height, pixels.
        blacklisted: ``[n]`` whether the localization average leaves the image out.
        truth: ``[m, 4]`` ground-truth boxes of all images.
        owner: ``[m]`` row of the image that each ground-truth box belongs to, ascending.
        classes: ``[n, k]`` predicted classes, best first; -1 where there are fewer than ``k``.
        scores: ``[n, k]`` softmax probabilities; NaN where unknown.
        boxes: ``[n, k, 4]`` one predicted bounding box for each predicted class.
        peaks: ``[n, k, 2]`` ``(x, y)`` of the maximum of each class's heatmap; -1 where unknown.
        empty: ``[n, k]`` whether the heatmap yielded no box, so that it is the whole image.
        label_boxes: ``[n, 4]`` predicted box of the ground-truth class; ``None`` where it was not computed.
        label_peaks: ``[n, 2]`` likewise.
        label_empty: ``[n]`` likewise.
        curve: ``[n, t, 4]`` boxes of the ground-truth class at each threshold of ``grid``, or ``None``.
        grid: ``[t]`` thresholds of ``curve``.
        overlaps: ``[n, t]`` greatest overlap of any box at each threshold with any ground-truth box, where
            the localizer counts it in a frame of its own; ``None`` where ``curve`` and ``truth`` say it.
        skipped: Identifiers of images that were to be there and are not, each with the reason.
    """

    image_ids: tuple[str, ...]
    labels: IntArray
    sizes: IntArray
    blacklisted: BoolArray
    truth: IntArray
    owner: IntArray
    classes: IntArray
    scores: FloatArray
    boxes: IntArray | FloatBoxes
    peaks: IntArray
    empty: BoolArray
    label_boxes: IntArray | None = None
    label_peaks: IntArray | None = None
    label_empty: BoolArray | None = None
    curve: IntArray | None = None
    grid: tuple[float, ...] = ()
    overlaps: Overlaps | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.image_ids)


class Estimate(NamedTuple):
    """A measured number with its 95 % bootstrap confidence interval over ``n`` images."""

    value: float
    low: float
    high: float
    n: int


class Difference(NamedTuple):
    """The paired difference of two rows' numbers over the same images.

    Attributes:
        first: Row.
        second: Row.
        metric: Name of the metric.
        estimate: ``first - second``, with its paired bootstrap interval over the images that both have.
    """

    first: str
    second: str
    metric: str
    estimate: Estimate


@dataclass(frozen=True)
class Result:
    """The numbers of one cell of a table, with their conditions. Written as one json, read by every report.

    Attributes:
        row: The row's name, such as ``vgg16/grad_cam``.
        model: The model's name.
        method: The method's name.
        localizer: Name and version of the localizer, such as ``gradcam_15 v1``.
        fingerprint: sha256 of everything that can change a number of this cell.
        metrics: Name to estimate.
        counts: ``expected``, ``done``, ``skipped``, ``empty`` maps, …
        conditions: What the numbers depend on: dataset, weights, transform, device, versions, …
        config: The cell's resolved configuration.
    """

    row: str
    model: str
    method: str
    localizer: str
    fingerprint: str
    metrics: Mapping[str, Estimate]
    counts: Mapping[str, int]
    conditions: Mapping[str, Any]
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row of a table that has no numbers, and why.

    Attributes:
        row: Name of the row, beside those of its model and its method.
        reason: What is missing, in words.
        unfinished: Whether only shards are missing, which other workers or the same command will make.
    """

    row: str
    model: str
    method: str
    reason: str
    unfinished: bool = False
