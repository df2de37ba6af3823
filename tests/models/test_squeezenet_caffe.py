"""DeepScale's SqueezeNet against the same net as one function."""

from pathlib import Path

import pytest
import torch
from helpers.caffe_nets import Blobs, Shapes, conv, pool, read_back, require_same_scores, shapes_of
from helpers.caffe_wire import FORMATS, random_blobs
from helpers.every_model import make
from torch import Tensor

from benchmark.models.squeezenet_caffe import squeezenet
from benchmark.models.weights.caffemodel import read_caffemodel


def net(blobs: Blobs, x: Tensor) -> Tensor:
    x = pool(conv(blobs, "conv1", x, stride=2))
    for number in range(2, 10):
        x = conv(blobs, f"fire{number}/squeeze1x1", x)
        wide = [
            conv(blobs, f"fire{number}/expand1x1", x),
            conv(blobs, f"fire{number}/expand3x3", x, padding=1),
        ]
        x = torch.cat(wide, 1)
        x = pool(x) if number in (4, 8) else x
    return conv(blobs, "conv10", x, padding=1).mean((2, 3))


def shapes(width: float) -> Shapes:
    return shapes_of(squeezenet(width))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_in_any_format_gives_the_scores_of_the_function(kind: str, tmp_path: Path) -> None:
    blobs = random_blobs(shapes(0.125))
    model = read_back("squeezenet_caffe", FORMATS[kind].net(blobs), tmp_path, "model.width=0.125")
    require_same_scores(model.module, net, blobs, 227)


def test_the_maps_of_the_classifier_are_padded() -> None:
    module = squeezenet(0.125).eval()
    sizes = {}
    x = torch.zeros(1, 3, 227, 227)
    for name, stage in list(module.named_children())[:-2]:
        x = stage(x)
        sizes[name] = x.shape[-1]
    assert [sizes[name] for name in ("conv1", "pool1", "pool4", "pool8", "conv10")] == [
        113 - 2,
        55,
        27,
        13,
        15,
    ]


@pytest.mark.slow
def test_the_real_file_gives_the_scores_of_the_function(shared: Path) -> None:
    model = make("squeezenet_caffe", f"weights_dir={shared / 'weights'}")
    blobs = read_caffemodel(shared / "weights" / "squeezenet_v1.0.caffemodel")
    assert {name: [blob.shape for blob in both] for name, both in blobs.items()} == shapes(1.0)
    require_same_scores(model.module, net, blobs, 227)
