"""BVLC AlexNet against the same net as one function, from the zoo's prototxt."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from helpers.caffe_nets import (
    Blobs,
    Shapes,
    conv,
    conv_halves,
    linear,
    norm,
    pool,
    read_back,
    require_same_scores,
    shapes_of,
)
from helpers.caffe_wire import FORMATS, random_blobs
from torch import Tensor

from benchmark.models.alexnet_bvlc import alexnet


def net(blobs: Blobs, x: Tensor) -> Tensor:
    x = pool(norm(conv(blobs, "conv1", x, stride=4)))
    x = pool(norm(conv_halves(blobs, "conv2", x, padding=2)))
    x = conv_halves(blobs, "conv4", conv(blobs, "conv3", x, padding=1), padding=1)
    x = pool(conv_halves(blobs, "conv5", x, padding=1))
    weight, bias = (torch.from_numpy(blob) for blob in blobs["fc6"])
    x = F.relu(F.conv2d(x, weight.reshape(-1, x.shape[1], 6, 6), bias.reshape(-1)))[..., 0, 0]
    return linear(blobs, "fc8", F.relu(linear(blobs, "fc7", x)))


def shapes(divisor: int) -> Shapes:
    """Shapes of the zoo's file (protocol §8.5), all channels but the classes divided."""
    one, two, wide, hidden = (channels // divisor for channels in (96, 256, 384, 4096))
    weights = {
        "conv1": (one, 3, 11, 11),
        "conv2": (two, one // 2, 5, 5),
        "conv3": (wide, two, 3, 3),
        "conv4": (wide, wide // 2, 3, 3),
        "conv5": (two, wide // 2, 3, 3),
        "fc6": (hidden, two * 36),
        "fc7": (hidden, hidden),
        "fc8": (1000, hidden),
    }
    return {name: [shape, shape[:1]] for name, shape in weights.items()}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_in_any_format_gives_the_scores_of_the_function(kind: str, tmp_path: Path) -> None:
    blobs = random_blobs(shapes(16))
    model = read_back("alexnet_bvlc", FORMATS[kind].net(blobs), tmp_path, "model.width=0.0625")
    require_same_scores(model.module, net, blobs, 227)


@pytest.mark.slow
def test_a_file_of_the_zoos_size_gives_the_scores_of_the_function(tmp_path: Path) -> None:
    blobs = random_blobs(shapes(1))
    model = read_back("alexnet_bvlc", FORMATS["new packed"].net(blobs), tmp_path)
    require_same_scores(model.module, net, blobs, 227)


def test_the_shapes_at_full_width_are_the_zoos() -> None:
    with torch.device("meta"):
        assert shapes_of(alexnet()) == shapes(1)
    assert shapes(1)["fc6"] == [(4096, 9216), (4096,)]


def test_the_sizes_of_all_stages_are_caffes() -> None:
    sizes, x = [227], torch.zeros(1, 3, 227, 227)
    for _, stage in list(alexnet(0.03125).eval().named_children())[:15]:
        x = stage(x)
        sizes.append(x.shape[-1])
    assert [size for before, size in pairwise(sizes) if before != size] == [55, 27, 13, 6]


def test_groups_divide_the_channels_at_any_width() -> None:
    for width in (0.01, 0.05, 0.09375, 0.3):
        assert alexnet(width, 24).eval()(torch.zeros(1, 3, 227, 227)).shape == (1, 24)
