"""Maps are read with their own rows and columns, whichever way a layer lays out its output."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers.small_models import SMALL, Residual, SpatialMean, as_model, images, small
from torch import Tensor, nn
from torchvision.models import SwinTransformer, VisionTransformer

from benchmark.attribution.c_mwp import ContrastiveMWP
from benchmark.attribution.cam import CAM
from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.grad_cam_counterfactual import GradCAMCounterfactual
from benchmark.attribution.guided_grad_cam import GuidedGradCAM
from benchmark.attribution.mwp import MWP
from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass
from benchmark.models.layouts import IN_ORDER, GridTokens, map_axes

CLASSES = torch.tensor([[0, 3], [2, 5], [1, 4], [6, 5]])
METHODS: tuple[Callable[..., Any], ...] = (
    *(GradCAM, GradCAMCounterfactual, CAM, GuidedGradCAM, MWP, ContrastiveMWP),
)


class Reshape(nn.Module):
    """Any function of a tensor as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def stages(*last: nn.Module, channels: int = 6) -> Model:
    """A network of maps ``channels`` x 6 x 6, whose layer 4 is the first of ``last``."""
    stem = (nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, channels, 3, padding=1), nn.ReLU())
    return as_model(nn.Sequential(*stem, *last), "net", last_conv="3", classifier=str(4 + len(last) - 1))


def channels_last() -> Model:
    """Six maps of 6 x 6, so that no shape tells channels from rows, and a pooling after them."""
    away, back = Reshape(lambda x: x.permute(0, 2, 3, 1)), Reshape(lambda x: x.permute(0, 3, 1, 2))
    return stages(away, back, SpatialMean(), nn.Linear(6, 7))


def explain(method: Any, model: Model, inputs: Tensor, classes: Tensor = CLASSES) -> Tensor:
    maps: Tensor = method(model, forward_pass(model, inputs, method.layers, method.operations), classes)
    return maps


@pytest.mark.parametrize("method", METHODS)
def test_a_layer_with_its_channels_last_gives_the_heatmaps_of_the_same_maps_in_order(
    method: Callable[..., Any],
) -> None:
    model = small(channels_last)
    wanted = explain(method(layer="3"), model, images())
    method(layer="4").check(model)
    assert torch.equal(explain(method(layer="4"), model, images()), wanted)
    together = forward_pass(model, images(), ("3", "4"))  # the later one is inside the earlier one's graph
    assert torch.equal(together.activations["4"], together.activations["3"])


def swin() -> Model:
    module = SwinTransformer([4, 4], 12, [1, 1], [1, 2], window_size=[2, 2], num_classes=7)
    return as_model(module, "swin", size=32, last_conv="norm", classifier="head")


def test_grad_cam_of_swins_last_norm_is_that_of_its_output_turned_by_hand() -> None:
    model, inputs = small(swin), images(size=32)
    seen: dict[str, Tensor] = {}
    with model.module.norm.register_forward_hook(  # type: ignore[union-attr]
        lambda _module, _args, out: seen.update(maps=out.detach().requires_grad_()) or seen["maps"]
    ):
        logits = model.module(inputs)
    assert seen["maps"].shape == (4, 4, 4, 24), "channels last"
    wanted = torch.empty(4, 2, 4, 4, dtype=torch.float64)
    for k in range(2):
        (gradient,) = torch.autograd.grad(
            logits.gather(1, CLASSES[:, k : k + 1]).sum(), seen["maps"], retain_graph=True
        )
        wanted[:, k] = torch.einsum("nc,nijc->nij", gradient.mean((1, 2)), seen["maps"]).relu()
    torch.testing.assert_close(explain(GradCAM(), model, inputs), wanted, rtol=1e-12, atol=1e-15)
    CAM().check(model)
    assert explain(ContrastiveMWP(layer="norm"), model, inputs).shape == (4, 2, 4, 4)


def test_rows_and_columns_that_are_exchanged_are_put_right() -> None:
    away = Reshape(lambda x: x.transpose(2, 3).contiguous())
    model = small(lambda: stages(away, SpatialMean(), nn.Linear(6, 7)))
    assert map_axes(model, ("4",), 12) == {"4": (0, 1, 3, 2)}


def vit() -> Model:
    module = VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=7)
    with torch.no_grad():
        nn.init.normal_(module.heads[0].weight)
    return as_model(module, "vit", size=32, last_conv="encoder.ln", classifier="heads.head")


def _windows() -> nn.Module:
    """Four windows of nine tokens."""
    return Reshape(lambda x: x.unfold(2, 3, 3).unfold(3, 3, 3).flatten(4).flatten(2, 3).permute(0, 2, 3, 1))


def _attention() -> nn.Module:
    """Two heads, each of 36 tokens over 36 tokens."""
    return Reshape(lambda x: torch.einsum("nhct,nhcs->nhts", *[x.reshape(len(x), 2, 3, -1)] * 2))


def _shuffled() -> nn.Module:
    """All 36 cells as tokens, those of rows and columns mixed."""
    order = torch.randperm(36, generator=torch.Generator().manual_seed(1))
    return Reshape(lambda x: x.flatten(2)[:, :, order].transpose(1, 2))


def _after(layer: Callable[[], nn.Module], units: int) -> Callable[[], Model]:
    return lambda: stages(layer(), nn.Flatten(), nn.Linear(units, 7))


@pytest.mark.parametrize("method", [GradCAM, MWP, GuidedGradCAM])
@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (_after(_windows, 4 * 9 * 6), r"\[4, 9, 6\]"),
        (_after(_attention, 2 * 36 * 36), r"\[2, 36, 36\]"),
        (_after(_shuffled, 36 * 6), r"\[36, 6\] \(tokens"),
    ],
)
def test_windows_attentions_and_tokens_in_no_order_are_refused_in_one_line(
    build: Callable[[], Model], shape: str, method: Callable[..., Any]
) -> None:
    with pytest.raises(UserError, match=rf"layer 4 of \w+ has no maps: an image gives {shape}") as refused:
        method(layer="4").check(small(build))
    assert "\n" not in str(refused.value)


def test_tokens_are_read_as_the_maps_that_they_were_made_of() -> None:
    """A class token of zeros and the cells in a row; behind them a head that reads them all."""
    away = Reshape(lambda x: torch.cat([0 * x[:, :, 0, :1], x.flatten(2)], 2).transpose(1, 2))
    model = small(lambda: stages(away, nn.Flatten(), nn.Linear(37 * 6, 7)))
    together = forward_pass(model, images(), ("3", "4"))
    assert torch.equal(together.activations["4"], together.activations["3"])
    assert torch.equal(
        explain(GradCAM(layer="4"), model, images()), explain(GradCAM(layer="3"), model, images())
    )
    assert map_axes(model, ("4",), 12) == {"4": GridTokens(1)}


def test_tokens_that_no_score_depends_on_are_refused() -> None:
    with pytest.raises(UserError, match=r"layer encoder\.ln of vit: no score depends on its tokens"):
        GradCAM(layer="encoder.ln").check(small(vit))


def test_each_layer_of_a_convolutional_network_with_maps_is_in_order() -> None:
    for build in SMALL:
        model = small(build)
        names = [
            name for name, part in model.module.named_modules() if isinstance(part, nn.Conv2d | Residual)
        ]
        assert set(map_axes(model, names, 12).values()) == {IN_ORDER}


def test_a_layer_is_looked_at_once() -> None:
    model, passes = small(channels_last), []
    with model.module[0].register_forward_hook(lambda *_: passes.append(1)):  # type: ignore[index]
        forward_pass(model, images(), ("4", "3"))
        first = len(passes)
        forward_pass(model, images(), ("4",))
    assert first > 1
    assert len(passes) == first + 1


def test_layers_that_the_image_does_not_reach_and_maps_of_one_cell_stay_as_they_are() -> None:
    zero, pool = Reshape(lambda x: 0 * x), nn.AdaptiveAvgPool2d(1)
    model = small(lambda: stages(zero, pool, nn.Flatten(), nn.Linear(6, 7)))
    assert map_axes(model, ("4", "5", "6"), 12) == {"4": IN_ORDER, "5": IN_ORDER, "6": None}
    model = small(lambda: stages(pool, nn.Flatten(), nn.Linear(6, 7)))
    assert map_axes(model, ("4",), 12) == {"4": IN_ORDER}
