"""Caffe's layers against loops, and the ways in which a file can fail to fit a net."""

from math import ceil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.caffe_wire import FORMATS
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from benchmark.attribution.common.excitation import walk
from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, Model, Weights
from benchmark.models.caffe_layers import load_net, local_response_norm, named, pooling, scaled
from benchmark.models.forward import forward_pass
from benchmark.models.weights.parameters import load_file, randomize


@pytest.mark.parametrize("channels", [2, 3, 5, 8])
def test_local_response_norm_is_caffes(channels: int) -> None:
    x = 40 * np.random.default_rng(0).standard_normal((2, channels, 3, 3))
    expected = np.empty_like(x)
    for c in range(channels):  # 1 + α/n Σ over the n = 5 channels around c, those beyond the ends being 0
        near = x[:, max(c - 2, 0) : c + 3]
        expected[:, c] = x[:, c] / (1 + 1e-4 / 5 * (near**2).sum(1)) ** 0.75
    np.testing.assert_allclose(local_response_norm()(torch.from_numpy(x)), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("autocast", [False, True])
def test_large_activations_are_normalised_in_half_precision_as_in_float32(
    dtype: torch.dtype, autocast: bool
) -> None:
    x = 3000 * torch.randn((2, 8, 3, 3), generator=torch.Generator().manual_seed(0))
    low = x.to(dtype).requires_grad_()
    assert not (low * low).isfinite().all() or dtype == torch.bfloat16
    with torch.autocast("cpu", dtype, enabled=autocast):
        measured = local_response_norm()(low)
    (gradient,) = torch.autograd.grad(measured.sum(), low)
    wide = low.detach().double().requires_grad_()
    wanted = local_response_norm()(wide)
    (wanted_gradient,) = torch.autograd.grad(wanted.sum(), wide)
    step = torch.finfo(dtype).eps
    assert measured.dtype == gradient.dtype == dtype
    torch.testing.assert_close(measured.double(), wanted, rtol=step, atol=0)
    torch.testing.assert_close(gradient.double(), wanted_gradient, rtol=step, atol=step)


def test_the_winning_probability_passes_an_lrn_in_half_precision_unchanged() -> None:
    module = named({"conv": nn.Conv2d(3, 4, 3), "norm": local_response_norm(), "flat": nn.Flatten()})
    module.append(nn.Linear(4 * 16, 7))
    randomize(module)
    form = InputFormat(6, (0.0, 0.0, 0.0))
    model = Model("normed", module.eval().requires_grad_(False), form, {}, Weights("random", "none"))
    x = 2000 * torch.randn((2, 3, 6, 6), generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.float16):
        forward = forward_pass(model, x, ("conv", "norm"), operations=True)
        classes = torch.tensor([[0, 3], [6, 2]])
        below, above = (walk(model, forward, classes, layer) for layer in ("conv", "norm"))
    assert forward.activations["norm"].dtype == torch.float16
    assert forward.activations["conv"].abs().max() > 256
    assert forward.logits.isfinite().all()
    assert above.abs().sum() > 0.1
    assert torch.equal(below, above)


@given(st.integers(2, 30), st.integers(2, 3), st.integers(1, 2))
def test_pooling_rounds_up_and_cuts_the_last_window_off(side: int, kernel: int, stride: int) -> None:
    side = max(side, kernel)
    x = np.random.default_rng(side).standard_normal((1, 1, side, side))
    out = ceil((side - kernel) / stride) + 1
    expected = np.empty((out, out))
    for i in range(out):
        for j in range(out):
            window = x[0, 0, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            expected[i, j] = window.max()
    np.testing.assert_array_equal(pooling(kernel, stride)(torch.from_numpy(x))[0, 0], expected)


@given(st.integers(1, 500).map(lambda half: 2 * half))
def test_a_width_of_one_changes_no_layer(channels: int) -> None:
    assert scaled(channels, 1.0) == channels
    assert scaled(channels, 1e-9) == 2
    assert scaled(channels, 0.3) % 2 == 0


def net() -> nn.Sequential:
    return named({"a": named({"1x1": nn.Conv2d(1, 2, 1), "relu": nn.ReLU()}), "fc": nn.Linear(2, 3)})


def blobs() -> dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    rng = np.random.default_rng(0)
    shapes: dict[str, list[tuple[int, ...]]] = {
        "a/1x1": [(2, 1, 1, 1), (1, 1, 1, 2)],
        "fc": [(1, 1, 3, 2), (3,)],
    }
    return {
        name: [rng.standard_normal(s).astype(np.float32) for s in layer] for name, layer in shapes.items()
    }


def written(given: dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]], path: Path) -> Path:
    path.write_bytes(FORMATS["new packed"].net(given))
    return path


def test_blobs_go_to_the_layer_of_their_name_up_to_leading_ones(tmp_path: Path) -> None:
    module, given = net(), blobs()
    load_file(module, written(given, tmp_path / "net.caffemodel"))
    for name in given:
        parameters = module.get_submodule(name.replace("/", ".")).parameters()
        for parameter, blob in zip(parameters, given[name], strict=True):
            np.testing.assert_array_equal(parameter.detach().ravel(), blob.ravel())


@pytest.mark.parametrize(
    ("layer", "change", "words"),
    [
        ("fc", None, r"without fc\.weight, fc\.bias"),
        ("fc", [np.zeros((3, 2))], r"without fc\.bias"),
        ("fc", [np.zeros((3, 2)), np.zeros(3), np.zeros(3)], r"with fc\.blob2"),
        ("fc", [np.zeros((2, 3)), np.zeros(3)], r"fc\.weight \[2, 3\] for \[3, 2\]"),
        ("a/1x1", [np.zeros((1, 2, 1, 1)), np.zeros(2)], r"a\.1x1\.weight \[1, 2, 1, 1\]"),
        ("fc", [np.full((3, 2), np.nan), np.zeros(3)], r"fc\.weight holds NaN"),
        ("fc", [np.zeros((3, 2)), np.full(3, np.inf)], r"fc\.bias holds NaN or infinity"),
        ("loss1/fc", [np.zeros(3)], r"with loss1\.fc\.weight.*model\.ignore=\[loss1\.fc\.weight"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_layer(
    layer: str,
    change: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] | None,
    words: str,
    tmp_path: Path,
) -> None:
    given = blobs()
    if change is None:
        del given[layer]
    else:
        given[layer] = [blob.astype(np.float32) for blob in change]
    path = written(given, tmp_path / "net.caffemodel")
    with pytest.raises(UserError, match=words) as refused:
        load_file(net(), path)
    assert str(refused.value).startswith(f"{path}: ")


def test_ignored_layers_may_be_there(tmp_path: Path) -> None:
    path = written({**blobs(), "loss1/fc": [np.zeros(3, np.float32)]}, tmp_path / "net.caffemodel")
    load_file(net(), path, ["loss1/"])


@pytest.mark.parametrize(
    "name", ["net.caffemodel", "net", "net.pth", "net.pt", "net.safetensors", "NET.PTH", "torch.bin"]
)
def test_one_net_is_read_alike_from_a_caffemodel_and_from_its_own_state_dict(
    name: str, tmp_path: Path
) -> None:
    path, given = tmp_path / name, blobs()
    wanted = net()
    load_file(wanted, written(given, tmp_path / "first.caffemodel"))
    state = wanted.state_dict()
    if name.lower().endswith((".pth", ".pt", ".bin")):
        torch.save(state, path)
    elif name.endswith(".safetensors"):
        save_file(state, path)
    else:
        written(given, path)
    form = InputFormat(4, (0.0, 0.0, 0.0))
    options = {"name": "net", "input": form, "layers": {"classifier": "fc"}, "weights": str(path)}
    model = load_net(lambda *_: net(), 1.0, 1, options)
    assert all(torch.equal(value, state[key]) for key, value in model.module.state_dict().items())
    assert model.weights.source == name
