"""A linear classifier on stored features: convex, so that its one best answer depends on no learning rate.

With ``z`` the features less their mean, over one common scale that gives them a mean variance of 1, it is the
least of ``loss(W z + b) + λ/2 |W|²`` (the biases are not penalised), found by L-BFGS (Nocedal & Wright 2006,
§7.2) in float64. What is returned is folded back to the features as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]
"""Of logits ``[n, C]`` and targets, their mean over the images."""

_FOLDS = 3
"""Kind of random stream; see :mod:`benchmark.training.loader`."""


@dataclass(frozen=True)
class Head:
    """A linear layer.

    Attributes:
        weight: ``[C, D]`` float64.
        bias: ``[C]`` float64.
    """

    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """Return the logits ``[n, C]`` of features ``[n, D]``."""
        return features.double() @ self.weight.T + self.bias


def fit(
    features: Tensor, targets: Tensor, loss: Loss, outputs: int, strengths: Sequence[float]
) -> list[Head]:
    """Fit the best head at each strength of the penalty.

    Args:
        features: ``[n, D]``.
        targets: ``[n, …]`` as the loss takes them.
        loss: Convex in the logits.
        outputs: C.
        strengths: ``λ``, each above 0, best in descending order: each solution starts the next.
    """
    wide = features.double()
    mean = wide.mean(0)
    scale = (wide - mean).square().mean().sqrt().clamp(min=1e-12)
    z = (wide - mean) / scale
    weight, bias = z.new_zeros(outputs, z.shape[1]), z.new_zeros(outputs)
    heads = []
    for strength in strengths:
        weight, bias = _minimised(z, targets, loss, strength, (weight, bias))
        folded = weight / scale
        heads.append(Head(folded, bias - folded @ mean))
    return heads


def _minimised(
    z: Tensor, targets: Tensor, loss: Loss, strength: float, start: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    weight, bias = (value.clone().requires_grad_() for value in start)
    solver = torch.optim.LBFGS(
        [weight, bias],
        max_iter=2000,
        tolerance_grad=1e-6,
        tolerance_change=1e-12,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def step() -> Tensor:
        solver.zero_grad()
        value = loss(z @ weight.T + bias, targets) + strength / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        solver.step(step)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def held_out(
    features: Tensor,
    targets: Tensor,
    loss: Loss,
    outputs: int,
    strengths: Sequence[float],
    folds: int,
    seed: int,
) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Yield the images held out of each fold, with their logits by heads that never saw them.

    Args:
        features: ``[n, V, D]``; all views of an image are in one fold, and its first view is judged.
        targets: ``[n, …]``.
        loss: As :func:`fit` takes it, like ``outputs`` and ``strengths``.
        outputs: C.
        strengths: ``λ``.
        folds: Number of folds, at most n.
        seed: Seed of the division.

    Yields:
        Indices ``[m]`` and, for each strength, logits ``[m, C]``.
    """
    n, views = features.shape[:2]
    order = torch.from_numpy(np.random.default_rng([seed, _FOLDS]).permutation(n))
    for fold in range(folds):
        out, kept = order[fold::folds], torch.cat([order[k::folds] for k in range(folds) if k != fold])
        aims = targets[kept].repeat_interleave(views, 0)
        heads = fit(features[kept].flatten(0, 1), aims, loss, outputs, strengths)
        yield out, [head(features[out, 0]) for head in heads]
