"""Guided Grad-CAM (Selvaraju et al., ICCV 2017)."""

from dataclasses import dataclass
from typing import ClassVar

from benchmark.attribution.common.gradient_product import GradientProduct
from benchmark.attribution.common.relu_rules import Rule, guided


@dataclass(frozen=True)
class GuidedGradCAM(GradientProduct):
    """Guided Grad-CAM: Grad-CAM times guided backprop's gradient. Source: paper §3.2; protocol §7.6."""

    name: str = "guided_grad_cam"
    layer: str = "last_conv"
    rule: ClassVar[Rule] = staticmethod(guided)
