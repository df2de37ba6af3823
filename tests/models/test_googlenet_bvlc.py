"""BVLC GoogLeNet and GoogLeNet-CAM against the same nets as functions, in every format of their files."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from helpers.caffe_nets import (
    Blobs,
    Net,
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
from helpers.caffe_wire import FORMATS, Format, random_blobs
from helpers.every_model import make
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.models.googlenet_bvlc import googlenet, googlenet_cam
from benchmark.models.weights.caffemodel import read_caffemodel

BLOCKS = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


def trunk(blobs: Blobs, x: Tensor, blocks: tuple[str, ...]) -> Tensor:
    x = norm(pool(conv(blobs, "conv1/7x7_s2", x, stride=2, padding=3)))
    x = pool(norm(conv(blobs, "conv2/3x3", conv(blobs, "conv2/3x3_reduce", x), padding=1)))
    for block in blocks:
        x = pool(x) if block in ("4a", "5a") else x
        x = inception(blobs, f"inception_{block}", x)
    return x


def net(blobs: Blobs, x: Tensor) -> Tensor:
    return linear(blobs, "loss3/classifier", trunk(blobs, x, BLOCKS).mean((2, 3)))


def cam_net(blobs: Blobs, x: Tensor) -> Tensor:
    maps = conv_halves(blobs, "CAM_conv", trunk(blobs, x, BLOCKS[:7]), padding=1)
    assert maps.shape[2:] == (14, 14)
    return linear(blobs, "CAM_fc", maps.mean((2, 3)))


def inception(blobs: Blobs, name: str, x: Tensor) -> Tensor:
    around = F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=-torch.inf), 3, 1)
    branches = [
        conv(blobs, f"{name}/1x1", x),
        conv(blobs, f"{name}/3x3", conv(blobs, f"{name}/3x3_reduce", x), padding=1),
        conv(blobs, f"{name}/5x5", conv(blobs, f"{name}/5x5_reduce", x), padding=2),
        conv(blobs, f"{name}/pool_proj", around),
    ]
    return torch.cat(branches, 1)


def shapes(width: float) -> Shapes:
    """Caffe's names and shapes; at width 1 those of the real file (tested below)."""
    return shapes_of(googlenet(width))


def cam_shapes(width: float) -> Shapes:
    return shapes_of(googlenet_cam(width))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("name", "function", "layers"),
    [("googlenet_bvlc", net, shapes(0.125)), ("googlenet_cam", cam_net, cam_shapes(0.125))],
    ids=["googlenet_bvlc", "googlenet_cam"],
)
def test_a_file_in_any_format_gives_the_scores_of_the_function(
    kind: str, name: str, function: Net, layers: Shapes, tmp_path: Path
) -> None:
    blobs = random_blobs(layers)
    model = read_back(name, FORMATS[kind].net(blobs), tmp_path, "model.width=0.125")
    require_same_scores(model.module, function, blobs, 224)


def test_the_head_of_googlenet_cam_is_the_authors_and_the_rest_is_googlenets() -> None:
    with torch.device("meta"):
        whole, cut = shapes(1.0), dict(cam_shapes(1.0))
    head = {name: cut.pop(name) for name in ("CAM_conv", "CAM_fc")}
    assert head == {"CAM_conv": [(1024, 416, 3, 3), (1024,)], "CAM_fc": [(1000, 1024), (1000,)]}
    later = ("inception_5", "loss3")
    assert cut == {name: both for name, both in whole.items() if not name.startswith(later)}


@pytest.mark.slow
def test_a_file_of_the_authors_size_gives_the_scores_of_the_function(tmp_path: Path) -> None:
    blobs = random_blobs(cam_shapes(1.0))
    model = read_back("googlenet_cam", FORMATS["v1 packed"].net(blobs), tmp_path)
    require_same_scores(model.module, cam_net, blobs, 224)


def test_the_zoos_training_heads_are_ignored(tmp_path: Path) -> None:
    blobs = random_blobs({**shapes(0.125), "loss1/fc": [(4, 3), (4,)], "loss2/classifier": [(2, 3), (2,)]})
    model = read_back("googlenet_bvlc", Format(v1=True).net(blobs), tmp_path, "model.width=0.125")
    require_same_scores(model.module, net, blobs, 224)


def test_the_sizes_of_all_stages_are_caffes() -> None:
    sizes, x = [], torch.zeros(1, 3, 224, 224)
    for name, stage in list(googlenet(0.125).eval().named_children())[:-2]:
        x = stage(x)
        sizes.append((name, x.shape[-1]))
    changes = [
        sizes[0],
        *(pair for before, pair in pairwise(sizes) if before[1] != pair[1]),
    ]
    assert changes == [("conv1", 112), ("pool1", 56), ("pool2", 28), ("pool3", 14), ("pool4", 7)]


def test_another_nets_file_is_refused(shared: Path) -> None:
    path = shared / "weights" / "squeezenet_v1.0.caffemodel"
    with pytest.raises(UserError, match="wrong weights"):
        make("googlenet_bvlc", f"model.weights={path}")
    with pytest.raises(UserError, match=r"without conv1\.7x7_s2\.weight, .* and 113 more and with fire2"):
        make("googlenet_bvlc", f"model.weights={path}", "model.checksums=[]")


@pytest.mark.slow
def test_the_real_file_gives_the_scores_of_the_function_also_when_packed_anew(
    shared: Path, tmp_path: Path
) -> None:
    model = make("googlenet_bvlc", f"weights_dir={shared / 'weights'}")
    blobs = read_caffemodel(shared / "weights" / "bvlc_googlenet.caffemodel")
    require_same_scores(model.module, net, blobs, 224)
    flat = {name: [weight, bias.reshape(-1)] for name, (weight, bias) in blobs.items()}
    assert {name: [blob.shape for blob in both] for name, both in flat.items()} == {
        name: [(1, 1, *shape) if name == "loss3/classifier" and len(shape) == 2 else shape for shape in both]
        for name, both in shapes(1.0).items()
    }
    anew = read_back("googlenet_bvlc", Format().net(flat), tmp_path).module.state_dict()
    assert all(torch.equal(value, anew[key]) for key, value in model.module.state_dict().items())
