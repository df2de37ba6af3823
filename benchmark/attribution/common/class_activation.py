"""Arithmetic shared by the methods that combine the channels of a layer: CAM, Grad-CAM and their kin."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.attribution.common.flat_head import flat_head
from benchmark.core.errors import UserError
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT, find_layer, one_hot, probe
from benchmark.models.layouts import GridTokens, map_axes


def feature_maps(model: Model, forward: ForwardPass, layer: str, *, tokens: bool = False) -> Tensor:
    """Return the recorded activations ``[N, C, h, w]`` of a layer.

    Args:
        model: The model that made the forward pass.
        forward: A forward pass that recorded the layer.
        layer: Role or dotted module name.
        tokens: Whether the method also has a meaning for the tokens of a transformer.

    Raises:
        UserError: If the layer's output has no axes that follow the image's rows and columns.
    """
    maps = forward.activations[layer]
    name, role = find_layer(model, layer), layer if layer in model.layers else "ROLE"
    if name == INPUT:
        return maps
    layout = map_axes(model, (name,), forward.inputs.shape[-2:])[name]
    if isinstance(layout, GridTokens) and not tokens:
        raise UserError(
            f"layer {layer} of {model.name} gives tokens, of a transformer, which this method has no rule "
            "for; choose method=grad_cam"
        )
    if layout is None:
        shape, told = list(maps.shape[1:]), " (tokens, of a transformer)" if maps.ndim == 3 else ""
        raise UserError(
            f"layer {layer} of {model.name} has no maps: an image gives {shape}{told}, no two axes of "
            f"which follow its rows and columns; name an earlier one with model.layers.{role}="
        )
    return maps


def refuse_unread(model: Model, layer: str) -> None:
    """Refuse tokens that no score depends on, as those after a transformer's last attention.

    Only the class token is read there, so that every gradient and every heatmap would be zero.

    Raises:
        UserError: With the remedy.
    """
    name = find_layer(model, layer)
    if name == INPUT or not isinstance(map_axes(model, (name,), model.input.sides)[name], GridTokens):
        return
    forward = probe(model, (layer,))
    (slope,) = torch.autograd.grad(forward.logits.sum(), forward.activations[layer])
    if not slope.any():
        role = layer if layer in model.layers else "ROLE"
        raise UserError(
            f"layer {layer} of {model.name}: no score depends on its tokens of the image, only on the class "
            f"token; name an earlier one with model.layers.{role}=, such as the last block's first norm"
        )


def mean_gradients(model: Model, forward: ForwardPass, classes: Tensor, maps: Tensor) -> Tensor:
    """Return Grad-CAM's weights ``α^c_k = (1/Z) Σ_ij ∂y^c / ∂A^k_ij`` of each image and class.

    ``y^c`` is the score before the softmax. Only what follows the maps is differentiated, for all classes at
    once; where a linear layer reads them flattened, only what follows that layer
    (:mod:`benchmark.attribution.common.flat_head`). Source: paper §3, equation 1.

    Args:
        model: The model that made the forward pass.
        forward: A forward pass whose graph reaches the maps.
        classes: ``[N, K]`` int64 output indices.
        maps: ``[N, C, h, w]``, the layer's activations ``A`` in that pass.

    Returns:
        ``[N, K, C]``, averaged in the widest float of the device.
    """
    picks, wide = one_hot(forward.logits, classes), accumulator(maps)
    head = flat_head(model, forward, maps, wide)
    end = maps if head is None else head.output
    (gradients,) = torch.autograd.grad(forward.logits, end, picks, retain_graph=True, is_grads_batched=True)
    if head is None:
        means: Tensor = gradients.mean((3, 4), dtype=wide)
    else:
        with torch.autocast(maps.device.type, enabled=False):
            means = gradients.to(wide) @ head.weight / maps[0, 0].numel()
    return means.transpose(0, 1)


def weighted_sum(weights: Tensor, maps: Tensor) -> Tensor:
    """Return ``Σ_k weights[n, c, k] · maps[n, k, i, j]`` for each image ``n`` and class ``c``.

    The sum is taken in float64 if the device has it, so that two methods whose weights are proportional give
    proportional heatmaps up to one rounding of the result, and so the same boxes.

    Args:
        weights: ``[N, K, C]``.
        maps: ``[N, C, h, w]``.

    Returns:
        Heatmaps ``[N, K, h, w]``, detached; float64 if the maps are, float32 otherwise.
    """
    wide = accumulator(maps)
    total = torch.einsum("nck,nkij->ncij", weights.detach().to(wide), maps.detach().to(wide))
    return total.to(torch.promote_types(maps.dtype, torch.float32))


def enlarged(heatmaps: Tensor, size: Sequence[int]) -> Tensor:
    """Enlarge heatmaps ``[N, K, h, w]`` to ``[N, K, *size]``, bilinearly with aligned corners.

    The authors' code enlarges them this way (protocol §1.3); :func:`benchmark.core.heatmaps.upsample` does
    the same for an original image's pixels on the host.
    """
    return F.interpolate(heatmaps, size=list(size), mode="bilinear", align_corners=True)


def accumulator(tensor: Tensor) -> torch.dtype:
    """Return the widest float type of the tensor's device: float64, or float32 on Apple's."""
    return torch.float32 if tensor.device.type == "mps" else torch.float64
