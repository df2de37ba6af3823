"""Grad-CAM against the formula written out, captum, pytorch-grad-cam, and CAM."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import LayerGradCam
from helpers.small_models import SMALL, as_model, googlenet_like, images, resnet_like, small, vgg_like
from pytorch_grad_cam import GradCAM as OtherGradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from benchmark.attribution.cam import CAM
from benchmark.attribution.grad_cam import GradCAM
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass

CLASSES = torch.tensor([[0, 3, 6], [2, 2, 5], [1, 4, 0], [6, 5, 4]])


def explain(
    model: Model, inputs: Tensor, classes: Tensor, layer: str = "last_conv", relu: bool = True
) -> Tensor:
    method = GradCAM(layer=layer, relu=relu)
    return method(model, forward_pass(model, inputs, method.layers), classes)


@pytest.mark.parametrize("layer", ["last_conv", "excitation"])
@pytest.mark.parametrize("build", SMALL)
def test_grad_cam_is_its_formula_with_gradients_by_finite_differences(
    build: Callable[[], Model], layer: str
) -> None:
    model = small(build)
    after = list(model.module.children())[int(model.layers[layer]) + 1 :]
    maps = forward_pass(model, images(1), (layer,)).activations[layer].detach()

    def scores(maps: Tensor) -> Tensor:
        for module in after:
            maps = module(maps.clone())
        return maps[0]

    wanted = torch.zeros(7, *maps.shape[2:], dtype=maps.dtype)
    for k in range(maps.shape[1]):
        change = torch.zeros_like(maps)
        change[0, k] = 1e-7  # the sum of a map's gradients is the slope when all its cells change alike
        alpha = (scores(maps + change) - scores(maps - change)) / 2e-7 / maps[0, k].numel()
        wanted += alpha[:, None, None] * maps[0, k]
    measured = explain(model, images(1), torch.arange(7)[None], layer)
    torch.testing.assert_close(measured[0], wanted.relu(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("build", [googlenet_like, resnet_like])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_grad_cam_is_the_positive_part_of_cam_over_the_cells_after_global_pooling(
    build: Callable[[], Model], dtype: torch.dtype
) -> None:
    model = small(build, dtype)
    forward = forward_pass(model, images(dtype=dtype), ("last_conv",))
    cam = CAM()(model, forward, CLASSES)
    cells = cam.shape[2] * cam.shape[3]
    rtol = 1e-12 if dtype == torch.float64 else 1e-5
    measured = GradCAM()(model, forward, CLASSES)
    torch.testing.assert_close(
        measured, cam.relu() / cells, rtol=rtol, atol=rtol * float(measured.max()) / 10
    )
    signed = GradCAM(relu=False)(model, forward, CLASSES)
    assert (signed < 0).any()
    torch.testing.assert_close(signed, cam / cells, rtol=rtol, atol=rtol * float(measured.max()) / 10)


def test_weights_at_the_last_relu_and_at_the_max_pooling_after_it_are_proportional() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module.append(nn.Linear(8 * 36, 7))
    forward = forward_pass(as_model(module.double(), "pooled"), images(1), ("1", "2"))
    relu, pool = (
        torch.autograd.grad(forward.logits[0, 3], forward.activations[layer], retain_graph=True)[0].mean(
            (2, 3)
        )
        for layer in ("1", "2")
    )
    assert forward.activations["1"].shape[2:] == (12, 12)
    assert forward.activations["2"].shape[2:] == (6, 6)
    torch.testing.assert_close(pool, 4 * relu, rtol=1e-10, atol=1e-14)


def test_the_convolution_before_the_relu_gives_another_map() -> None:
    model = small(vgg_like)
    before, after = (explain(model, images(), CLASSES, layer) for layer in ("5", "6"))
    assert before.shape == after.shape
    assert not torch.allclose(before, after)


def test_scaling_the_score_scales_the_heatmap() -> None:
    model = small(googlenet_like)
    wanted = explain(model, images(), CLASSES)
    model.module.get_parameter("5.weight").mul_(4)
    torch.testing.assert_close(explain(model, images(), CLASSES), 4 * wanted, rtol=1e-14, atol=0)


FULL = [("vgg16", "features.29"), ("alexnet", "features.11"), ("googlenet", "inception5b")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "layer"), FULL)
def test_grad_cam_equals_captum_and_pytorch_grad_cam_on_full_size_models(name: str, layer: str) -> None:
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = getattr(torchvision.models, name)(weights=None, **options)
    model = as_model(module, name, size=224)
    inputs, classes = images(2, 224, torch.float32), torch.tensor([[3, 7], [999, 7]])
    measured = explain(model, inputs, classes, layer)
    assert (measured.amax((2, 3)) > 0).any()

    part = module.get_submodule(layer)
    for k in range(2):
        captum = LayerGradCam(module, part).attribute(inputs, classes[:, k], relu_attributions=True)
        _close(measured[:, k], captum[:, 0].detach())
        with OtherGradCAM(module, [part]) as other:
            other(inputs.clone().requires_grad_(), [ClassifierOutputTarget(int(c)) for c in classes[:, k]])
            maps = other.activations_and_grads.activations[0].numpy()
            weights = other.activations_and_grads.gradients[0].numpy().mean((2, 3))
        _close(measured[:, k], torch.from_numpy(np.maximum(np.einsum("nc,ncij->nij", weights, maps), 0)))


def _close(measured: Tensor, wanted: Tensor) -> None:
    assert float((measured - wanted).abs().max()) <= 1e-4 * float(wanted.max())
