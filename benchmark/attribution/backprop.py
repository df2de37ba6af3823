"""Backprop saliency (Simonyan et al., 2013)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.attribution.common.each_class import each_class
from benchmark.attribution.common.method import InputMethod
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT


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

        def heatmap(signal: Tensor) -> Tensor:
            (gradient,) = torch.autograd.grad(forward.logits, image, signal, retain_graph=True)
            return gradient.abs().amax(1)

        heatmaps = torch.stack(list(each_class(forward.logits, classes, heatmap)), 1)
        return heatmaps.to(torch.promote_types(image.dtype, torch.float32))
