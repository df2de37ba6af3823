"""VGG-16 and VGG16-CAM against the same nets as functions, from the authors' prototxts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from helpers.caffe_nets import (
    Blobs,
    Net,
    Shapes,
    conv,
    conv_halves,
    linear,
    pool,
    read_back,
    require_same_scores,
    shapes_of,
)
from helpers.caffe_wire import FORMATS, random_blobs
from helpers.every_model import make
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.models.vgg16_caffe import vgg16, vgg16_cam
from benchmark.models.weights.parameters import empty, randomize

CHANNELS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
NAMES = [f"conv{stage}_{i}" for stage, depth in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, depth + 1)]


def trunk(blobs: Blobs, x: Tensor) -> Tensor:
    for name in NAMES:
        x = conv(blobs, name, x, padding=1)
        x = pool(x, 2) if name in ("conv1_2", "conv2_2", "conv3_3", "conv4_3") else x
    return x


def vgg16_net(blobs: Blobs, x: Tensor) -> Tensor:
    x = pool(trunk(blobs, x), 2)
    weight, bias = (torch.from_numpy(blob) for blob in blobs["fc6"])
    # Caffe's inner product reads channel by channel, so it is a convolution by filters of 7x7.
    x = F.relu(F.conv2d(x, weight.reshape(-1, x.shape[1], 7, 7), bias.reshape(-1)))[..., 0, 0]
    return linear(blobs, "fc8", F.relu(linear(blobs, "fc7", x)))


def cam_net(blobs: Blobs, x: Tensor) -> Tensor:
    return linear(blobs, "CAM_fc", conv_halves(blobs, "CAM_conv", trunk(blobs, x), padding=1).mean((2, 3)))


def trunk_shapes(divisor: int) -> Shapes:
    """Shapes of the authors' files (protocol §8.5), all channels but the classes divided."""
    inputs = (3 * divisor, *CHANNELS)
    return {
        name: [(out // divisor, into // divisor, 3, 3), (out // divisor,)]
        for name, into, out in zip(NAMES, inputs, CHANNELS, strict=False)
    }


def vgg16_shapes(divisor: int) -> Shapes:
    hidden = 4096 // divisor
    fc6: Shapes = {"fc6": [(hidden, 25088 // divisor), (hidden,)]}
    rest: Shapes = {"fc7": [(hidden, hidden), (hidden,)], "fc8": [(1000, hidden), (1000,)]}
    return {**trunk_shapes(divisor), **fc6, **rest}


def cam_shapes(divisor: int) -> Shapes:
    maps = 1024 // divisor
    head: Shapes = {"CAM_conv": [(maps, 256 // divisor, 3, 3), (maps,)], "CAM_fc": [(1000, maps), (1000,)]}
    return {**trunk_shapes(divisor), **head}


BOTH = pytest.mark.parametrize(
    ("name", "net", "shapes"),
    [("vgg16_caffe", vgg16_net, vgg16_shapes), ("vgg16_cam", cam_net, cam_shapes)],
    ids=["vgg16_caffe", "vgg16_cam"],
)


@BOTH
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_in_any_format_gives_the_scores_of_the_function(
    kind: str, name: str, net: Net, shapes: Callable[[int], Shapes], tmp_path: Path
) -> None:
    blobs = random_blobs(shapes(32))
    model = read_back(name, FORMATS[kind].net(blobs), tmp_path, "model.width=0.03125")
    require_same_scores(model.module, net, blobs, 224)


@BOTH
@pytest.mark.slow
def test_a_file_of_the_authors_size_gives_the_scores_of_the_function(
    name: str, net: Net, shapes: Callable[[int], Shapes], tmp_path: Path
) -> None:
    blobs = random_blobs(shapes(1))
    model = read_back(name, FORMATS["v1 packed"].net(blobs), tmp_path)
    require_same_scores(model.module, net, blobs, 224)


def test_the_shapes_at_full_width_are_the_authors() -> None:
    with torch.device("meta"):
        assert shapes_of(vgg16()) == vgg16_shapes(1)
        assert shapes_of(vgg16_cam()) == cam_shapes(1)


def test_the_last_maps_are_those_that_are_pooled(tmp_path: Path) -> None:
    blobs = random_blobs(cam_shapes(16))
    model = read_back("vgg16_cam", FORMATS["v1 packed"].net(blobs), tmp_path, "model.width=0.0625")
    kept: list[Tensor] = []
    model.module.get_submodule(model.layers["last_conv"]).register_forward_hook(
        lambda _module, _inputs, output: kept.append(output)
    )
    logits = model.module(torch.randn((1, 3, 224, 224), generator=torch.Generator().manual_seed(1)))
    assert kept[0].shape == (1, 64, 14, 14)
    torch.testing.assert_close(linear(blobs, "CAM_fc", kept[0].mean((2, 3))), logits)


FULL = torch.randn((1, 3, 224, 224), generator=torch.Generator().manual_seed(2))


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [{"0": "1", "3": "4"}, {}], ids=["as converted", "repaired"])
def test_torchs_numbers_of_the_layers_are_read_as_torchvisions_vgg16(
    numbers: dict[str, str], tmp_path: Path
) -> None:
    theirs = empty(lambda: torchvision.models.vgg16(weights=None)).eval()
    randomize(theirs)
    state = {}
    for key, value in theirs.state_dict().items():
        part, number, kind = key.split(".")
        state[f"{part}.{numbers.get(number, number) if part == 'classifier' else number}.{kind}"] = value
    path = tmp_path / "vgg16-00b39a1b.pth"
    torch.save(state, path)
    with pytest.raises(UserError, match=r"wrong weights .* expected sha256:00b39a1b"):
        make("vgg16_jcjohnson", f"weights_dir={tmp_path}")
    ours = make("vgg16_jcjohnson", f"weights_dir={tmp_path}", "model.checksums=[]").module
    path.unlink()
    with torch.no_grad():
        torch.testing.assert_close(ours(FULL), theirs(FULL))
