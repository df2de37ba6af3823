"""Grad-CAM times a gradient at the input: what Guided Grad-CAM and Deconvolution Grad-CAM have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from benchmark.attribution.common.class_activation import enlarged, feature_maps, mean_gradients, weighted_sum
from benchmark.attribution.common.method import LayerMethod
from benchmark.attribution.common.relu_rules import Reduction, Rule, input_gradients, reduction
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT


@dataclass(frozen=True)
class GradientProduct(LayerMethod):
    """``G^c_kij = L^c_ij · R^c_kij``: Grad-CAM, enlarged to the input, times a gradient at the input.

    ``L^c`` is Grad-CAM's map, bilinearly enlarged with its corners aligned, ``R^c`` the signed gradient of
    colour channel ``k``; neither is normalised. Source: paper §3.2; protocol §7.6.

    Attributes:
        reduction: How the colour channels become one map
            (:func:`benchmark.attribution.common.relu_rules.reduction`); the paper does not say
            (protocol §6.2).
        rule: The rule by which ``R^c`` is made.
    """

    reduction: Reduction = "max_abs"
    rule: ClassVar[Rule]

    @property
    def layers(self) -> tuple[str, ...]:
        """Name what the method reads of a forward pass."""
        return (INPUT, self.layer)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, S, S]`` at the input's resolution; signed if the reduction is ``sum``."""
        flat = reduction(self.reduction)
        return torch.stack([flat(product) for product in self.products(model, forward, classes)], 1)

    def products(self, model: Model, forward: ForwardPass, classes: Tensor) -> Iterator[Tensor]:
        """Return the signed colour images that the paper shows, ``[N, 3, S, S]``, one class after the other.

        Their channels are in the order of the network's input, ``model.input.order``.
        """
        maps = feature_maps(model, forward, self.layer)
        signals = input_gradients(model, forward, classes, type(self).rule)
        coarse = weighted_sum(mean_gradients(model, forward, classes, maps), maps).relu()
        places = enlarged(coarse, forward.inputs.shape[-2:]).transpose(0, 1)
        return (place[:, None] * signal for place, signal in zip(places, signals, strict=True))
