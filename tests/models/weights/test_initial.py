"""Training that starts from another net's parameters."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.caffe_wire import FORMATS
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.models.caffe_layers import named
from benchmark.models.googlenet_bvlc import googlenet, googlenet_cam
from benchmark.models.vgg16_caffe import vgg16, vgg16_cam
from benchmark.models.weights.parameters import load_matching, randomize

WIDTH = 0.03125
Build = Callable[[float, int], nn.Sequential]


def net(outputs: int, seed: int) -> nn.Sequential:
    layers = {
        "a": named({"1x1": nn.Conv2d(1, 4, 1), "norm": nn.BatchNorm2d(4)}),
        "fc": nn.Linear(4, outputs),
        "top": nn.Linear(outputs, 3),
    }
    module = named(layers)
    randomize(module, seed=seed)
    return module


def copy_of(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in module.state_dict().items()}


def save(state: dict[str, Tensor], path: Path) -> None:
    if path.suffix == ".safetensors":
        save_file(state, path)
    elif path.suffix == ".pth":
        torch.save({"state_dict": state}, path)
    else:
        layers = dict.fromkeys(key.rpartition(".")[0] for key in state)
        blobs = {
            layer.replace(".", "/"): [state[f"{layer}.{part}"].numpy() for part in ("weight", "bias")]
            for layer in layers
        }
        path.write_bytes(FORMATS["v1 packed"].net(blobs))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_layers_of_one_name_and_shape_are_copied_and_the_others_left(suffix: str, tmp_path: Path) -> None:
    given, module = copy_of(net(5, seed=1)), net(6, seed=2)
    given["a.norm.running_mean"] += 7
    before = copy_of(module)
    save(given, tmp_path / f"net{suffix}")
    assert load_matching(module, tmp_path / f"net{suffix}") == (["a.1x1", "a.norm"], ["fc", "top"])
    for key, value in module.state_dict().items():
        assert torch.equal(value, (given if key.startswith("a.") else before)[key])


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".caffemodel"])
@pytest.mark.parametrize(
    ("build", "build_cam", "shared_layers"), [(vgg16, vgg16_cam, 13), (googlenet, googlenet_cam, 3 + 7 * 6)]
)
def test_the_cam_nets_start_from_all_convolutions_of_the_nets_that_they_were_cut_from(
    build: Build, build_cam: Build, shared_layers: int, suffix: str, tmp_path: Path
) -> None:
    source, module = build(WIDTH, 1000), build_cam(WIDTH, 24)
    randomize(source, seed=1)
    save(copy_of(source), tmp_path / f"net{suffix}")
    copied, left = load_matching(module, tmp_path / f"net{suffix}")
    assert len(copied) == shared_layers
    assert left == ["CAM_conv", "CAM_fc"]
    state = source.state_dict()
    for key, value in module.state_dict().items():
        assert key.startswith("CAM_") or torch.equal(value, state[key])


def test_half_precision_is_widened(tmp_path: Path) -> None:
    given, module = copy_of(net(5, seed=1)), net(5, seed=2)
    save({key: value.half() for key, value in given.items()}, tmp_path / "net.safetensors")
    assert load_matching(module, tmp_path / "net.safetensors")[1] == []
    assert module.state_dict()["fc.weight"].dtype == torch.float32
    assert torch.equal(module.state_dict()["fc.weight"], given["fc.weight"].half().float())


def test_a_layer_goes_over_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    given, module = copy_of(net(5, seed=1)), net(5, seed=2)
    before = copy_of(module)
    del given["fc.bias"]
    save(given, tmp_path / "net.pth")
    assert load_matching(module, tmp_path / "net.pth")[1] == ["fc"]
    assert torch.equal(module.state_dict()["fc.weight"], before["fc.weight"])


def test_layers_of_another_name_are_copied_once_they_are_renamed(tmp_path: Path) -> None:
    given, module = copy_of(net(5, seed=1)), net(5, seed=2)
    save({key.replace("fc.", "classifier.6."): value for key, value in given.items()}, tmp_path / "net.pth")
    assert load_matching(module, tmp_path / "net.pth")[1] == ["fc"]
    assert load_matching(module, tmp_path / "net.pth", {"classifier.6": "fc"})[1] == []
    assert torch.equal(module.state_dict()["fc.weight"], given["fc.weight"])


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".caffemodel"])
def test_a_file_of_another_net_is_refused_in_one_line_with_both_nets_layers(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"net{suffix}"
    save({"x.weight": torch.zeros(2, 2), "x.bias": torch.zeros(2)}, path)
    with pytest.raises(UserError, match=r"no layer of the same name.*x\.weight.*a\.1x1") as refused:
        load_matching(net(5, seed=1), path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_what_is_no_number_is_refused_with_its_layer(tmp_path: Path) -> None:
    given = copy_of(net(5, seed=1))
    given["fc.bias"][0] = np.inf
    save(given, tmp_path / "net.pth")
    with pytest.raises(UserError, match=r"fc\.bias holds NaN or infinity"):
        load_matching(net(5, seed=2), tmp_path / "net.pth")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.pth: no such file"):
        load_matching(net(5, seed=1), tmp_path / "gone.pth")
