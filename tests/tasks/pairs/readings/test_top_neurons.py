"""The most important units against gradients taken one class and one image at a time."""

import numpy as np
import pytest
import torch
from helpers.small_models import googlenet_like, images, small

from benchmark.attribution.grad_cam import GradCAM
from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass
from benchmark.tasks.pairs.readings.neurons import TopNeurons
from benchmark.tasks.pairs.types import Asked

CLASSES = torch.tensor([[3, 0], [1, 3]])


def asked(model: Model, layers: tuple[str, ...] = ("last_conv",)) -> Asked:
    forward = forward_pass(model, images(2, dtype=torch.float64), layers)
    return Asked(model, forward, CLASSES, torch.zeros(2, 2, 1, 1), GradCAM())


def test_units_are_those_with_the_greatest_and_least_mean_gradient() -> None:
    model = small(googlenet_like, torch.float64)
    given = asked(model)
    maps = given.forward.activations["last_conv"]
    found = TopNeurons(count=2).measure(given)
    for image in range(2):
        for place, output in enumerate(CLASSES[image]):
            score = given.forward.logits[image, output]
            (gradient,) = torch.autograd.grad(score, maps, retain_graph=True)
            alphas = gradient[image].mean((1, 2))
            order = alphas.argsort(descending=True)
            expected = [*order[:2].tolist(), *order[-2:].flip(0).tolist()]
            assert found["units"][image, place].tolist() == expected
            torch.testing.assert_close(found["alphas"][image, place], alphas[expected].float())
            torch.testing.assert_close(found["unit_maps"][image, place], maps[image, expected].float())


def test_a_layer_that_no_method_reads_and_too_many_units_are_refused() -> None:
    model = small(googlenet_like, torch.float64)
    with pytest.raises(UserError, match="choose method=grad_cam"):
        TopNeurons().measure(asked(model, ()))
    with pytest.raises(UserError, match="at most half of the layer's"):
        TopNeurons(count=1000).measure(asked(model))


def test_a_weight_that_is_not_finite_is_refused() -> None:
    values = {"units": np.zeros(2, np.int64), "alphas": np.full(2, np.nan, np.float32)}
    with pytest.raises(UserError, match="NaN"):
        TopNeurons().finish(None, values)  # type: ignore[arg-type]
