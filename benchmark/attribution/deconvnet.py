"""Deconvnet (Zeiler and Fergus, ECCV 2014), from a class's score down to the pixels."""

from dataclasses import dataclass
from typing import ClassVar

from benchmark.attribution.common.relu_rules import RectifiedGradient, Rule, deconvolved


@dataclass(frozen=True)
class Deconvnet(RectifiedGradient):
    """The gradient ``∂y^c / ∂I`` where every ReLU passes positive signals, whether it was active or not.

    ``R^l_i = 1[R^{l+1}_i > 0] · R^{l+1}_i`` at a ReLU. The paper's transposed convolutions and max-pooling
    switches equal the derivatives of those operations, so every operation but the ReLU keeps its own
    derivative. The paper starts from one unit of a layer, this method from the score before the softmax.
    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", §2.1; Simonyan et al.,
    §4, for the comparison with Backprop.
    """

    name: str = "deconvnet"
    rule: ClassVar[Rule] = staticmethod(deconvolved)
