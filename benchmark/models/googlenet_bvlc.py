"""BVLC GoogLeNet, the Caffe zoo's replication of Inception v1 (LRN, no batch norm), and GoogLeNet-CAM.

Sources: Szegedy et al., "Going Deeper with Convolutions" (CVPR 2015), table 1, with the names, the rounding
and the normalisation of the zoo's ``bvlc_googlenet/deploy.prototxt``; Zhou et al., "Learning Deep Features
for Discriminative Localization" (CVPR 2016), §3, with the grouping and the names of the authors'
``train_val_googlenetCAM.prototxt`` (protocol §2.2).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.core.types import Model
from benchmark.models.caffe_layers import load_net, local_response_norm, named, pooling, scaled

Widths = tuple[int, int, int, int, int, int]
"""Channels of the layers ``1x1``, ``3x3_reduce``, ``3x3``, ``5x5_reduce``, ``5x5`` and ``pool_proj``."""

_BLOCKS: dict[str, Widths] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
_POOL_AFTER = {"3b": "pool3", "4e": "pool4"}


def load(width: float = 1.0, outputs: int = 1000, **options: Any) -> Model:
    """Build BVLC GoogLeNet and load its parameters; see :func:`benchmark.models.caffe_layers.load_net`."""
    return load_net(googlenet, width, outputs, options)


def load_cam(width: float = 1.0, outputs: int = 1000, **options: Any) -> Model:
    """Build GoogLeNet-CAM and load its parameters; see :func:`benchmark.models.caffe_layers.load_net`."""
    return load_net(googlenet_cam, width, outputs, options)


def googlenet(width: float = 1.0, outputs: int = 1000) -> nn.Sequential:
    """Build GoogLeNet with fresh parameters; it maps ``[N, 3, 224, 224]`` to logits ``[N, outputs]``.

    The auxiliary classifiers, which serve training alone, are left out.
    """
    layers, channels = _up_to("5b", width)
    layers["pool5"] = named(
        {"7x7_s1": nn.AvgPool2d(7, 1), "drop_7x7_s1": nn.Dropout(0.4), "flat": nn.Flatten()}
    )
    layers["loss3"] = named({"classifier": nn.Linear(channels, outputs)})
    return named(layers)


def googlenet_cam(width: float = 1.0, outputs: int = 1000) -> nn.Sequential:
    """Build GoogLeNet-CAM with fresh parameters; it maps ``[N, 3, 224, 224]`` to logits ``[N, outputs]``.

    GoogLeNet is cut after ``inception_4e``; a convolution, average pooling and one linear layer follow.
    Unlike VGG16-CAM it has no dropout.
    """
    layers, channels = _up_to("4e", width)
    maps = scaled(1024, width)
    layers["CAM_conv"] = nn.Conv2d(channels, maps, 3, padding=1, groups=2)
    layers["CAM_relu"] = nn.ReLU()
    layers["CAM_pool"] = nn.AvgPool2d(14, 14)
    layers["flat"] = nn.Flatten()
    layers["CAM_fc"] = nn.Linear(maps, outputs)
    return named(layers)


def _up_to(last: str, width: float) -> tuple[dict[str, nn.Module], int]:
    """Build the layers from the image to an inception block; return them with their output channels."""
    layers, channels = _stem(width)
    for name, full in _BLOCKS.items():
        block = Inception(channels, full, width)
        layers[f"inception_{name}"], channels = block, block.channels
        if name == last:
            break
        if name in _POOL_AFTER:
            layers[_POOL_AFTER[name]] = named({"3x3_s2": pooling(3, 2)})
    return layers, channels


def _stem(width: float) -> tuple[dict[str, nn.Module], int]:
    """Build ``conv1`` to ``pool2``; return them with their output channels."""
    first, reduced, second = (scaled(channels, width) for channels in (64, 64, 192))
    layers: dict[str, nn.Module] = {
        "conv1": named({"7x7_s2": nn.Conv2d(3, first, 7, stride=2, padding=3), "relu_7x7": nn.ReLU()}),
        "pool1": named({"3x3_s2": pooling(3, 2), "norm1": local_response_norm()}),
        "conv2": named(
            {
                "3x3_reduce": nn.Conv2d(first, reduced, 1),
                "relu_3x3_reduce": nn.ReLU(),
                "3x3": nn.Conv2d(reduced, second, 3, padding=1),
                "relu_3x3": nn.ReLU(),
                "norm2": local_response_norm(),
            }
        ),
        "pool2": named({"3x3_s2": pooling(3, 2)}),
    }
    return layers, second


class Inception(nn.Module):
    """An inception block: four branches side by side, from ``[N, C, H, W]`` to ``[N, channels, H, W]``.

    Attributes:
        channels: Number of output channels.
    """

    def __init__(self, inputs: int, full: Widths, width: float) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, proj = (scaled(channels, width) for channels in full)
        self.channels = one + three + five + proj
        self.add_module("1x1", nn.Conv2d(inputs, one, 1))
        self.add_module("3x3_reduce", nn.Conv2d(inputs, reduce3, 1))
        self.add_module("3x3", nn.Conv2d(reduce3, three, 3, padding=1))
        self.add_module("5x5_reduce", nn.Conv2d(inputs, reduce5, 1))
        self.add_module("5x5", nn.Conv2d(reduce5, five, 5, padding=2))
        self.add_module("pool", nn.MaxPool2d(3, 1, padding=1))
        self.add_module("pool_proj", nn.Conv2d(inputs, proj, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Concatenate the rectified branches in Caffe's order."""
        branches = (
            self._rectified("1x1", x),
            self._rectified("3x3", self._rectified("3x3_reduce", x)),
            self._rectified("5x5", self._rectified("5x5_reduce", x)),
            self._rectified("pool_proj", self.get_submodule("pool")(x)),
        )
        return torch.cat(branches, 1)

    def _rectified(self, name: str, x: Tensor) -> Tensor:
        return F.relu(self.get_submodule(name)(x))
