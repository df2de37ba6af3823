"""A network with the layers that the Caffe nets lack: batch norm, and an LRN with a strong effect."""

import torch
from torch import nn

from benchmark.core.types import InputFormat, Model, Weights

_SIZE = 32


def normed() -> Model:
    """Build a seeded network from ``[N, 3, 32, 32]`` through batch norm and LRN to 12 logits."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        norm = nn.BatchNorm2d(8)
        for values, low, high in (
            (norm.running_mean, -0.3, 0.3),
            (norm.running_var, 0.5, 2.0),
            (norm.weight, 0.5, 2.0),
            (norm.bias, -0.3, 0.3),
        ):
            nn.init.uniform_(values, low, high)  # type: ignore[arg-type]
        module = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            norm,
            nn.ReLU(),
            nn.LocalResponseNorm(5, alpha=0.5),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 12, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(12, 12),
        )
    module.eval().requires_grad_(False)
    layers = {"excitation": "4", "last_conv": "6", "penultimate": "7", "classifier": "9"}
    form = InputFormat(_SIZE, (0.4, 0.5, 0.6), (0.2, 0.2, 0.2), scale=1 / 255)
    return Model("normed", module, form, layers, Weights("random (seed 0)", "none"))
