"""Deletion and insertion curves (Petsiuk et al., "RISE", BMVC 2018, §4.2).

Does a heatmap rank the pixels as the network does? *Deletion* takes the pixels away from the image, the
highest of the heatmap first: the score of a good map's class falls at once, the area under it is small.
*Insertion* puts them into a blurred image in the same order: it rises at once, the area is large.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.attribution.common.class_activation import enlarged
from benchmark.attribution.common.fills import filled, refuse_fill
from benchmark.attribution.common.occluded import at_once
from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, Model

_SCORES = ("softmax", "sigmoid", "logit")


@dataclass(frozen=True)
class Options:
    """How pixels are taken away and put back.

    The defaults are the paper's as its code has them, from memory: 224 * 8 pixels a step, which is 28 steps;
    the mean pixel after a deletion; insertion into a blur by an 11 x 11 Gaussian of sigma 5. Its blur is dark
    towards the border, ours repeats the border's pixels.

    Attributes:
        steps: Equal shares of the pixels; a curve has one point more.
        fill: What is left where a pixel is deleted, one of :data:`benchmark.attribution.common.fills.FILLS`.
        start: What insertion starts from, likewise.
        sigma: Of the blur, pixels of the network's input.
        radius: Of the blur's kernel, pixels.
        score: ``softmax``, or ``sigmoid`` for a network of several labels, or ``logit``.
        batch: Changed images of one forward pass; ``None``: what suits the device
            (:func:`benchmark.attribution.common.occluded.at_once`). Changes speed and memory, no number
            but for rounding.

    Raises:
        UserError: If an option is out of its range.
    """

    steps: int = 28
    fill: str = "mean"
    start: str = "blur"
    sigma: float = 5.0
    radius: int = 5
    score: str = "softmax"
    batch: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no model could use."""
        for option in ("steps", "radius", "batch"):
            value = getattr(self, option)
            if (type(value) is not int or value < 1) and (option, value) != ("batch", None):
                raise UserError(f"deletion_insertion.{option}={value}: give a whole number from 1 up")
        if self.score not in _SCORES:
            raise UserError(f"deletion_insertion.score={self.score}: choose {' | '.join(_SCORES)}")
        if not self.sigma > 0:
            raise UserError(f"deletion_insertion.sigma={self.sigma}: give a number above 0")

    def check(self, form: InputFormat) -> None:
        """Refuse what this network's input does not allow.

        Raises:
            UserError: For more steps than pixels, or an impossible fill.
        """
        refuse_fill("deletion_insertion.fill", self.fill, form)
        refuse_fill("deletion_insertion.start", self.start, form)
        if self.steps > form.size**2:
            raise UserError(
                f"deletion_insertion.steps={self.steps}: the input has only {form.size**2} pixels"
            )


@torch.no_grad()
def curves(model: Model, inputs: Tensor, maps: Tensor, classes: Tensor, options: Options) -> Tensor:
    """The scores of both curves, the points of all images and classes batched on the device.

    After step ``t`` of ``T``, ``⌊t S² / T⌋`` pixels are changed. Of pixels with equal values the first of the
    first row goes first, and so on row by row; a constant map so takes rows from the top.

    Args:
        model: In evaluation mode.
        inputs: ``[N, 3, S, S]``, preprocessed, on the model's device. Not changed.
        maps: ``[N, K, h, w]``, finite; smaller ones are enlarged
            (:func:`benchmark.attribution.common.class_activation.enlarged`).
        classes: ``[N, K]`` int64 outputs that the maps belong to.
        options: How.

    Returns:
        ``[2, N, K, T + 1]``: deletion, from the whole image to nothing, and insertion, from the blurred image
        to the whole one. float32, or the model's type where that is wider.
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
        scores.append(_scores(model.module(shown), options.score).gather(1, picked[:, None]))
    return torch.cat(scores).view(grid)


def auc(values: Tensor) -> Tensor:
    """The area under curves by the trapezoid rule, as a share of the pixels goes from 0 to 1.

    Args:
        values: ``[2, N, K, T + 1]``, at equal distances; any leading axes.

    Returns:
        ``[2, N, K]``: deletion, where less is better, and insertion, where more is.
    """
    return torch.trapezoid(values, dx=1 / (values.shape[-1] - 1))


def _ranks(maps: Tensor, size: int) -> Tensor:
    """When each pixel goes, from 0, ``[N, K, size, size]``."""
    same = maps.shape[-2:] == (size, size)
    flat = (maps if same else enlarged(maps, size)).flatten(2)
    order = flat.argsort(dim=-1, descending=True, stable=True)
    places = torch.arange(order.shape[-1], device=maps.device).expand_as(order)
    return torch.empty_like(order).scatter_(-1, order, places).view(*maps.shape[:2], size, size)


def _unravel(flat: Tensor, grid: tuple[int, ...]) -> list[Tensor]:
    """As ``torch.unravel_index``, which would send the grid's sides to the device each time."""
    indices = []
    for side in reversed(grid):
        indices.append(flat % side)
        flat = flat // side
    return indices[::-1]


def _scores(logits: Tensor, score: str) -> Tensor:
    full = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return {"softmax": full.softmax(1), "sigmoid": full.sigmoid(), "logit": full}[score]
