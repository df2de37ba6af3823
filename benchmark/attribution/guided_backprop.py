"""Guided backprop (Springenberg et al., ICLR 2015 workshop)."""

from dataclasses import dataclass
from typing import ClassVar

from benchmark.attribution.common.relu_rules import RectifiedGradient, Rule, guided


@dataclass(frozen=True)
class GuidedBackprop(RectifiedGradient):
    """The gradient ``∂y^c / ∂I`` where every ReLU passes only what is positive, and only where it is active.

    ``R^l_i = 1[f^l_i > 0] · 1[R^{l+1}_i > 0] · R^{l+1}_i`` at a ReLU of input ``f^l``; every other operation
    keeps its own derivative. ``y^c`` is the score before the softmax. Source: Springenberg et al., "Striving
    for Simplicity", §3.4; protocol §7.6. One class is differentiated after the other.
    """

    name: str = "guided_backprop"
    rule: ClassVar[Rule] = staticmethod(guided)
