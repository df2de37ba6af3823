"""Grad-CAM's counterfactual explanation (Selvaraju et al., ICCV 2017, §3.3)."""

from dataclasses import dataclass

from torch import Tensor

from benchmark.attribution.common.class_activation import (
    feature_maps,
    mean_gradients,
    refuse_unread,
    weighted_sum,
)
from benchmark.attribution.common.method import LayerMethod
from benchmark.core.types import ForwardPass, Model


@dataclass(frozen=True)
class GradCAMCounterfactual(LayerMethod):
    """Grad-CAM of what speaks against a class: the regions whose removal would raise its score.

    ``L^c_ij = ReLU(Σ_k α^c_k A^k_ij)`` with ``α^c_k = (1/Z) Σ_ij -∂y^c / ∂A^k_ij``, which is exactly the part
    that Grad-CAM's ReLU cuts off. Source: paper §3.3; protocol §7.5.
    """

    name: str = "grad_cam_counterfactual"
    layer: str = "last_conv"

    def check(self, model: Model) -> None:
        """Check that the layer has maps, or a transformer's tokens, that the scores depend on.

        Raises:
            UserError: With the reason and the remedy.
        """
        super().check(model)
        refuse_unread(model, self.layer)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, h, w]`` at the layer's resolution, ``>= 0``."""
        maps = feature_maps(model, forward, self.layer, tokens=True)
        return weighted_sum(-mean_gradients(model, forward, classes, maps), maps).relu()
