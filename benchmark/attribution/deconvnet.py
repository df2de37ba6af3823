"""Deconvnet (Zeiler and Fergus, ECCV 2014), from a class's score down to the pixels."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from benchmark.attribution.common.relu_rules import deconvolved, input_gradients, reduction
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT, rehearse


@dataclass(frozen=True)
class Deconvnet:
    """The gradient ``∂y^c / ∂I`` where every ReLU passes what is positive, active or not.

    ``R^l_i = 1[R^{l+1}_i > 0] · R^{l+1}_i`` at a ReLU. A convolution's transpose and the switches of a max
    pooling are their derivatives; other operations, which the paper's net lacks, have theirs. The paper
    starts from one unit of a layer, this from the pre-softmax score. Source: Zeiler and Fergus, "Visualizing
    and Understanding Convolutional Networks", §2.1; Simonyan et al., §4, for the comparison with Backprop.

    Attributes:
        name: Key in ``conf/method``.
        reduction: How the colour channels become one map
            (:func:`benchmark.attribution.common.relu_rules.reduction`).
        layers: What it reads.
        operations: Whether it walks the recorded operations.
    """

    name: str = "deconvnet"
    reduction: str = "max_abs"
    layers: tuple[str, ...] = field(default=(INPUT,), init=False)
    operations: bool = field(default=False, init=False)

    def check(self, model: Model) -> None:
        """Explain one image of noise.

        Raises:
            UserError: Where a ReLU cannot be reached, named by its node; and for an unknown reduction.
        """
        rehearse(self, model)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Heatmaps ``[N, K, S, S]`` at the input's resolution; signed for the reduction ``sum`` alone."""
        flat = reduction(self.reduction)
        signals = input_gradients(model, forward, classes, deconvolved)
        return torch.stack([flat(signal) for signal in signals], 1)
