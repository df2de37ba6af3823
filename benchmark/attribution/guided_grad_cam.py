"""Guided Grad-CAM (Selvaraju et al., ICCV 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from benchmark.attribution.common.class_activation import enlarged, feature_maps, mean_gradients, weighted_sum
from benchmark.attribution.common.relu_rules import guided, input_gradients, reduction
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT, rehearse


@dataclass(frozen=True)
class GuidedGradCAM:
    """``G^c_kij = L^c_ij · R^c_kij``: Grad-CAM, enlarged to the input, times the guided gradient.

    ``L^c`` is Grad-CAM's map, bilinearly enlarged with its corners aligned, ``R^c`` the signed guided
    gradient of each colour channel ``k``; neither is normalised. Source: paper §3.2; protocol §7.6.

    Attributes:
        name: Key in ``conf/method``.
        layer: Role or dotted module name; the paper's is the last convolution after its ReLU (protocol §1.2).
        reduction: How the colour channels become one map
            (:func:`benchmark.attribution.common.relu_rules.reduction`); the paper does
            not say (protocol §6.2).
        operations: Whether it walks the recorded operations.
    """

    name: str = "guided_grad_cam"
    layer: str = "last_conv"
    reduction: str = "max_abs"
    operations: bool = field(default=False, init=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """What it reads."""
        return (INPUT, self.layer)

    def check(self, model: Model) -> None:
        """Explain one image of noise.

        Raises:
            UserError: Where the layer is missing or has no maps, or a ReLU cannot be reached; and for an
                unknown reduction.
        """
        rehearse(self, model)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Heatmaps ``[N, K, S, S]`` at the input's resolution; signed for the reduction ``sum`` alone."""
        flat = reduction(self.reduction)
        return torch.stack([flat(product) for product in self.products(model, forward, classes)], 1)

    def products(self, model: Model, forward: ForwardPass, classes: Tensor) -> Iterator[Tensor]:
        """The signed colours that the paper shows, ``[N, 3, S, S]`` class by class.

        In the input's channel order: ``model.input.order``.
        """
        maps = feature_maps(model, forward, self.layer)
        signals = input_gradients(model, forward, classes, guided)
        coarse = weighted_sum(mean_gradients(forward, classes, maps), maps).relu()
        places = enlarged(coarse, forward.inputs.shape[-1]).transpose(0, 1)
        return (place[:, None] * signal for place, signal in zip(places, signals, strict=True))
