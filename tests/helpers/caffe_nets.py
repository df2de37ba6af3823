"""Parts of the Caffe nets as plain functions of their blobs, and the checks that their tests share."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.every_model import make

Blobs = Mapping[str, Sequence[npt.NDArray[Any]]]
Shapes = Mapping[str, Sequence[tuple[int, ...]]]
Net = Callable[[Blobs, Tensor], Tensor]


def shapes_of(module: torch.nn.Module) -> Shapes:
    """Caffe's names of the layers with parameters, and the shapes of those."""
    layers = {name: list(layer.parameters(recurse=False)) for name, layer in module.named_modules()}
    return {
        name.replace(".", "/"): [tuple(each.shape) for each in own] for name, own in layers.items() if own
    }


def conv(blobs: Blobs, name: str, x: Tensor, **options: int) -> Tensor:
    """A rectified convolution with the blobs of that name."""
    weight, bias = (torch.from_numpy(blob) for blob in blobs[name])
    return F.relu(F.conv2d(x, weight, bias.reshape(-1), **options))


def conv_halves(blobs: Blobs, name: str, x: Tensor, **options: int) -> Tensor:
    """A rectified convolution in two groups: each half of the filters sees one half of the channels."""
    weight, bias = (torch.from_numpy(blob) for blob in blobs[name])
    halves = zip(x.chunk(2, 1), weight.chunk(2), bias.reshape(-1).chunk(2), strict=True)
    return F.relu(torch.cat([F.conv2d(half, w, b, **options) for half, w, b in halves], 1))


def pool(x: Tensor, kernel: int = 3) -> Tensor:
    """Caffe's: padded so that the last window is whole, which rounds the size up."""
    over = -(x.shape[-1] - kernel) % 2
    return F.max_pool2d(F.pad(x, (0, over, 0, over), value=-torch.inf), kernel, 2)


def norm(x: Tensor) -> Tensor:
    squares = F.pad(x**2, (0, 0, 0, 0, 2, 2))
    total = sum((squares[:, i : i + x.shape[1]] for i in range(5)), torch.zeros(()))
    return x / (1 + 1e-4 / 5 * total) ** 0.75


def linear(blobs: Blobs, name: str, x: Tensor) -> Tensor:
    weight, bias = (torch.from_numpy(blob) for blob in blobs[name])
    return x @ weight.reshape(-1, x.shape[1]).T + bias.reshape(-1)


def read_back(name: str, content: bytes, folder: Path, *overrides: str) -> Any:
    """The model of a yaml with a caffemodel of the given bytes as its weights."""
    path = folder / f"{name}.caffemodel"
    path.write_bytes(content)
    model = make(name, f"model.weights={path}", "model.checksums=[]", *overrides)
    path.unlink()  # half a gigabyte for VGG-16, and pytest keeps it
    return model


def require_same_scores(module: torch.nn.Module, net: Net, blobs: Blobs, size: int) -> None:
    x = 60 * torch.randn((2, 3, size, size), generator=torch.Generator().manual_seed(0))
    expected = net(blobs, x)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(module(x), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
