"""Backprop saliency (Simonyan et al., 2013)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.attribution.common.method import InputMethod
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT, one_hot


@dataclass(frozen=True)
class Backprop(InputMethod):
    """Backprop saliency: ``M^c_ij = max_k |∂y^c / ∂I^k_ij|`` over the channels ``k`` of the input ``I``.

    ``y^c`` is the score before the softmax. Source: Simonyan et al., "Deep Inside Convolutional Networks",
    §3.1; protocol §3.1. The whole model is differentiated, one class after the other, since only the graph
    of one class at a time fits into memory.
    """

    name: str = "backprop"

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, S, S]`` at the input's resolution, ``>= 0``."""
        image = forward.activations[INPUT]
        heatmaps = []
        for pick in one_hot(forward.logits, classes):
            (gradient,) = torch.autograd.grad(forward.logits, image, pick, retain_graph=True)
            heatmaps.append(gradient.abs().amax(1))
        return torch.stack(heatmaps, 1).to(torch.promote_types(image.dtype, torch.float32))
