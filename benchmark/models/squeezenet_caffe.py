"""SqueezeNet v1.0 as DeepScale published it for Caffe.

Source: Iandola et al., "SqueezeNet" (2016), table 1, with the names, the rounding and the padding of
``SqueezeNet_v1.0/deploy.prototxt``. ``conv10`` is padded by 1, so its maps are 15x15 and its average counts a
border of biases; torchvision's version is not padded.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.core.types import Model
from benchmark.models.caffe_layers import load_net, named, pooling, scaled

_FIRES = {
    2: (16, 64),
    3: (16, 64),
    4: (32, 128),
    5: (32, 128),
    6: (48, 192),
    7: (48, 192),
    8: (64, 256),
    9: (64, 256),
}
"""Number of each fire module, with the channels of its squeeze layer and of each expand layer."""


def load(width: float = 1.0, outputs: int = 1000, **options: Any) -> Model:
    """Build SqueezeNet and load its parameters; see :func:`benchmark.models.caffe_layers.load_net`."""
    return load_net(squeezenet, width, outputs, options)


def squeezenet(width: float = 1.0, outputs: int = 1000) -> nn.Sequential:
    """Build the net with fresh parameters; it maps ``[N, 3, 227, 227]`` to logits ``[N, outputs]``."""
    channels = scaled(96, width)
    layers: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(3, channels, 7, stride=2),
        "relu_conv1": nn.ReLU(),
        "pool1": pooling(3, 2),
    }
    for number, full in _FIRES.items():
        squeeze, expand = (scaled(each, width) for each in full)
        layers[f"fire{number}"] = Fire(channels, squeeze, expand)
        channels = 2 * expand
        if number in (4, 8):
            layers[f"pool{number}"] = pooling(3, 2)
    layers["drop9"] = nn.Dropout(0.5)
    layers["conv10"] = nn.Conv2d(channels, outputs, 1, padding=1)
    layers["relu_conv10"] = nn.ReLU()
    layers["pool10"] = nn.AdaptiveAvgPool2d(1)
    layers["flat"] = nn.Flatten()
    return named(layers)


class Fire(nn.Module):
    """A fire module: a squeeze layer, then two expand layers side by side.

    It maps ``[N, C, H, W]`` to ``[N, 2 expand, H, W]``.
    """

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Concatenate the rectified expand layers."""
        narrow = F.relu(self.squeeze1x1(x))
        return torch.cat((F.relu(self.expand1x1(narrow)), F.relu(self.expand3x3(narrow))), 1)
