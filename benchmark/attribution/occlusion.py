"""Occlusion (Zeiler and Fergus, ECCV 2014)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from benchmark.attribution.common.class_activation import accumulator
from benchmark.attribution.common.fills import Fill, filled, refuse_fill
from benchmark.attribution.common.occluded import Grid, Sheet, at_once, runs
from benchmark.attribution.common.windows import Windowed, windows
from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Positive, unfit
from benchmark.core.targets import rows
from benchmark.core.types import ForwardPass, Model


@dataclass(frozen=True)
class Occlusion(Checked, group="method"):
    """How much a class's score drops when a square of the image is covered, signed.

    ``M^c_ij`` is the mean of ``s^c(I) - s^c(I with patch p covered)`` over the patches ``p`` that cover pixel
    ``ij``. Patches start at ``0, stride, 2 stride, …`` along each axis, ``ceil((S - patch) / stride) + 1`` of
    them; the last is cut off at the border, so that each pixel is covered. Source: Zeiler and Fergus,
    "Visualizing and Understanding Convolutional Networks", §4.2; the settings are open, protocol §6.3.

    An image takes one forward pass a patch, which serves all its classes. Covered images are made on the
    device, ``batch`` at a time; a batch may hold patches of several images. On a CPU a network that begins as
    a chain of layers computes no more of the first maps than a patch changes
    (:mod:`benchmark.attribution.common.windows`).

    Attributes:
        name: The method's key in ``conf/method``.
        patch: Side of the square, pixels of the network's input.
        stride: Between neighbouring patches, pixels, at most ``patch``.
        fill: What the square shows: ``mean``, ``zero``, ``grey`` or ``blur``
            (:mod:`benchmark.attribution.common.fills`).
        score: ``logit``, before the softmax or sigmoid, or ``probability``, after a softmax.
        batch: Number of covered images in one forward pass; ``None`` chooses it by the device
            (:func:`benchmark.attribution.common.occluded.at_once`). It changes speed and memory, and the
            numbers by rounding alone.
        sigma: Standard deviation of the blur, pixels of the network's input.
        layers: Always empty: the method reads only the input and the scores.
        operations: Whether the method needs the recorded operations of the forward pass.
        costly: Whether an image takes many forward passes.
    """

    name: str = "occlusion"
    patch: Count = 32
    stride: Count = 16
    fill: Fill = "mean"
    score: Literal["logit", "probability"] = "logit"
    batch: Count | None = None
    sigma: Positive = 10.0
    layers: tuple[str, ...] = field(default=(), init=False)
    operations: bool = field(default=False, init=False)
    costly: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        """Refuse a stride that leaves pixels uncovered.

        Raises:
            UserError: With the option and its range.
        """
        super().__post_init__()
        if self.stride > self.patch:
            must = f"1 … {self.patch}, the size of method.patch, so that no pixel stays uncovered"
            raise unfit("method.stride", self.stride, must)

    def check(self, model: Model) -> None:
        """Check the options against the model's input, without a forward pass, of which it takes hundreds.

        Raises:
            UserError: If the patch is larger than the model's input, this is not square, or the fill does not
                suit the model.
        """
        self._refuse_oblong(*model.input.sides)
        refuse_fill("method.fill", self.fill, model.input)
        if self.patch > model.input.size:
            raise unfit("method.patch", self.patch, f"at most {model.input.size}, the input of {model.name}")

    def positions(self, size: int) -> int:
        """Return the number of patches, and so of forward passes, for one image of ``size`` x ``size``."""
        return self._grid(size).positions

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, S, S]`` at the input's resolution, of both signs.

        Raises:
            UserError: If the inputs are not square.
        """
        count, _, high, size = forward.inputs.shape
        self._refuse_oblong(high, size)
        drops = self.drops(model, forward, classes, range(count * self.positions(size)))
        return self.spread(drops.view(count, -1, classes.shape[1]), size)

    @torch.no_grad()
    def drops(self, model: Model, forward: ForwardPass, classes: Tensor, span: range) -> Tensor:
        """Return the drops in score ``[len(span), K]`` for a consecutive part of all patches.

        Patches are numbered through the batch: all patches of the first image, then of the second, ….

        Args:
            model: The model that is explained.
            forward: Forward pass of N images.
            classes: ``[N, K]`` int64 output indices.
            span: Numbers of the patches, out of ``range(N * positions)``.
        """
        inputs, grid = forward.inputs.detach(), self._grid(forward.inputs.shape[-1])
        owners = torch.arange(span.start, span.stop, device=inputs.device) // grid.positions
        chosen = classes[owners]
        instead = filled(inputs, model.input, self.fill, self.sigma)
        batch = min(at_once(self.batch, inputs.device), len(span))
        show, scores = self._shown(model, inputs, instead, batch), []
        for first in range(span.start, span.stop, batch):
            part = range(first, min(first + batch, span.stop))
            with rows(model.module, [number // grid.positions for number in part]):
                logits = show(part)
            scores.append(self._scores(logits, chosen[first - span.start :][: len(part)]))
        before = self._scores(forward.logits.detach(), classes)
        return before[owners] - torch.cat(scores)

    def spread(self, drops: Tensor, size: int) -> Tensor:
        """Return each pixel's mean over its covering patches, ``[N, K, size, size]`` from ``[N, P, K]``."""
        wide, starts = accumulator(drops), self._grid(size).starts
        pixels = torch.arange(size, device=drops.device)
        first = torch.arange(len(starts), device=drops.device)[:, None] * self.stride
        covers = ((pixels >= first) & (pixels < first + self.patch)).to(wide)
        share = covers / covers.sum(0)  # along one axis; a pixel's patches are a rectangle of the grid
        grid = drops.to(wide).transpose(1, 2).reshape(len(drops), -1, len(starts), len(starts))
        with torch.autocast(drops.device.type, enabled=False):
            means: Tensor = share.T @ grid @ share
        return means.to(drops.dtype)

    def _shown(self, model: Model, inputs: Tensor, instead: Tensor, batch: int) -> Callable[[range], Tensor]:
        """Return what gives the logits of some covered images: from windows where that pays, or whole ones.

        Windows are for CPUs: cut out one by one, they would be as many small operations of a GPU.
        """
        grid = self._grid(inputs.shape[-1])
        first = windows(model.module, grid) if inputs.device.type == "cpu" else []
        if first:
            return Windowed(model.module, first, inputs, instead, grid).scores
        sheet = Sheet(inputs, instead, batch)
        return lambda part: model.module(sheet.cover(list(runs(grid, part))))

    def _refuse_oblong(self, high: int, wide: int) -> None:
        if high != wide:
            raise UserError(f"method={self.name}: inputs of {high} x {wide}; give square ones")

    def _grid(self, size: int) -> Grid:
        return Grid(size, self.patch, self.stride)

    def _scores(self, logits: Tensor, chosen: Tensor) -> Tensor:
        """Return the scores ``[B, K]`` of the classes ``[B, K]``, in float32 if the model's are narrower."""
        full = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return (full.softmax(1) if self.score == "probability" else full).gather(1, chosen)
