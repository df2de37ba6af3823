"""Backprop against finite differences and captum."""

from collections.abc import Callable

import pytest
import torch
import torchvision
from captum.attr import Saliency
from helpers.small_models import SMALL, as_model, images, small
from torch import Tensor

from benchmark.attribution.backprop import Backprop
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass


def explain(model: Model, inputs: Tensor, classes: Tensor) -> Tensor:
    return Backprop()(model, forward_pass(model, inputs, ("input",)), classes)


@pytest.mark.parametrize("build", SMALL)
def test_backprop_is_the_largest_slope_over_the_colours_by_finite_differences(
    build: Callable[[], Model],
) -> None:
    model = small(build)
    steps = 1e-6 * torch.eye(432, dtype=torch.float64).view(432, 3, 12, 12)
    rise = torch.cat(
        [model.module(images(1) + part) - model.module(images(1) - part) for part in torch.split(steps, 72)]
    )
    wanted = (rise / 2e-6).abs().T.view(7, 3, 12, 12).amax(1)
    measured = explain(model, images(1), torch.arange(7)[None])
    torch.testing.assert_close(measured[0], wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dtype", "bound"),
    [
        ("vgg16", torch.float32, 1e-4),
        ("alexnet", torch.float32, 1e-4),
        ("googlenet", torch.float32, 1e-4),
        ("alexnet", torch.float64, 1e-10),
    ],
)
def test_backprop_equals_captums_saliency_on_full_size_models(
    name: str, dtype: torch.dtype, bound: float
) -> None:
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = getattr(torchvision.models, name)(weights=None, **options).to(dtype)
    model = as_model(module, name, size=224)
    inputs, classes = images(2, 224, dtype), torch.tensor([[3, 7], [999, 7]])
    measured = explain(model, inputs, classes)
    for k in range(2):
        leaf = inputs.clone().requires_grad_()
        wanted = Saliency(module).attribute(leaf, classes[:, k], abs=True).amax(1)
        assert float((measured[:, k] - wanted).abs().max()) <= bound * float(wanted.max())
