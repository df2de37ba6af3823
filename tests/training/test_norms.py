"""What is saved is the plain net, and computes what the net with norms does."""

import copy
from collections.abc import Callable

import pytest
import torch
from helpers.painted import tiny
from helpers.small_models import vgg_like
from torch import nn

from benchmark.core.errors import UserError
from benchmark.models.googlenet_bvlc import googlenet
from benchmark.training.norms import Normed, add_norms, calibrate, folded


def trained(module: nn.Module, *spared: str) -> nn.Module:
    """With norms whose statistics and parameters are far from where they start."""
    add_norms(module, spared)
    generator = torch.Generator().manual_seed(5)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            for tensor, low, high in (
                (layer.running_mean, -0.5, 0.5),
                (layer.running_var, 0.3, 3),
                (layer.weight.data, 0.5, 2),
                (layer.bias.data, -0.5, 0.5),
            ):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return module.double().eval()


SPARED = {"grouped": "fc", "dilated": "12", "inception": "loss3.classifier"}
NETS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "grouped": (lambda: tiny().module, 24),
    "dilated": (lambda: vgg_like().module, 12),
    "inception": (lambda: googlenet(0.05), 224),
}


@pytest.mark.parametrize("name", NETS)
def test_the_folded_net_has_the_plain_nets_names_and_the_normed_nets_logits(name: str) -> None:
    build, size = NETS[name]
    torch.manual_seed(0)
    module = build()
    plain = copy.deepcopy(module).double().eval()
    images = torch.randn(2, 3, size, size, dtype=torch.float64)
    with torch.no_grad():
        before = plain(images)
        normed = trained(module, SPARED[name])
        state = folded(normed)
        assert state.keys() == plain.state_dict().keys()
        plain.load_state_dict(state)
        after = plain(images)
        torch.testing.assert_close(after, normed(images), rtol=1e-10, atol=1e-10)
    assert not torch.allclose(after, before), "the norms do something"


def test_the_fold_of_one_grouped_convolution_by_hand() -> None:
    net = nn.Sequential(nn.Conv2d(2, 2, 1, groups=2))
    add_norms(net, ())
    layer = net[0]
    assert isinstance(layer, Normed)
    norm = layer.norm
    assert isinstance(norm, nn.BatchNorm2d)
    norm.eps = 0.0
    values = {"weight": [2, 3], "bias": [5, -5], "running_mean": [1, 1], "running_var": [4, 9]}
    norm.load_state_dict({key: torch.tensor(value) for key, value in values.items()}, strict=False)
    layer.layer.weight.data[:] = torch.tensor([10.0, 20.0])[:, None, None, None]
    assert layer.layer.bias is not None
    layer.layer.bias.data[:] = torch.tensor([3.0, 4.0])
    state = folded(net)
    assert state["0.weight"].flatten().tolist() == [10.0, 20.0]  # times 2/2 and 3/3
    assert state["0.bias"].tolist() == [3 - 1 + 5, 4 - 1 - 5]


def test_every_layer_gets_a_norm_but_those_that_are_spared() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 2))
    add_norms(module, ["3"])
    assert [isinstance(layer, Normed) for layer in module] == [True, False, True, False]


def test_calibrated_norms_change_nothing_on_the_images_that_they_saw() -> None:
    """In training mode, where each norm takes the statistics of the batch itself."""
    torch.manual_seed(0)
    module = tiny(dropout=0.0).module.double()
    images = torch.randn(6, 3, 24, 24, dtype=torch.float64)
    with torch.no_grad():
        expected = module(images)
        add_norms(module, ["fc"])
        module.double()
        calibrate(module, ["conv1", "block.3x3"], images)
        assert module.training
        torch.testing.assert_close(module(images), expected, rtol=1e-4, atol=1e-4)  # ε of the fresh norm


def test_only_copied_layers_are_calibrated() -> None:
    module = tiny().module
    add_norms(module, ["fc"])
    calibrate(module, ["conv1"], torch.randn(4, 3, 24, 24))
    state = module.state_dict()
    assert torch.equal(state["block.3x3.norm.weight"], torch.ones(8))
    assert not torch.equal(state["conv1.norm.weight"], torch.ones(8))


def test_a_net_with_norms_of_its_own_and_one_without_biases_are_refused() -> None:
    with pytest.raises(UserError, match=r"train\.batch_norm=true: the model has norms of its own"):
        add_norms(nn.Sequential(nn.BatchNorm2d(3)), ())
    with pytest.raises(UserError, match="layer 0 has no bias"):
        add_norms(nn.Sequential(nn.Conv2d(3, 4, 1, bias=False)), ())
