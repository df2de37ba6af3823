"""The units of a layer that speak most for and against a class, by Grad-CAM's weights (paper §7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.attribution.common.class_activation import feature_maps, mean_gradients
from benchmark.core.errors import UserError
from benchmark.core.heatmaps import refuse_nan
from benchmark.core.options import Checked, Count, unfit
from benchmark.core.types import FloatArray, Model
from benchmark.tasks.pairs.types import Asked, Pair


@dataclass(frozen=True)
class TopNeurons(Checked, group="reading.neurons"):
    """The units with the greatest and least ``α^c_k = (1/Z) Σ_ij ∂y^c / ∂A^k_ij``; activations do not count.

    ==============  ====================  ==============================================================
    column          type                  meaning
    ==============  ====================  ==============================================================
    units           int32, 2 count        the units, those with the greatest α first, then the least first
    alphas          float32, 2 count      their α
    unit_maps       float32, 2 count h w  their maps ``A^k`` in this image
    ==============  ====================  ==============================================================

    Attributes:
        count: Number of units for the class, and of units against it.
        layer: Role or dotted module name, one that the method reads.
    """

    name = "neurons"
    version = 1
    count: Count = 5
    layer: str = "last_conv"

    def check(self, model: Model) -> None:
        """Accept every model; its number of units is known with its maps."""

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return units, α ``[N, K, 2 count]`` and maps ``[N, K, 2 count, h, w]``.

        Raises:
            UserError: If the method does not read the layer, or the layer has fewer units.
        """
        if self.layer not in asked.forward.activations:
            raise UserError(
                f"reading.neurons.layer={self.layer}: no method of this run reads that layer; choose "
                "method=grad_cam, with method.layer the same"
            )
        maps = feature_maps(asked.model, asked.forward, self.layer)
        if 2 * self.count > maps.shape[1]:
            raise unfit(
                "reading.neurons.count", self.count, f"at most half of the layer's {maps.shape[1]} units"
            )
        alphas = mean_gradients(asked.model, asked.forward, asked.classes, maps)
        order = alphas.argsort(dim=2, descending=True, stable=True)
        units = torch.cat([order[..., : self.count], order[..., -self.count :].flip(2)], dim=2)
        image = torch.arange(len(maps), device=maps.device)[:, None, None]
        return {
            "units": units,
            "alphas": alphas.gather(2, units).float(),
            "unit_maps": maps.detach()[image, units].float(),
        }

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the same, on the host.

        Raises:
            UserError: If a weight is NaN or infinite.
        """
        refuse_nan(values["alphas"])
        return {**values, "units": values["units"].astype(np.int32)}
