"""Class activation mapping (Zhou et al., CVPR 2016)."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.attribution.common.class_activation import feature_maps, weighted_sum
from benchmark.attribution.common.method import LayerMethod
from benchmark.core.errors import UserError
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import find_layer, probe


@dataclass(frozen=True)
class CAM(LayerMethod):
    """CAM: ``M^c_ij = Σ_k w^c_k f^k_ij``, for models that end in global average pooling.

    The scores of such models are ``S^c = Σ_k w^c_k · mean_ij f^k_ij + b^c``: ``f^k`` is the k-th map of the
    layer and ``w^c_k`` the weight of the linear classifier after the pooling. Neither a ReLU nor the bias is
    applied. Source: Zhou et al., §2, equations 1 and 2; protocol §2.1. On such models Grad-CAM is the
    positive part of this map, divided by its number of cells (protocol §2.4).
    """

    name: str = "cam"
    layer: str = "last_conv"

    def check(self, model: Model) -> None:
        """Check that the pooled maps of one image of noise give the model's scores.

        Raises:
            UserError: Where the model does not end in global average pooling and one linear layer.
        """
        head = _head(model)
        forward = probe(model, self.layers)
        maps = feature_maps(model, forward, self.layer, tokens=True)
        channels, wanted = maps.shape[1], head.in_features
        if channels != wanted:
            raise _unfit(
                model, self.layer, f"{channels} channels at {self.layer}, {wanted} classifier inputs"
            )
        scores = F.linear(maps.mean((2, 3)), head.weight, head.bias)
        tolerance = 0.05 if scores.element_size() < 4 else 1e-3
        if not (scores - forward.logits).abs().max() <= tolerance * forward.logits.abs().max():
            raise _unfit(model, self.layer, "scores that its pooled maps do not give")

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, h, w]`` at the layer's resolution, signed."""
        return weighted_sum(
            _head(model).weight[classes], feature_maps(model, forward, self.layer, tokens=True)
        )


def _head(model: Model) -> nn.Linear:
    head = model.module.get_submodule(find_layer(model, "classifier"))
    if not isinstance(head, nn.Linear):
        raise _unfit(model, "last_conv", f"a {type(head).__name__} as its classifier")
    return head


def _unfit(model: Model, layer: str, found: str) -> UserError:
    needs = f"method cam needs global average pooling and one linear layer straight after {layer}"
    return UserError(f"{needs}; {model.name} has {found}; choose method=grad_cam, or model=googlenet_bvlc")
