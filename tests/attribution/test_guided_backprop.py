"""Guided backprop and deconvnet on whole networks, against captum and networks with replaced ReLUs."""

import pytest
import torch
import torchvision
from captum.attr import Deconvolution
from captum.attr import GuidedBackprop as CaptumGuidedBackprop
from helpers import guided_oracle as oracle
from helpers.small_models import as_model, images
from torch import Tensor, nn

from benchmark.attribution.backprop import Backprop
from benchmark.attribution.deconvnet import Deconvnet
from benchmark.attribution.guided_backprop import GuidedBackprop
from benchmark.core.protocols import Method
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass
from benchmark.models.googlenet_bvlc import googlenet

PAIRS: list[tuple[Method, oracle.Rule]] = [
    (GuidedBackprop(), oracle.guided),
    (Deconvnet(), oracle.deconvolved),
]
pytestmark = pytest.mark.filterwarnings("ignore:Setting .*backward hooks on ReLU:UserWarning")  # captum's own


def seeded(name: str) -> Model:
    """A network with random weights; both GoogLeNets rectify by functions."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if name == "googlenet_bvlc":
            return as_model(googlenet(0.25, 10), name, 224)
        options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
        return as_model(getattr(torchvision.models, name)(weights=None, **options), name, 224)


def _close(measured: Tensor, wanted: Tensor, bound: float) -> None:
    assert float(wanted.max()) > 0
    assert float((measured - wanted).abs().max()) <= bound * float(wanted.max())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vgg16", "alexnet"])
def test_both_equal_captum_on_full_size_models(name: str) -> None:
    model = seeded(name)
    inputs, classes = images(2, 224, torch.float32), torch.tensor([[3], [999]])
    forward = forward_pass(model, inputs, ("input",))
    for method, other in ((GuidedBackprop(), CaptumGuidedBackprop), (Deconvnet(), Deconvolution)):
        measured = method(model, forward, classes)
        wanted = other(_out_of_place(model.module)).attribute(inputs.clone().requires_grad_(), classes[:, 0])
        _close(measured[:, 0], wanted.abs().amax(1), 1e-4)


def _out_of_place(module: nn.Module) -> nn.Module:
    """What captum's hooks on modules need."""
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    return module


@pytest.mark.parametrize(("name", "size"), [("googlenet", 64), ("googlenet_bvlc", 224)])
def test_both_equal_a_network_whose_relus_are_replaced_on_both_googlenets(name: str, size: int) -> None:
    model = seeded(name)
    model.module.double()
    inputs, classes = images(1, size), torch.tensor([[3, 7]])
    forward = forward_pass(model, inputs, ("input",))
    plain = Backprop()(model, forward, classes)
    for method, rule in PAIRS:
        measured = method(model, forward, classes)
        _close(measured, oracle.by_replacement(model.module, inputs, classes, rule).abs().amax(2), 1e-9)
        assert float((measured - plain).norm()) > 0.5 * float(plain.norm()), "not the plain gradient"


def test_captum_takes_torchvisions_googlenet_for_a_net_without_relus() -> None:
    model = seeded("googlenet")
    inputs, classes = images(1, 64, torch.float32), torch.tensor([[3]])
    forward = forward_pass(model, inputs, ("input",))
    captum = CaptumGuidedBackprop(model.module).attribute(inputs.clone().requires_grad_(), 3).abs().amax(1)
    _close(captum, Backprop()(model, forward, classes)[:, 0], 1e-4)
    measured = GuidedBackprop()(model, forward, classes)[:, 0]
    assert float((measured - captum).norm()) > 0.5 * float(captum.norm())
