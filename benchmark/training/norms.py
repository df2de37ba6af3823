"""Batch norm that exists during training alone.

Plain deep nets of 2014 do not train from scratch on a few thousand images. With a batch norm after every
convolution and hidden linear layer they do, and what it has become is folded into that layer in what is saved
(Ioffe & Szegedy 2015, §3.2, read backwards): with ``s = γ / sqrt(σ² + ε)``, the norm of ``W x + b`` is
``(s W) x + s (b - μ) + β``. So the saved net is the plain one, up to rounding.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from benchmark.core.errors import UserError

_PARTS = (("layer", ("weight", "bias")), ("norm", ("running_mean", "running_var", "weight", "bias")))


class Normed(nn.Module):
    """A convolution or linear layer and its norm, in the place and under the name of the layer."""

    def __init__(self, layer: nn.Conv2d | nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        flat = isinstance(layer, nn.Linear)
        self.norm: Any = (nn.BatchNorm1d if flat else nn.BatchNorm2d)(len(layer.weight))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to ``[N, C, H, W]`` or ``[N, C]``, then the norm."""
        normed: Tensor = self.norm(self.layer(x))
        return normed


def add_norms(module: nn.Module, spared: Iterable[str]) -> None:
    """Put a norm after every convolution and linear layer, in place.

    Args:
        module: A module of plain layers with biases, into which the norms can be folded.
        spared: Names of layers that get none: the classifier.

    Raises:
        UserError: If the module has norms of its own, or a layer has no bias.
    """
    spared = set(spared)
    for name, layer in list(module.named_modules()):
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            raise UserError(
                f"train.batch_norm=true: the model has norms of its own ({name}); set train.batch_norm=false"
            )
        if isinstance(layer, nn.Conv2d | nn.Linear) and name not in spared:
            if layer.bias is None:
                raise UserError(
                    f"train.batch_norm=true: layer {name} has no bias to fold a norm into; set "
                    "train.batch_norm=false"
                )
            parent, _, last = name.rpartition(".")
            # Assigned in the registry: a layer's name ("3x3") need not be an identifier.
            module.get_submodule(parent)._modules[last] = Normed(layer)


@torch.no_grad()
def folded(module: nn.Module) -> dict[str, Tensor]:
    """Return the state dict of the plain net that computes what this one does in evaluation mode."""
    state = {key: value.detach() for key, value in module.state_dict().items()}
    for name, layer in _normed(module):
        own = {key: state.pop(key) for key in list(state) if key.startswith(f"{name}.")}
        (w, b), (mean, variance, gamma, beta) = (
            [own[f"{name}.{part}.{key}"].double() for key in keys] for part, keys in _PARTS
        )
        fused = fuse_conv_bn_weights(w, b, mean, variance, layer.norm.eps, gamma, beta)
        for key, value in zip(("weight", "bias"), fused, strict=True):
            state[f"{name}.{key}"] = value.detach().to(layer.layer.weight.dtype)
    return state


@torch.no_grad()
def calibrate(module: nn.Module, names: Sequence[str], inputs: Tensor) -> None:
    """Set the norms of layers that start from given weights so that each changes nothing at first.

    A fresh norm would throw away the scale and the mean that the given layers were trained to pass on. Here
    its statistics are those of the first images, and its own scale and shift undo them.

    Args:
        module: A module with norms; left in training mode.
        names: Names of the layers that were copied; others keep a fresh norm.
        inputs: ``[N, 3, S, S]``.
    """
    seen: dict[str, Tensor] = {}
    layers = {name: layer for name, layer in _normed(module) if name in names}
    with ExitStack() as hooks:
        for name, layer in layers.items():
            hooks.enter_context(layer.layer.register_forward_hook(_keeping(seen, name)))
        module.eval()  # where a fresh norm is the identity, up to ε
        module(inputs)
    for name, layer in layers.items():
        variance, mean = torch.var_mean(seen[name].movedim(1, -1).flatten(0, -2), 0, correction=0)
        layer.norm.running_mean.copy_(mean)
        layer.norm.running_var.copy_(variance)
        layer.norm.weight.copy_((variance + layer.norm.eps).sqrt())
        layer.norm.bias.copy_(mean)
    module.train()


def _keeping(seen: dict[str, Tensor], name: str) -> Any:
    def keep(_layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        seen[name] = output

    return keep


def _normed(module: nn.Module) -> Iterator[tuple[str, Normed]]:
    for name, layer in module.named_modules():
        if isinstance(layer, Normed):
            yield name, layer
