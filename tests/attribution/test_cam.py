"""CAM against the formula written out and torchcam; models that it must refuse."""

import pytest
import torch
import torchvision
from helpers.small_models import (
    SpatialMean,
    as_model,
    googlenet_like,
    images,
    small,
    squeezenet_like,
    vgg_like,
)
from torch import Tensor, nn
from torchcam import methods as torchcam_methods

from benchmark.attribution.cam import CAM
from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass


def explain(model: Model, inputs: Tensor, classes: Tensor) -> Tensor:
    return CAM()(model, forward_pass(model, inputs, ("last_conv",)), classes)


def test_cam_is_the_sum_of_maps_times_the_classifiers_weights() -> None:
    model = small(googlenet_like)
    maps = forward_pass(model, images(2), ("last_conv",)).activations["last_conv"]
    weight = model.module.get_parameter("5.weight")
    classes = torch.tensor([[6, 1], [0, 0]])
    measured = explain(model, images(2), classes)
    for n in range(2):
        for k in range(2):
            weights = weight[classes[n, k], :, None, None]
            wanted = (weights * maps[n]).sum(0)
            torch.testing.assert_close(measured[n, k], wanted, rtol=1e-12, atol=1e-14)
    assert (measured < 0).any()


def test_the_mean_of_a_heatmap_plus_the_bias_is_the_score() -> None:
    model = small(googlenet_like)
    classes = torch.arange(7).expand(4, 7)
    scores = explain(model, images(), classes).mean((2, 3)) + model.module.get_parameter("5.bias")
    torch.testing.assert_close(scores, model.module(images()), rtol=1e-12, atol=1e-14)


def test_a_model_with_several_linear_layers_is_refused_with_what_it_has() -> None:
    message = "needs global average pooling .* vgg_like has 8 channels at last_conv, 10 classifier inputs"
    with pytest.raises(UserError, match=message):
        CAM().check(small(vgg_like))


def test_a_convolutional_classifier_is_refused() -> None:
    with pytest.raises(
        UserError, match="squeezenet_like has a Conv2d as its classifier; choose method=grad_cam"
    ):
        CAM().check(small(squeezenet_like))


@pytest.mark.parametrize("between", [nn.ReLU(), nn.AvgPool2d(3, 2), nn.AdaptiveMaxPool2d(1)])
def test_the_right_width_is_not_enough(between: nn.Module) -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), between, SpatialMean(), nn.Linear(8, 7))
    model = as_model(module, "wide", last_conv="0", classifier="3")
    with pytest.raises(UserError, match="wide has scores that its pooled maps do not give"):
        CAM().check(model)


def test_a_model_of_nan_is_refused() -> None:
    model = small(googlenet_like)
    model.module.get_parameter("5.weight").fill_(torch.nan)
    with pytest.raises(UserError, match="scores that its pooled maps do not give"):
        CAM().check(model)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer", "dtype", "bound"),
    [
        ("googlenet", "inception5b", torch.float64, 1e-10),
        ("googlenet", "inception5b", torch.float32, 1e-4),
        ("resnet18", "layer4", torch.float32, 1e-4),
    ],
)
def test_cam_equals_torchcam_on_full_size_models(
    name: str, layer: str, dtype: torch.dtype, bound: float
) -> None:
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = getattr(torchvision.models, name)(weights=None, **options).to(dtype)
    model = as_model(module, name, size=224, last_conv=layer, classifier="fc")
    CAM().check(model)
    inputs, classes = images(2, 224, dtype), torch.tensor([[3, 7], [999, 7]])
    measured = explain(model, inputs, classes)
    with torchcam_methods.CAM(module, layer, "fc") as other:
        for k in range(2):
            module(inputs)
            wanted = other(classes[:, k].tolist(), normalized=False)[0]
            assert float((measured[:, k] - wanted).abs().max()) <= bound * float(wanted.abs().max())
