"""Excitation backprop a second time, slowly: by a model's structure instead of its recorded operations."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torchvision.models.googlenet import BasicConv2d, Inception

from helpers.small_models import Branches, FunctionalReLU, Residual, SpatialMean

IDENTITY = (
    nn.ReLU,
    FunctionalReLU,
    nn.LocalResponseNorm,
    nn.BatchNorm2d,
    nn.Dropout,
    nn.Flatten,
    nn.Identity,
)
AVERAGE = (nn.AvgPool2d, nn.AdaptiveAvgPool2d, SpatialMean)
MAXIMUM = (nn.MaxPool2d, nn.AdaptiveMaxPool2d)

Step = Callable[[nn.Module, Tensor, Tensor, float], Tensor]
"""From a layer, its input, its output's probability and the weights' sign to its input's probability."""


def dense(layer: nn.Module, a: Tensor, p: Tensor, sign: float = 1) -> Tensor:
    """``P(a_j) = Σ_i P(a_j|a_i) P(a_i)`` with the matrix ``P(a_j|a_i) = a_j W+_ij / Σ_j a_j W+_ij``."""
    if isinstance(layer, MAXIMUM):
        jacobian: Tensor = torch.func.jacrev(layer)(a)
        return (p.flatten(1) @ jacobian.reshape(-1, a.numel())).reshape(-1, *a.shape[1:])
    units = torch.eye(a.numel(), dtype=a.dtype).reshape(-1, *a.shape[1:])
    w = (layer(units) - layer(torch.zeros_like(a))).flatten(1).T  # of an affine layer: its Jacobian
    joint = (sign * w).clamp(min=0) * a.flatten()
    total = joint.sum(1, keepdim=True)
    given = torch.where(total > 0 if isinstance(layer, AVERAGE) else total != 0, joint / total, 0.0)
    return (p.flatten(1) @ given).reshape(-1, *a.shape[1:])


def implicit(layer: nn.Module, a: Tensor, p: Tensor, sign: float = 1) -> Tensor:
    """The same, one vector-Jacobian product for each layer: for models too large for matrices."""
    positive = copy.deepcopy(layer)
    if isinstance(positive, nn.Conv2d | nn.Linear):
        positive.weight.copy_((sign * positive.weight).clamp(min=0))
        if positive.bias is not None:
            positive.bias.zero_()
    a = a.clone().requires_grad_()
    total = positive(a)
    p = p if isinstance(layer, MAXIMUM) else torch.where(total == 0, 0.0, p / total)
    (back,) = torch.autograd.grad(total, a, p)
    return back if isinstance(layer, MAXIMUM) else (a * back).detach()


def descend(module: nn.Module, a: Tensor, p: Tensor, step: Step) -> Tensor:
    """The probability of a module's input from that of its output, by its structure."""
    if isinstance(module, nn.Sequential):
        return descend_all(list(module), a, p, step)
    if isinstance(module, BasicConv2d):
        return descend_all([module.conv, module.bn, FunctionalReLU()], a, p, step)
    if isinstance(module, Inception):
        ways = [module.branch1, module.branch2, module.branch3, module.branch4]
        return descend(Branches(ways), a, p, step)
    if isinstance(module, Branches):
        parts = torch.split(p, [way(a).shape[1] for way in module], 1)
        return torch.stack(
            [descend(way, a, part, step) for way, part in zip(module, parts, strict=True)]
        ).sum(0)
    if isinstance(module, Residual):
        ways = [module.way(a.clone()), module.skip(a.clone())]
        ratio = torch.where(ways[0] + ways[1] == 0, 0.0, p / (ways[0] + ways[1]))
        return descend(module.way, a, ways[0] * ratio, step) + descend(module.skip, a, ways[1] * ratio, step)
    return p.reshape(-1, *a.shape[1:]) if isinstance(module, IDENTITY) else step(module, a, p, 1)


def descend_all(modules: list[nn.Module], a: Tensor, p: Tensor, step: Step, contrast: int = -1) -> Tensor:
    """Through a chain; ``contrast`` is the place of the classifier to contrast at."""
    inputs = [a]
    for module in modules:
        inputs.append(module(inputs[-1].clone()))
    for place in reversed(range(len(modules))):
        module, a = modules[place], inputs[place]
        if place == contrast:
            p = step(module, a, p, 1) - step(module, a, p, -1)
        else:
            p = descend(module, a, p, step)
    return p
