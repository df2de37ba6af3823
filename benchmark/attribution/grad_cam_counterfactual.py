"""Grad-CAM's counterfactual explanation (Selvaraju et al., ICCV 2017, §3.3)."""

from dataclasses import dataclass, field

from torch import Tensor

from benchmark.attribution.common.class_activation import feature_maps, mean_gradients, weighted_sum
from benchmark.core.options import Checked
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import rehearse


@dataclass(frozen=True)
class GradCAMCounterfactual(Checked, group="method"):
    """Grad-CAM of what speaks against a class: the regions whose removal would raise its score.

    ``L^c_ij = ReLU(Σ_k α^c_k A^k_ij)`` with ``α^c_k = (1/Z) Σ_ij -∂y^c / ∂A^k_ij``, which is exactly the part
    that Grad-CAM's ReLU cuts off. Source: paper §3.3; protocol §7.5.

    Attributes:
        name: The method's key in ``conf/method``.
        layer: Role or dotted module name; the paper's is the last convolution after its ReLU (protocol §1.2).
        operations: Whether the method needs the recorded operations of the forward pass.
    """

    name: str = "grad_cam_counterfactual"
    layer: str = "last_conv"
    operations: bool = field(default=False, init=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """Name what the method reads of a forward pass."""
        return (self.layer,)

    def check(self, model: Model) -> None:
        """Check that the method can explain the model, by explaining one image of noise.

        Raises:
            UserError: If the layer does not exist or has no feature maps.
        """
        rehearse(self, model)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, h, w]`` at the layer's resolution, ``>= 0``."""
        maps = feature_maps(model, forward, self.layer)
        return weighted_sum(-mean_gradients(forward, classes, maps), maps).relu()
