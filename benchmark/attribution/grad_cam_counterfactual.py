"""Grad-CAM's counterfactual explanation (Selvaraju et al., ICCV 2017, §3.3)."""

from dataclasses import dataclass, field

from torch import Tensor

from benchmark.attribution.common.class_activation import feature_maps, mean_gradients, weighted_sum
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import rehearse


@dataclass(frozen=True)
class GradCAMCounterfactual:
    """``L^c_ij = ReLU(Σ_k α^c_k A^k_ij)`` with ``α^c_k = (1/Z) Σ_ij -∂y^c / ∂A^k_ij``.

    What speaks against a class: regions whose removal would raise its score. It is exactly the part that
    Grad-CAM's ReLU cuts off. Source: paper §3.3; protocol §7.5.

    Attributes:
        name: Key in ``conf/method``.
        layer: Role or dotted module name; the paper's is the last convolution after its ReLU (protocol §1.2).
        operations: Whether it walks the recorded operations.
    """

    name: str = "grad_cam_counterfactual"
    layer: str = "last_conv"
    operations: bool = field(default=False, init=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """What it reads."""
        return (self.layer,)

    def check(self, model: Model) -> None:
        """Explain one image of noise.

        Raises:
            UserError: Where the layer is missing or has no maps.
        """
        rehearse(self, model)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Heatmaps ``[N, K, h, w]`` at the layer's resolution, ``>= 0``."""
        maps = feature_maps(model, forward, self.layer)
        return weighted_sum(-mean_gradients(forward, classes, maps), maps).relu()
