"""Guided Grad-CAM is the product of what two independent libraries and the host's enlarging give."""

from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import Deconvolution, GuidedBackprop, GuidedGradCam, LayerGradCam
from helpers.small_models import as_model, images, small, vgg_like
from torch import Tensor, nn

from benchmark.attribution.common.gradient_product import GradientProduct
from benchmark.attribution.deconv_grad_cam import DeconvGradCAM
from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.guided_backprop import GuidedBackprop as OurGuidedBackprop
from benchmark.attribution.guided_grad_cam import GuidedGradCAM
from benchmark.core.heatmaps import upsample
from benchmark.core.types import Box, Model, View
from benchmark.models.forward import forward_pass

pytestmark = pytest.mark.filterwarnings("ignore:Setting .*backward hooks on ReLU:UserWarning")  # captum's own


def explain(
    model: Model, inputs: Tensor, classes: Tensor, kind: type[GradientProduct] = GuidedGradCAM, **options: Any
) -> Tensor:
    method = kind(**options)
    return method(model, forward_pass(model, inputs, method.layers), classes)


def chain() -> Model:
    """Maps as large as the input, so that nothing needs to be enlarged."""
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 6, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(3),
        nn.Flatten(),
        nn.Linear(96, 7),
    )
    return as_model(module, "chain", last_conv="3")


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_it_equals_captums_where_maps_have_the_inputs_size(mode: str) -> None:
    model, inputs, classes = small(chain), images(2), torch.tensor([[3, 0], [6, 6]])
    other = GuidedGradCam(model.module, model.module.get_submodule("3"))
    for k in range(2):
        leaf = inputs.clone().requires_grad_()
        signed = other.attribute(leaf, classes[:, k], interpolate_mode=mode).detach()
        assert signed.abs().sum() > 0
        for name, wanted in (
            ("max_abs", signed.abs().amax(1)),
            ("sum_positive", signed.clamp(min=0).sum(1)),
            ("sum", signed.sum(1)),
        ):
            measured = explain(model, inputs, classes, reduction=name)[:, k]
            torch.testing.assert_close(measured, wanted, rtol=1e-10, atol=1e-14)


def test_with_deconvnets_rule_it_is_grad_cam_times_captums_deconvolution() -> None:
    model, inputs, classes = small(chain), images(2), torch.tensor([[3], [6]])
    gradient = Deconvolution(model.module).attribute(inputs.clone().requires_grad_(), classes[:, 0])
    method = GradCAM()
    place = method(model, forward_pass(model, inputs, method.layers), classes)
    measured = explain(model, inputs, classes, DeconvGradCAM, reduction="sum")
    torch.testing.assert_close(measured, place * gradient.sum(1, keepdim=True), rtol=1e-10, atol=1e-14)


@pytest.mark.slow
def test_it_is_the_product_of_captums_maps_enlarged_as_the_host_does_on_alexnet() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = torchvision.models.alexnet(weights=None)
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    model = as_model(module, "alexnet", size=224, last_conv="features.11")
    inputs, view = images(2, 224, torch.float32), View(224, 224, Box(0, 0, 224, 224))
    measured = explain(model, inputs, torch.tensor([[3], [999]]))[:, 0].numpy()
    for n, output in enumerate((3, 999)):
        leaf = inputs[n : n + 1].clone().requires_grad_()
        fine = GuidedBackprop(module).attribute(leaf, output)[0].detach().numpy()
        part = module.get_submodule("features.11")
        coarse = LayerGradCam(module, part).attribute(leaf, output, relu_attributions=True)[0, 0]
        wanted = np.abs(upsample(coarse.detach().numpy(), view) * fine).max(0)
        assert wanted.max() > 0
        np.testing.assert_allclose(measured[n], wanted, rtol=0, atol=1e-4 * wanted.max())


def test_it_vanishes_where_grad_cam_does_and_has_its_signs_from_the_guided_gradient() -> None:
    model, inputs, classes = small(vgg_like), images(), torch.tensor([[0, 3], [2, 5], [1, 4], [6, 4]])
    measured = explain(model, inputs, classes, reduction="sum")
    forward = forward_pass(model, inputs, ("input", "last_conv"))
    coarse = GradCAM()(model, forward, classes).float().numpy()
    fine = OurGuidedBackprop(reduction="sum")(model, forward, classes)
    view = View(12, 12, Box(0, 0, 12, 12))
    grown = np.array([[upsample(one, view) for one in image] for image in coarse])
    wanted = torch.from_numpy(grown).double() * fine
    assert (wanted < 0).any()
    assert (wanted > 0).any()
    torch.testing.assert_close(measured, wanted, rtol=1e-5, atol=1e-8)
