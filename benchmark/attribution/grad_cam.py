"""Grad-CAM (Selvaraju et al., ICCV 2017)."""

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
class GradCAM(LayerMethod):
    """Grad-CAM: ``L^c_ij = ReLU(Σ_k α^c_k A^k_ij)`` with ``α^c_k = (1/Z) Σ_ij ∂y^c / ∂A^k_ij``.

    ``y^c`` is the score before the softmax and ``A^k`` the k-th map, of ``Z`` cells, of the layer. Source:
    paper §3, equations 1 and 2; protocol §1.1. Only what follows the layer is differentiated, for all
    classes at once.

    Attributes:
        relu: Whether to set negative values to 0, as the paper does.
    """

    name: str = "grad_cam"
    layer: str = "last_conv"
    relu: bool = True

    def check(self, model: Model) -> None:
        """Check that the layer has maps, or a transformer's tokens, that the scores depend on.

        Raises:
            UserError: With the reason and the remedy.
        """
        super().check(model)
        refuse_unread(model, self.layer)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, h, w]`` at the layer's resolution, ``>= 0`` unless ``relu`` is off."""
        maps = feature_maps(model, forward, self.layer, tokens=True)
        heatmaps = weighted_sum(mean_gradients(model, forward, classes, maps), maps)
        return heatmaps.relu() if self.relu else heatmaps
