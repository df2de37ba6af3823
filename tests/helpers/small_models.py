"""Small random models that together contain each kind of layer, of parts that an oracle can take apart."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.core.types import InputFormat, Model, Weights


class FunctionalReLU(nn.Module):
    """As in torchvision's GoogLeNet: in place, and no module that could be replaced."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x, inplace=True)


class Branches(nn.ModuleList):
    """Concatenated along the channels."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self], 1)


class Residual(nn.Module):
    """``way(x) + skip(x)``, summed in place as in torchvision's ResNet."""

    def __init__(self, way: nn.Module, skip: nn.Module) -> None:
        super().__init__()
        self.way = way
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.way(x)
        out += self.skip(x)
        return out


class SpatialMean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


def as_model(module: nn.Module, name: str, size: int = 12, **layers: str) -> Model:
    """Frozen, in evaluation mode; ``layers`` are its roles."""
    form = InputFormat(size=size, mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.2), scale=1 / 255)
    module.eval().requires_grad_(False)
    return Model(name, module, form, layers, Weights("random", "none"))


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    nn.init.uniform_(norm.running_mean, -0.3, 0.3)  # type: ignore[arg-type]
    nn.init.uniform_(norm.running_var, 0.5, 2)  # type: ignore[arg-type]
    nn.init.uniform_(norm.weight, 0.5, 2)
    nn.init.uniform_(norm.bias, -0.3, 0.3)
    return norm


def vgg_like() -> Model:
    """Groups, stride, dilation, in-place ReLU, padded overlapping max pooling, adaptive pooling."""
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(6, 8, 3, padding=(2, 1), dilation=2, groups=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, padding=1),
        nn.Conv2d(8, 8, 3, stride=2, padding="valid"),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d((2, 3)),
        nn.Flatten(),
        nn.Linear(48, 10),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Linear(10, 7),
    )
    return as_model(module, "vgg_like", last_conv="6", excitation="4", classifier="12")


def alexnet_like() -> Model:
    """Local response normalization, pooling that rounds up, average pooling without its padding."""
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2),
        FunctionalReLU(),
        nn.LocalResponseNorm(5, alpha=0.5),
        nn.MaxPool2d(2, 2, ceil_mode=True),
        nn.Conv2d(6, 8, 3, padding="same", groups=2),
        FunctionalReLU(),
        nn.AvgPool2d(2, 2, padding=1, ceil_mode=True, count_include_pad=False),
        nn.Flatten(),
        nn.Linear(32, 7),
    )
    return as_model(module, "alexnet_like", last_conv="5", excitation="3", classifier="8")


def _basic(inputs: int, outputs: int, kernel: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, _norm(outputs), FunctionalReLU())


def googlenet_like() -> Model:
    """Batch norm, functional in-place ReLU, concatenated branches, global average pooling, dropout."""
    branches = Branches(
        [
            _basic(6, 4),
            nn.Sequential(_basic(6, 3), _basic(3, 5, 3)),
            nn.Sequential(nn.MaxPool2d(3, 1, padding=1), _basic(6, 3)),
            nn.Sequential(nn.AvgPool2d(3, 1, padding=1), _basic(6, 3)),
        ]
    )
    stem = nn.Sequential(_basic(3, 6, 3), nn.MaxPool2d(3, 2, ceil_mode=True))
    module = nn.Sequential(
        stem, branches, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(15, 7)
    )
    return as_model(module, "googlenet_like", last_conv="1", excitation="0", classifier="5")


def resnet_like() -> Model:
    """In-place residual sums with and without a projection, a mean over space as a function."""
    block = Residual(nn.Sequential(_basic(6, 6, 3), nn.Conv2d(6, 6, 3, padding=1), _norm(6)), nn.Identity())
    down = Residual(
        nn.Sequential(nn.Conv2d(6, 8, 3, 2, 1), _norm(8)), nn.Sequential(nn.Conv2d(6, 8, 1, 2), _norm(8))
    )
    module = nn.Sequential(
        _basic(3, 6, 3), block, nn.ReLU(inplace=True), down, FunctionalReLU(), SpatialMean(), nn.Linear(8, 7)
    )
    return as_model(module, "resnet_like", last_conv="4", excitation="0", classifier="6")


def squeezenet_like() -> Model:
    """A convolution as the classifier, followed by ReLU and global pooling; adaptive max pooling."""
    module = nn.Sequential(
        _basic(3, 6, 3),
        nn.AdaptiveMaxPool2d(5),
        _basic(6, 8, 3),
        nn.Conv2d(8, 7, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
    )
    return as_model(module, "squeezenet_like", last_conv="2", excitation="1", classifier="3")


SMALL: tuple[Callable[[], Model], ...] = (
    vgg_like,
    alexnet_like,
    googlenet_like,
    resnet_like,
    squeezenet_like,
)


def small(build: Callable[[], Model], dtype: torch.dtype = torch.float64, seed: int = 0) -> Model:
    """A small model with seeded weights, by default in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build()
    model.module.to(dtype)
    return model


def images(count: int = 4, size: int = 12, dtype: torch.dtype = torch.float64, seed: int = 1) -> Tensor:
    """Seeded noise ``[count, 3, size, size]``."""
    return torch.randn((count, 3, size, size), generator=torch.Generator().manual_seed(seed), dtype=dtype)
