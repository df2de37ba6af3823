"""Areas under deletion and insertion curves (Petsiuk et al., "RISE", BMVC 2018, §4.2).

They measure whether a heatmap ranks the pixels as the network does. *Deletion* removes pixels from the image,
the highest of the heatmap first: with a good map the class's score falls at once, and the area under its
curve is small. *Insertion* puts them into a blurred image in the same order: the score rises at once, and the
area is large.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from benchmark.attribution.common.class_activation import enlarged
from benchmark.attribution.common.fills import Fill, filled, refuse_fill
from benchmark.attribution.common.occluded import at_once
from benchmark.core.errors import UserError
from benchmark.core.heatmaps import refuse_nan
from benchmark.core.options import Checked, Count, Positive, unfit
from benchmark.core.targets import rows
from benchmark.core.types import FloatArray, Model
from benchmark.tasks.pairs.types import Asked, Pair


@dataclass(frozen=True)
class DeletionInsertionAreas(Checked, group="reading.deletion_insertion"):
    """The float32 columns ``deletion``, an area of which less is better, and ``insertion``, of which more is.

    It takes ``2 (steps + 1)`` forward passes a pair of image and class. The defaults are those of the paper's
    code (``Evaluation.ipynb``): 224 * 8 pixels a step, which is 28 steps; the mean pixel after a deletion;
    insertion into a blur by an 11 x 11 Gaussian of sigma 5. Two things differ: beyond the border its blur
    sees the mean pixel, this one the border's own; and its kernel, whose tails SciPy reflects into the 11
    pixels, is flatter (0.0088 in the middle for 0.0120 here).

    Attributes:
        steps: Number of equal steps; a curve has one point more.
        fill: Value of a deleted pixel, one of :data:`benchmark.attribution.common.fills.Fill`.
        start: Image from which insertion starts, likewise.
        sigma: Standard deviation of the blur, pixels of the network's input.
        radius: Radius of the blur's kernel, pixels.
        score: ``softmax``, or ``sigmoid`` for a network of several labels, or ``logit``.
        batch: Number of changed images in one forward pass; ``None`` chooses it by the device
            (:func:`benchmark.attribution.common.occluded.at_once`). It changes speed and memory, and the
            numbers by rounding alone.
    """

    name = "deletion_insertion"
    version = 1
    costly = True
    steps: Count = 28
    fill: Fill = "mean"
    start: Fill = "blur"
    sigma: Positive = 5.0
    radius: Count = 5
    score: Literal["softmax", "sigmoid", "logit"] = "softmax"
    batch: Count | None = None

    def check(self, model: Model) -> None:
        """Refuse options that this network's input does not allow.

        Raises:
            UserError: If there are more steps than pixels, or a fill does not suit the input.
        """
        form = model.input
        for option, fill in (("fill", self.fill), ("start", self.start)):
            refuse_fill(f"reading.deletion_insertion.{option}", fill, form)
        if self.steps > form.size**2:
            must = f"at most {form.size**2}, the pixels of the input"
            raise unfit("reading.deletion_insertion.steps", self.steps, must)

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return both areas ``[N, K]``; NaN if the map is not finite.

        Raises:
            UserError: If the transform shows each image several times, so that no single input is the image.
        """
        inputs = asked.forward.inputs.detach()
        if len(inputs) != len(asked.maps):
            raise UserError("reading=deletion_insertion: needs a transform that shows an image once")
        made = auc(curves(asked.model, inputs, asked.maps, asked.classes, self)).float()
        finite = asked.maps.detach().isfinite().flatten(2).all(2)
        deletion, insertion = made.where(finite, torch.full_like(made, torch.nan))
        return {"deletion": deletion, "insertion": insertion}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the same, on the host.

        Raises:
            UserError: If the map held NaN or infinity.
        """
        refuse_nan(np.array([values["deletion"], values["insertion"]], np.float32))
        return dict(values)


@torch.no_grad()
def curves(
    model: Model, inputs: Tensor, maps: Tensor, classes: Tensor, options: DeletionInsertionAreas
) -> Tensor:
    """Return the scores of both curves, with the points of all images and classes batched on the device.

    After step ``t`` of ``T``, ``⌊t S² / T⌋`` pixels are changed. Pixels with equal values are changed in
    raster order, so that a constant map changes rows from the top.

    Args:
        model: A model in evaluation mode.
        inputs: ``[N, 3, S, S]``, preprocessed, on the model's device; left as they are.
        maps: ``[N, K, h, w]``, finite; smaller ones are enlarged
            (:func:`benchmark.attribution.common.class_activation.enlarged`).
        classes: ``[N, K]`` int64 output indices of the maps.
        options: How pixels are removed and put back.

    Returns:
        ``[2, N, K, T + 1]``: deletion, from the whole image to nothing, and insertion, from the blurred image
        to the whole one; float32, or the model's type if that is wider.
    """
    size = inputs.shape[-1]
    ranks, grid = _ranks(maps.detach(), size), (2, *classes.shape, options.steps + 1)
    others = [
        filled(inputs, model.input, f, options.sigma, options.radius) for f in (options.fill, options.start)
    ]
    total, batch = 2 * classes.numel() * (options.steps + 1), at_once(options.batch, inputs.device)
    scores = []
    for first in range(0, total, batch):
        flat = torch.arange(first, min(first + batch, total), device=inputs.device)
        curve, image, column, step = _unravel(flat, grid)
        changed = ranks[image, column] < (step * size**2 // options.steps)[:, None, None]
        inserts = (curve == 1)[:, None, None, None]
        instead = torch.where(inserts, others[1][image], others[0][image])
        shown = torch.where(changed[:, None] == inserts, inputs[image], instead)
        picked = classes[image, column]
        with rows(model.module, _images(range(first, first + len(flat)), grid)):
            scores.append(_scores(model.module(shown), options.score).gather(1, picked[:, None]))
    return torch.cat(scores).view(grid)


def auc(values: Tensor) -> Tensor:
    """Return the area under curves over the share of pixels from 0 to 1, by the trapezoid rule.

    Args:
        values: ``[2, N, K, T + 1]``, at equal distances; the leading axes may be any.

    Returns:
        ``[2, N, K]``: deletion, of which less is better, and insertion, of which more is.
    """
    return torch.trapezoid(values, dx=1 / (values.shape[-1] - 1))


def _ranks(maps: Tensor, size: int) -> Tensor:
    """Return the rank at which each pixel is changed, from 0, ``[N, K, size, size]``."""
    same = maps.shape[-2:] == (size, size)
    flat = (maps if same else enlarged(maps, (size, size))).flatten(2)
    order = flat.argsort(dim=-1, descending=True, stable=True)
    places = torch.arange(order.shape[-1], device=maps.device).expand_as(order)
    return torch.empty_like(order).scatter_(-1, order, places).view(*maps.shape[:2], size, size)


def _unravel(flat: Tensor, grid: tuple[int, ...]) -> list[Tensor]:
    """Unravel indices as ``torch.unravel_index``, without sending the sides to the device each time."""
    indices = []
    for side in reversed(grid):
        indices.append(flat % side)
        flat = flat // side
    return indices[::-1]


def _images(flat: range, grid: tuple[int, ...]) -> list[int]:
    """Return the image of each point, by :func:`_unravel`'s order, on the host."""
    _, images, columns, points = grid
    return [number // (columns * points) % images for number in flat]


def _scores(logits: Tensor, score: str) -> Tensor:
    full = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return {"softmax": full.softmax(1), "sigmoid": full.sigmoid(), "logit": full}[score]
