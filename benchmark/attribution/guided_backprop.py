"""Guided backprop (Springenberg et al., ICLR 2015 workshop)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from benchmark.attribution.common.relu_rules import Reduction, guided, input_gradients, reduction
from benchmark.core.options import Checked
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT, rehearse


@dataclass(frozen=True)
class GuidedBackprop(Checked, group="method"):
    """The gradient ``∂y^c / ∂I`` where every ReLU passes only what is positive, and only where it is active.

    ``R^l_i = 1[f^l_i > 0] · 1[R^{l+1}_i > 0] · R^{l+1}_i`` at a ReLU of input ``f^l``; every other operation
    keeps its own derivative. ``y^c`` is the score before the softmax. Source: Springenberg et al., "Striving
    for Simplicity", §3.4; protocol §7.6. One class is differentiated after the other.

    Attributes:
        name: The method's key in ``conf/method``.
        reduction: How the colour channels become one map
            (:func:`benchmark.attribution.common.relu_rules.reduction`); the Grad-CAM paper, which ranks
            such maps, does not say (protocol §6.2).
        layers: What the method reads of a forward pass.
        operations: Whether the method needs the recorded operations of the forward pass.
    """

    name: str = "guided_backprop"
    reduction: Reduction = "max_abs"
    layers: tuple[str, ...] = field(default=(INPUT,), init=False)
    operations: bool = field(default=False, init=False)

    def check(self, model: Model) -> None:
        """Check that the method can explain the model, by explaining one image of noise.

        Raises:
            UserError: If a ReLU cannot be reached (its node is named).
        """
        rehearse(self, model)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, S, S]`` at the input's resolution; signed if the reduction is ``sum``."""
        flat = reduction(self.reduction)
        signals = input_gradients(model, forward, classes, guided)
        return torch.stack([flat(signal) for signal in signals], 1)
