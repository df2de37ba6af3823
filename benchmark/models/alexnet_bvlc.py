"""BVLC AlexNet: the Caffe zoo's replication, with groups and LRN.

Source: Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks" (NIPS 2012),
§3.5, with the names, the rounding and the order (normalised, then pooled) of the zoo's
``bvlc_alexnet/deploy.prototxt``.
"""

from typing import Any

from torch import nn

from benchmark.core.types import Model
from benchmark.models.caffe_layers import load_net, local_response_norm, named, pooling, scaled

_CELLS = 6 * 6
"""Number of cells of ``pool5``, for an input of 227 pixels."""


def load(width: float = 1.0, outputs: int = 1000, **options: Any) -> Model:
    """Build BVLC AlexNet and load its parameters; see :func:`benchmark.models.caffe_layers.load_net`."""
    return load_net(alexnet, width, outputs, options)


def alexnet(width: float = 1.0, outputs: int = 1000) -> nn.Sequential:
    """Build the net with fresh parameters; it maps ``[N, 3, 227, 227]`` to logits ``[N, outputs]``."""
    one, two, wide, hidden = (scaled(channels, width) for channels in (96, 256, 384, 4096))
    layers: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(3, one, 11, stride=4),
        "relu1": nn.ReLU(),
        "norm1": local_response_norm(),
        "pool1": pooling(3, 2),
        "conv2": nn.Conv2d(one, two, 5, padding=2, groups=2),
        "relu2": nn.ReLU(),
        "norm2": local_response_norm(),
        "pool2": pooling(3, 2),
        "conv3": nn.Conv2d(two, wide, 3, padding=1),
        "relu3": nn.ReLU(),
        "conv4": nn.Conv2d(wide, wide, 3, padding=1, groups=2),
        "relu4": nn.ReLU(),
        "conv5": nn.Conv2d(wide, two, 3, padding=1, groups=2),
        "relu5": nn.ReLU(),
        "pool5": pooling(3, 2),
        "flat": nn.Flatten(),
        "fc6": nn.Linear(two * _CELLS, hidden),
        "relu6": nn.ReLU(),
        "drop6": nn.Dropout(0.5),
        "fc7": nn.Linear(hidden, hidden),
        "relu7": nn.ReLU(),
        "drop7": nn.Dropout(0.5),
        "fc8": nn.Linear(hidden, outputs),
    }
    return named(layers)
