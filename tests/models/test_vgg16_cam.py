"""VGG16-CAM against the same net as one function, from the authors' prototxt."""

from pathlib import Path

import pytest
import torch
from caffe_nets import Blobs, Shapes, conv, linear, pool, read_back, require_same_scores
from caffe_wire import FORMATS, random_blobs
from torch import Tensor

CHANNELS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
NAMES = [f"conv{stage}_{i}" for stage, depth in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, depth + 1)]


def net(blobs: Blobs, x: Tensor) -> Tensor:
    for name in NAMES:
        x = conv(blobs, name, x, padding=1)
        x = pool(x, 2) if name in ("conv1_2", "conv2_2", "conv3_3", "conv4_3") else x
    return linear(blobs, "CAM_fc", conv(blobs, "CAM_conv", x, padding=1, groups=2).mean((2, 3)))


def shapes(divisor: int) -> Shapes:
    """Shapes of the authors' file (protocol §8.5), all channels but the classes divided."""
    inputs = (3 * divisor, *CHANNELS)
    trunk = {
        name: [(out // divisor, into // divisor, 3, 3), (out // divisor,)]
        for name, into, out in zip(NAMES, inputs, CHANNELS, strict=False)
    }
    maps = 1024 // divisor
    return {**trunk, "CAM_conv": [(maps, 256 // divisor, 3, 3), (maps,)], "CAM_fc": [(1000, maps), (1000,)]}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_in_any_format_gives_the_scores_of_the_function(kind: str, tmp_path: Path) -> None:
    blobs = random_blobs(shapes(16))
    model = read_back("vgg16_cam", FORMATS[kind].net(blobs), tmp_path, "model.width=0.0625")
    require_same_scores(model.module, net, blobs, 224)


@pytest.mark.slow
def test_a_file_of_the_authors_size_gives_the_scores_of_the_function(tmp_path: Path) -> None:
    blobs = random_blobs(shapes(1))
    model = read_back("vgg16_cam", FORMATS["v1 packed"].net(blobs), tmp_path)
    require_same_scores(model.module, net, blobs, 224)


def test_the_last_maps_are_those_that_are_pooled(tmp_path: Path) -> None:
    blobs = random_blobs(shapes(16))
    model = read_back("vgg16_cam", FORMATS["v1 packed"].net(blobs), tmp_path, "model.width=0.0625")
    kept: list[Tensor] = []
    model.module.get_submodule(model.layers["last_conv"]).register_forward_hook(
        lambda _module, _inputs, output: kept.append(output)
    )
    logits = model.module(torch.randn((1, 3, 224, 224), generator=torch.Generator().manual_seed(1)))
    assert kept[0].shape == (1, 64, 14, 14)
    torch.testing.assert_close(linear(blobs, "CAM_fc", kept[0].mean((2, 3))), logits)
