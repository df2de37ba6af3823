"""Backprop saliency (Simonyan et al., 2013)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from benchmark.core.options import Checked
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT, one_hot, rehearse


@dataclass(frozen=True)
class Backprop(Checked, group="method"):
    """Backprop saliency: ``M^c_ij = max_k |∂y^c / ∂I^k_ij|`` over the channels ``k`` of the input ``I``.

    ``y^c`` is the score before the softmax. Source: Simonyan et al., "Deep Inside Convolutional Networks",
    §3.1; protocol §3.1. The whole model is differentiated, one class after the other, since only the graph
    of one class at a time fits into memory.

    Attributes:
        name: The method's key in ``conf/method``.
        layers: What the method reads of a forward pass.
        operations: Whether the method needs the recorded operations of the forward pass.
    """

    name: str = "backprop"
    layers: tuple[str, ...] = field(default=(INPUT,), init=False)
    operations: bool = field(default=False, init=False)

    def check(self, model: Model) -> None:
        """Check that the method can explain the model, by explaining one image of noise.

        Raises:
            UserError: Where the forward pass cannot be recorded.
        """
        rehearse(self, model)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, S, S]`` at the input's resolution, ``>= 0``."""
        image = forward.activations[INPUT]
        heatmaps = []
        for pick in one_hot(forward.logits, classes):
            (gradient,) = torch.autograd.grad(forward.logits, image, pick, retain_graph=True)
            heatmaps.append(gradient.abs().amax(1))
        return torch.stack(heatmaps, 1).to(torch.promote_types(image.dtype, torch.float32))
