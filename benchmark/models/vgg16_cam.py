"""VGG16-CAM: VGG-16 cut after ``conv5_3``, one more convolution, global average pooling, one linear layer.

Source: Zhou et al., "Learning Deep Features for Discriminative Localization" (CVPR 2016), §3, with the
grouping and the names of the authors' ``deploy_vgg16CAM.prototxt`` (protocol §2.2).
"""

from typing import Any

from torch import nn

from benchmark.assembly import ModelSpec
from benchmark.caffe_layers import load_caffe, named, pooling, scaled
from benchmark.types import Model
from benchmark.weights.parameters import empty

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of ``conv1_1`` to ``conv5_3``."""


def load(width: float = 1.0, **options: Any) -> Model:
    """Build the net and load its parameters.

    Args:
        width: Factor on the channels of all layers but the classifier; the authors' file needs 1.
        options: The fields of :class:`benchmark.assembly.ModelSpec`.

    Raises:
        UserError: If the weights are absent, wrong or broken.
    """
    return load_caffe(empty(lambda: vgg16_cam(width)), ModelSpec(**options))


def vgg16_cam(width: float = 1.0) -> nn.Sequential:
    """``[N, 3, 224, 224]`` to logits ``[N, 1000]``; parameters as torch initialises them."""
    layers: dict[str, nn.Module] = {}
    channels = 3
    for stage, widths in enumerate(_STAGES, start=1):
        for number, full in enumerate(widths, start=1):
            layers[f"conv{stage}_{number}"] = nn.Conv2d(channels, scaled(full, width), 3, padding=1)
            layers[f"relu{stage}_{number}"] = nn.ReLU()
            channels = scaled(full, width)
        if stage < len(_STAGES):
            layers[f"pool{stage}"] = pooling(2, 2)
    maps = scaled(1024, width)
    layers["CAM_conv"] = nn.Conv2d(channels, maps, 3, padding=1, groups=2)
    layers["CAM_relu"] = nn.ReLU()
    layers["CAM_pool"] = nn.AvgPool2d(14, 14)
    layers["CAM_dropout"] = nn.Dropout(0.5)
    layers["flat"] = nn.Flatten()
    layers["CAM_fc"] = nn.Linear(maps, 1000)
    return named(layers)
