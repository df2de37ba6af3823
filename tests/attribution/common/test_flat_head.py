"""Where a linear layer reads flattened maps, Grad-CAM's weights need no gradient of that layer's input."""

from collections.abc import Callable

import pytest
import torch
from helpers.small_models import as_model, googlenet_like, images, resnet_like, small, vgg_like
from torch import Tensor, nn

from benchmark.attribution.common import class_activation
from benchmark.attribution.common.class_activation import mean_gradients
from benchmark.attribution.common.flat_head import flat_head
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import forward_pass

CLASSES = torch.tensor([[0, 3], [2, 2], [1, 4], [6, 5]])


class Turned(nn.Module):
    """Flattens the cells before the channels."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class Twice(nn.Module):
    """Reads the maps by two ways."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.ways = nn.ModuleList([first, second])

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.ways
        both: Tensor = first(x.flatten(1)) + second(x.flatten(1))
        return both


def headed(*head: nn.Module) -> Callable[[], Model]:
    def build() -> Model:
        conv = nn.Conv2d(3, 4, 3, stride=4)  # 4x3x3 of 12x12
        return as_model(
            nn.Sequential(conv, nn.ReLU(), *head), "headed", last_conv="1", classifier=str(len(head) + 1)
        )

    return build


FLAT = {
    "vgg": vgg_like,
    "at once": headed(nn.Flatten(), nn.Linear(36, 7)),
    "without a bias": headed(
        nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(16, 9, bias=False), nn.ReLU(), nn.Linear(9, 7)
    ),
    "spread": headed(nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(144, 7)),
}
OTHER = {
    "one cell": googlenet_like,
    "a residual": resnet_like,
    "a ReLU between": headed(nn.MaxPool2d(2, 1), nn.Sigmoid(), nn.Flatten(), nn.Linear(16, 7)),
    "cells first": headed(Turned(), nn.Linear(36, 7)),
    "two ways": headed(Twice(nn.Linear(36, 7), nn.Linear(36, 7))),
    "padding that counts": headed(nn.AvgPool2d(3, 2, padding=1), nn.Flatten(), nn.Linear(16, 7)),
}


def recorded(model: Model, *layers: str) -> tuple[ForwardPass, Tensor]:
    forward = forward_pass(model, images(), ("last_conv", *layers))
    return forward, forward.activations["last_conv"]


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("layers", [(), ("input",)])
@pytest.mark.parametrize("build", FLAT.values(), ids=FLAT)
def test_a_flat_head_is_found_and_its_weights_are_those_of_all_gradients(
    build: Callable[[], Model],
    layers: tuple[str, ...],
    order: torch.memory_format,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = small(build)
    model.module.to(memory_format=order)
    forward, maps = recorded(model, *layers)
    assert flat_head(model, forward, maps, torch.float64) is not None
    quick = mean_gradients(model, forward, CLASSES, maps)
    monkeypatch.setattr(class_activation, "flat_head", lambda *_: None)
    torch.testing.assert_close(quick, mean_gradients(model, forward, CLASSES, maps), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("build", OTHER.values(), ids=OTHER)
def test_any_other_head_is_differentiated_as_a_whole(build: Callable[[], Model]) -> None:
    model = small(build)
    forward, maps = recorded(model)
    assert flat_head(model, forward, maps, torch.float64) is None


def test_weights_that_change_are_summed_anew() -> None:
    model = small(vgg_like)
    first, maps = recorded(model)
    before = mean_gradients(model, first, CLASSES, maps)
    linear = model.module[9]  # type: ignore[index]
    with torch.no_grad():
        linear.weight.mul_(2)
        linear.bias.mul_(2)
    second, maps = recorded(model)
    torch.testing.assert_close(mean_gradients(model, second, CLASSES, maps), 2 * before)
