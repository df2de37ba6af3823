"""Deconvnet (Zeiler and Fergus, ECCV 2014), from a class's score down to the pixels."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from benchmark.attribution.common.relu_rules import Reduction, deconvolved, input_gradients, reduction
from benchmark.core.options import Checked
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT, rehearse


@dataclass(frozen=True)
class Deconvnet(Checked, group="method"):
    """The gradient ``∂y^c / ∂I`` where every ReLU passes positive signals, whether it was active or not.

    ``R^l_i = 1[R^{l+1}_i > 0] · R^{l+1}_i`` at a ReLU. The paper's transposed convolutions and max-pooling
    switches equal the derivatives of those operations, so every operation but the ReLU keeps its own
    derivative. The paper starts from one unit of a layer, this method from the score before the softmax.
    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", §2.1; Simonyan et al.,
    §4, for the comparison with Backprop.

    Attributes:
        name: The method's key in ``conf/method``.
        reduction: How the colour channels become one map
            (:func:`benchmark.attribution.common.relu_rules.reduction`).
        layers: What the method reads of a forward pass.
        operations: Whether the method needs the recorded operations of the forward pass.
    """

    name: str = "deconvnet"
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
        signals = input_gradients(model, forward, classes, deconvolved)
        return torch.stack([flat(signal) for signal in signals], 1)
