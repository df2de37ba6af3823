"""The counterfactual is the part that Grad-CAM's ReLU cuts off."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import LayerGradCam
from helpers.small_models import SMALL, googlenet_like, images, small
from torch import Tensor

from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.grad_cam_counterfactual import GradCAMCounterfactual
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass

CLASSES = torch.tensor([[0, 3, 6], [2, 2, 5], [1, 4, 0], [6, 5, 4]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layer", ["last_conv", "excitation"])
@pytest.mark.parametrize("build", SMALL)
def test_it_is_exactly_the_negative_part_of_the_map_without_relu(
    build: Callable[[], Model], layer: str, dtype: torch.dtype
) -> None:
    model = small(build, dtype)
    forward = forward_pass(model, images(dtype=dtype), (layer,))
    signed = GradCAM(layer=layer, relu=False)(model, forward, CLASSES)
    positive = GradCAM(layer=layer)(model, forward, CLASSES)
    measured = GradCAMCounterfactual(layer=layer)(model, forward, CLASSES)
    assert (measured > 0).any()
    assert torch.equal(measured, (-signed).relu())
    assert torch.equal(positive - measured, signed)


def test_it_is_grad_cam_of_the_negated_scores() -> None:
    model = small(googlenet_like)
    measured = _of(model, GradCAMCounterfactual())
    for name in ("5.weight", "5.bias"):
        model.module.get_parameter(name).neg_()
    torch.testing.assert_close(measured, _of(model, GradCAM()), rtol=1e-12, atol=1e-15)


def _of(model: Model, method: GradCAM | GradCAMCounterfactual) -> Tensor:
    return method(model, forward_pass(model, images(), method.layers), CLASSES)


def test_it_is_the_negative_part_of_captums_map() -> None:
    model = small(googlenet_like)
    measured = _of(model, GradCAMCounterfactual())
    for k in range(3):
        part = model.module.get_submodule("1")
        captum = LayerGradCam(model.module, part).attribute(images(), CLASSES[:, k])[:, 0]
        torch.testing.assert_close(measured[:, k], (-captum).relu().detach(), rtol=1e-10, atol=1e-14)
