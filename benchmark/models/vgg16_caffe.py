"""VGG-16 as its authors published it for Caffe, and VGG16-CAM, which CAM's authors cut out of it.

Sources: Simonyan and Zisserman, "Very Deep Convolutional Networks" (ICLR 2015), table 1, column D, with the
names of ``VGG_ILSVRC_16_layers_deploy.prototxt``; Zhou et al., "Learning Deep Features for Discriminative
Localization" (CVPR 2016), §3, with the grouping and the names of ``deploy_vgg16CAM.prototxt`` (protocol
§2.2).
"""

from typing import Any

from torch import nn

from benchmark.core.types import Model
from benchmark.models.caffe_layers import load_net, named, pooling, scaled

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of ``conv1_1`` to ``conv5_3``."""
_CELLS = 7 * 7
"""Number of cells of ``pool5``, for an input of 224 pixels."""


def load(width: float = 1.0, outputs: int = 1000, **options: Any) -> Model:
    """Build VGG-16 and load its parameters; see :func:`benchmark.models.caffe_layers.load_net`."""
    return load_net(vgg16, width, outputs, options)


def load_cam(width: float = 1.0, outputs: int = 1000, **options: Any) -> Model:
    """Build VGG16-CAM and load its parameters; see :func:`benchmark.models.caffe_layers.load_net`."""
    return load_net(vgg16_cam, width, outputs, options)


def vgg16(width: float = 1.0, outputs: int = 1000) -> nn.Sequential:
    """Build VGG-16 with fresh parameters; it maps ``[N, 3, 224, 224]`` to logits ``[N, outputs]``."""
    layers = _convolutions(width)
    layers["pool5"] = pooling(2, 2)
    layers["flat"] = nn.Flatten()  # channel by channel, as Caffe does
    inputs, hidden = scaled(512, width) * _CELLS, scaled(4096, width)
    for number in (6, 7):
        layers[f"fc{number}"] = nn.Linear(inputs, hidden)
        layers[f"relu{number}"] = nn.ReLU()
        layers[f"drop{number}"] = nn.Dropout(0.5)
        inputs = hidden
    layers["fc8"] = nn.Linear(hidden, outputs)
    return named(layers)


def vgg16_cam(width: float = 1.0, outputs: int = 1000) -> nn.Sequential:
    """Build VGG16-CAM with fresh parameters; it maps ``[N, 3, 224, 224]`` to logits ``[N, outputs]``.

    VGG-16 is cut after ``conv5_3``; a convolution, average pooling and one linear layer follow.
    """
    layers = _convolutions(width)
    maps = scaled(1024, width)
    layers["CAM_conv"] = nn.Conv2d(scaled(512, width), maps, 3, padding=1, groups=2)
    layers["CAM_relu"] = nn.ReLU()
    layers["CAM_pool"] = nn.AvgPool2d(14, 14)
    layers["CAM_dropout"] = nn.Dropout(0.5)
    layers["flat"] = nn.Flatten()
    layers["CAM_fc"] = nn.Linear(maps, outputs)
    return named(layers)


def _convolutions(width: float) -> dict[str, nn.Module]:
    """Build ``conv1_1`` to ``relu5_3``, without the last pooling."""
    layers: dict[str, nn.Module] = {}
    channels = 3
    for stage, widths in enumerate(_STAGES, start=1):
        for number, full in enumerate(widths, start=1):
            layers[f"conv{stage}_{number}"] = nn.Conv2d(channels, scaled(full, width), 3, padding=1)
            layers[f"relu{stage}_{number}"] = nn.ReLU()
            channels = scaled(full, width)
        if stage < len(_STAGES):
            layers[f"pool{stage}"] = pooling(2, 2)
    return layers
