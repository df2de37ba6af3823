"""Targeted adversarial images by projected gradient descent, stored in 8 bits."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Attack(NamedTuple):
    """The options of an attack, in grey levels of 0…255.

    Attributes:
        epsilon: Greatest change of a channel of a pixel, a whole number of levels.
        step: Change of a step.
        steps: Greatest number of steps.
        enough: Probability of the target above which an image is left as it is; 1 never is.
    """

    epsilon: int
    step: float
    steps: int
    enough: float


class Attacked(NamedTuple):
    """Attacked images.

    Attributes:
        pixels: ``[N, 3, S, S]``, whole numbers in 0…255, none further than epsilon from the given ones.
        steps: ``[N]`` int64 number of steps that each image took.
    """

    pixels: Tensor
    steps: Tensor


def targeted_pgd(
    scores: Callable[[Tensor], Tensor], clean: Tensor, targets: Tensor, options: Attack, start: Tensor | None
) -> Attacked:
    """Raise the probability of a target class by steps along the sign of its gradient.

    ``x ← clip(x + step · sign ∇ log p(target | x))`` to the ball of ``epsilon`` around the clean image and to
    0…255 (Madry et al., ICLR 2018, §2.1, towards a target). The gradient is taken, and the network asked, at
    ``x`` rounded to whole grey levels: what is judged is an image that can be stored in 8 bits.

    Args:
        scores: The network's scores ``[N, C]`` before softmax for pixels ``[N, 3, S, S]``.
        clean: ``[N, 3, S, S]``, whole numbers in 0…255.
        targets: ``[N]`` int64 outputs whose probability is raised.
        options: How far, in which steps.
        start: Where to start from, as a difference from ``clean``; ``None`` for the clean image itself.
    """
    low, high = (clean - options.epsilon).clamp(min=0), (clean + options.epsilon).clamp(max=255)
    moved = clean if start is None else (clean + start).clamp(low, high)
    taken = torch.zeros_like(targets)
    with torch.inference_mode(False), torch.enable_grad():
        for step in range(options.steps + 1):
            stored = moved.round().detach().requires_grad_()
            full = scores(stored)
            log = full.to(torch.promote_types(full.dtype, torch.float32)).log_softmax(1)
            chosen = log.gather(1, targets[:, None])[:, 0]
            left = chosen.detach().exp() <= options.enough
            if step == options.steps or not left.any():
                break
            (slope,) = torch.autograd.grad(chosen.sum(), stored)
            further = (moved + options.step * slope.sign()).clamp(low, high)
            moved = torch.where(left[:, None, None, None], further, moved)
            taken = taken + left
    return Attacked(stored.detach(), taken)
