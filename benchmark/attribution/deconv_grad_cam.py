"""Deconvolution Grad-CAM (Selvaraju et al., ICCV 2017)."""

from dataclasses import dataclass
from typing import ClassVar

from benchmark.attribution.common.gradient_product import GradientProduct
from benchmark.attribution.common.relu_rules import Rule, deconvolved


@dataclass(frozen=True)
class DeconvGradCAM(GradientProduct):
    """Deconvolution Grad-CAM: Grad-CAM times deconvnet's gradient (paper §3.2, §5.1; protocol §7.3)."""

    name: str = "deconv_grad_cam"
    layer: str = "last_conv"
    rule: ClassVar[Rule] = staticmethod(deconvolved)
