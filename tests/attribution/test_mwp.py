"""MWP and c-MWP: what they make of the walk, which has tests of its own."""

from collections.abc import Callable

import pytest
import torch
from helpers.small_models import SMALL, as_model, images, resnet_like, small, vgg_like
from torch import nn

from benchmark.attribution.c_mwp import ContrastiveMWP
from benchmark.attribution.common.excitation import walk
from benchmark.attribution.mwp import MWP
from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass

CLASSES = torch.tensor([[0, 3, 6], [2, 2, 5]])


@pytest.mark.parametrize("build", SMALL)
def test_mwp_sums_the_probabilities_over_the_channels(build: Callable[[], Model]) -> None:
    model = small(build)
    forward = forward_pass(model, images(2), ("excitation",), operations=True)
    units = walk(model, forward, CLASSES, "excitation")
    assert torch.equal(MWP()(model, forward, CLASSES), units.sum(2))


@pytest.mark.parametrize("build", SMALL)
def test_c_mwp_is_cut_off_at_zero_after_the_sum_over_channels_and_not_before(
    build: Callable[[], Model],
) -> None:
    model = small(build)
    forward = forward_pass(model, images(2), ("excitation",), operations=True)
    units = walk(model, forward, CLASSES, "excitation", contrastive=True)
    measured = ContrastiveMWP()(model, forward, CLASSES)
    assert torch.equal(measured, units.sum(2).clamp(min=0))
    assert not torch.allclose(measured, units.clamp(min=0).sum(2))
    assert (units.sum(2) < 0).any()


def test_scaling_the_image_features_leaves_the_winning_probabilities_alone() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(200, 7))
    model = as_model(module.double(), "scaled", excitation="1", classifier="4")
    wanted = MWP()(model, forward_pass(model, images(2), ("excitation",), operations=True), CLASSES)
    module.get_parameter("0.weight").mul_(3)
    module.get_parameter("0.bias").mul_(3)
    measured = MWP()(model, forward_pass(model, images(2), ("excitation",), operations=True), CLASSES)
    torch.testing.assert_close(measured, wanted, rtol=1e-12, atol=0)


@pytest.mark.parametrize("method", [MWP(), ContrastiveMWP()])
def test_a_check_refuses_an_operation_without_a_rule_and_names_it(method: MWP | ContrastiveMWP) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Flatten(), nn.Linear(400, 7)).double()
    model = as_model(module, "smooth", excitation="0", classifier="3")
    with pytest.raises(
        UserError, match=r"smooth: .* no rule for torch.nn.functional.silu, used after excitation"
    ):
        method.check(model)


def test_c_mwp_refuses_a_model_without_a_classifier_role_and_mwp_needs_none() -> None:
    module = small(resnet_like).module
    MWP().check(as_model(module, "headless", excitation="0"))
    with pytest.raises(UserError, match="headless has no layer 'classifier'"):
        ContrastiveMWP().check(as_model(module, "headless", excitation="0"))


def test_another_layer_can_be_read_by_its_module_name() -> None:
    model = small(vgg_like)
    method = MWP(layer="2")  # a convolution before an in-place ReLU
    forward = forward_pass(model, images(2), method.layers, operations=True)
    assert method(model, forward, CLASSES).shape == (2, 3, 14 - 2, 12 - 2)
