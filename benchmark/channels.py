"""What methods that combine the channels of a layer share."""

import torch
from torch import Tensor

from benchmark.errors import UserError
from benchmark.types import ForwardPass, Model


def feature_maps(model: Model, forward: ForwardPass, layer: str) -> Tensor:
    """The activations ``[N, C, h, w]`` of a layer that was asked for.

    Raises:
        UserError: For a layer without spatial axes.
    """
    maps = forward.activations[layer]
    if maps.ndim != 4:
        shape = list(maps.shape[1:])
        raise UserError(
            f"layer {layer} of {model.name} has no maps (an image gives {shape}); name an earlier one"
        )
    return maps


def weighted_sum(weights: Tensor, maps: Tensor) -> Tensor:
    """``Σ_k weights[n, c, k] · maps[n, k, i, j]``, for each image ``n`` and class ``c``.

    Summed in float64 where the device has it, so that two methods whose weights are proportional give
    proportional heatmaps up to one rounding of the result, and so the same boxes.

    Args:
        weights: ``[N, K, C]``.
        maps: ``[N, C, h, w]``.

    Returns:
        Heatmaps ``[N, K, h, w]``, detached; float64 where the maps are, float32 otherwise.
    """
    wide = accumulator(maps)
    total = torch.einsum("nck,nkij->ncij", weights.detach().to(wide), maps.detach().to(wide))
    return total.to(torch.promote_types(maps.dtype, torch.float32))


def accumulator(tensor: Tensor) -> torch.dtype:
    """The widest float of the tensor's device: Apple's has no float64."""
    return torch.float32 if tensor.device.type == "mps" else torch.float64
