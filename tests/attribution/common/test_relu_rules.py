"""Rules at ReLUs: their truth tables, two derivations beside them, and what they must refuse."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from helpers import guided_oracle as oracle
from helpers.small_models import SMALL, alexnet_like, as_model, googlenet_like, images, small, vgg_like
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from benchmark.attribution.backprop import Backprop
from benchmark.attribution.common.relu_rules import Rule, deconvolved, guided, input_gradients, reduction
from benchmark.attribution.deconvnet import Deconvnet
from benchmark.attribution.guided_backprop import GuidedBackprop
from benchmark.attribution.guided_grad_cam import GuidedGradCAM
from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass

CLASSES = torch.tensor([[0, 3, 6], [2, 2, 5], [1, 4, 0], [6, 5, 4]])
RULES = [(guided, oracle.guided), (deconvolved, oracle.deconvolved)]


def signals(model: Model, inputs: Tensor, classes: Tensor, rule: Rule) -> Tensor:
    forward = forward_pass(model, inputs, ("input",))
    return torch.stack(list(input_gradients(model, forward, classes, rule)), 1)


class Net(nn.Module):
    """A convolution, whatever is given, a mean over space, and a linear layer."""

    def __init__(self, between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3), nn.Linear(8, 7)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.fc(self.between(self.conv(x)).mean((2, 3)))
        return scores


def net(between: Callable[[Tensor], Tensor]) -> Model:
    return small(lambda: as_model(Net(between), "net", last_conv="conv"))


@pytest.mark.parametrize(
    ("rule", "wanted"), [(guided, [0, 0, 3, 0, 0, 0]), (deconvolved, [3, 3, 3, 0, 0, 0])]
)
def test_the_truth_table_of_a_rule(rule: Rule, wanted: list[int]) -> None:
    """Forward inputs below, at and above 0, each with a positive and a negative signal from above."""
    module = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(6, 1, bias=False))
    module[2].weight.data = torch.tensor([[3.0, 3, 3, -3, -3, -3]])
    inputs = torch.tensor([-1.0, 0, 2, -1, 0, 2]).view(1, 3, 1, 2)
    measured = signals(as_model(module, "table", size=2), inputs, torch.zeros(1, 1, dtype=torch.int64), rule)
    assert measured.flatten().tolist() == wanted


@pytest.mark.parametrize(("rule", "written_out"), RULES)
@pytest.mark.parametrize("build", SMALL)
def test_a_rule_is_that_of_a_network_whose_relus_are_replaced(
    build: Callable[[], Model], rule: Rule, written_out: oracle.Rule
) -> None:
    model = small(build)
    measured = signals(model, images(), CLASSES, rule)
    wanted = oracle.by_replacement(model.module, images(), CLASSES, written_out)
    assert wanted.abs().sum() > 0
    torch.testing.assert_close(measured, wanted, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("rule", "written_out"), RULES)
@pytest.mark.parametrize("build", [vgg_like, alexnet_like])
def test_a_rule_is_the_product_of_dense_jacobians_with_the_rule_between_them(
    build: Callable[[], Model], rule: Rule, written_out: oracle.Rule
) -> None:
    model = small(build)
    assert isinstance(model.module, nn.Sequential)
    measured = signals(model, images(1), torch.tensor([[5]]), rule)
    wanted = oracle.by_jacobians(model.module, images(1), 5, written_out)
    assert wanted.abs().sum() > 0
    torch.testing.assert_close(measured[0, 0], wanted, rtol=1e-10, atol=1e-14)


def _twice(relu: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda x: relu(relu(x) - 0.1)


REACHED: dict[str, Callable[[Tensor], Tensor]] = {
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x, inplace=True),
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "Tensor.relu": lambda x: x.relu(),
    "Tensor.relu_": lambda x: x.relu_(),
    "one module twice": _twice(nn.ReLU()),
    "one in-place module twice": _twice(nn.ReLU(inplace=True)),
    "on a view": lambda x: F.relu(x.flatten(2)).view_as(x),
    "two that share their input": lambda x: F.relu(x) - 0.5 * F.relu(-x),
}


@pytest.mark.parametrize(("rule", "written_out"), RULES)
@pytest.mark.parametrize("form", REACHED)
def test_every_form_of_a_relu_is_reached(form: str, rule: Rule, written_out: oracle.Rule) -> None:
    model = net(REACHED[form])
    measured = signals(model, images(), CLASSES, rule)
    wanted = oracle.by_replacement(model.module, images(), CLASSES, written_out)
    torch.testing.assert_close(measured, wanted, rtol=1e-10, atol=1e-14)
    plain = oracle.by_replacement(model.module, images(), CLASSES, lambda x, arriving: arriving * (x > 0))
    assert not torch.allclose(measured, plain)


@pytest.mark.parametrize("rule", [guided, deconvolved])
def test_a_relu_that_is_computed_again_on_the_way_back_is_reached(rule: Rule) -> None:
    again = net(lambda x: checkpoint(F.relu, x, use_reentrant=False))
    wanted = signals(net(F.relu), images(), CLASSES, rule)
    assert torch.equal(signals(again, images(), CLASSES, rule), wanted)


def _in_place_on_a_view(x: Tensor) -> Tensor:
    x[:, :4].relu_()
    return x


HIDDEN: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "ReLU6": (nn.ReLU6(), "HardtanhBackward0 may rectify and is no ReLU"),
    "clamp": (lambda x: x.clamp(min=0), r"ClampBackward\d may rectify and is no ReLU"),
    "clamp_min": (lambda x: torch.clamp_min(x, 0), "ClampMinBackward0 may rectify and is no ReLU"),
    "threshold": (lambda x: F.threshold(x, 0, 0), "ThresholdBackward0 may rectify and is no ReLU"),
    "maximum": (
        lambda x: torch.maximum(x, torch.zeros_like(x)),
        "MaximumBackward0 may rectify and is no ReLU",
    ),
    "where": (lambda x: torch.where(x > 0, x, 0.0), "WhereBackward0 may rectify and is no ReLU"),
    "masked_fill": (lambda x: x.masked_fill(x < 0, 0.0), "MaskedFillBackward0 may rectify and is no ReLU"),
    "leaky": (nn.LeakyReLU(inplace=True), r"LeakyReluBackward\d may rectify and is no ReLU"),
    "prelu": (nn.PReLU(dtype=torch.float64), "PreluKernelBackward0 may rectify and is no ReLU"),
    "rrelu": (nn.RReLU(), r"(RreluWithNoise|LeakyRelu)Backward\d may rectify and is no ReLU"),
    "elu": (nn.ELU(), "EluBackward0 may rectify and is no ReLU"),
    "selu": (nn.SELU(), "EluBackward0 may rectify and is no ReLU"),
    "celu": (nn.CELU(), "CeluBackward0 may rectify and is no ReLU"),
    "silu": (nn.SiLU(), "SiluBackward0 may rectify and is no ReLU"),
    "gelu": (nn.GELU(), "GeluBackward0 may rectify and is no ReLU"),
    "mish": (nn.Mish(), "MishBackward0 may rectify and is no ReLU"),
    "hardswish": (nn.Hardswish(), "HardswishBackward0 may rectify and is no ReLU"),
    "softplus": (nn.Softplus(), "SoftplusBackward0 may rectify and is no ReLU"),
    "view": (_in_place_on_a_view, r"CopySlices \(an in-place operation on a view\) hides what it does"),
    "checkpoint": (
        lambda x: checkpoint(F.relu, x, use_reentrant=True),
        "CheckpointFunctionBackward hides what it does",
    ),
}


@pytest.mark.parametrize("method", [GuidedBackprop(), Deconvnet(), GuidedGradCAM()], ids=lambda m: m.name)
@pytest.mark.parametrize("kind", HIDDEN)
def test_what_rectifies_and_cannot_be_reached_is_refused_by_its_name(kind: str, method: Any) -> None:
    between, named = HIDDEN[kind]
    remedy = "; write it with nn.ReLU or F.relu on a whole tensor, or choose method=backprop"
    with pytest.raises(UserError, match=f"^model net: no rule can be set at every ReLU: .*{named}{remedy}$"):
        method.check(net(between))


def test_a_scripted_part_is_refused_by_its_name() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against scripts
        scripted = torch.jit.script(nn.Sequential(nn.Conv2d(8, 8, 1), nn.ReLU()))
    with pytest.raises(UserError, match=r"^model net: .* the scripted module between hides what it does"):
        GuidedBackprop().check(net(scripted))


@pytest.mark.parametrize("rule", [guided, deconvolved])
def test_no_hook_is_left_in_the_graph_and_none_is_set_between_two_classes(rule: Rule) -> None:
    model = small(googlenet_like)
    wanted = Backprop()(model, forward_pass(model, images(), ("input",)), CLASSES)
    forward = forward_pass(model, images(), ("input",))
    for _ in input_gradients(model, forward, CLASSES, rule):
        assert torch.equal(Backprop()(model, forward, CLASSES), wanted)
    assert torch.equal(Backprop()(model, forward, CLASSES), wanted)


@pytest.mark.parametrize("rule", [guided, deconvolved])
def test_no_hook_is_left_in_the_graph_after_an_exception(rule: Rule) -> None:
    model = small(googlenet_like)
    wanted = Backprop()(model, forward_pass(model, images(), ("input",)), CLASSES)
    forward = forward_pass(model, images(), ("input", "excitation"))

    def fail(_gradient: Tensor) -> None:
        raise ValueError("on the way")

    hook = forward.activations["excitation"].register_hook(fail)  # type: ignore[no-untyped-call]
    with hook, pytest.raises(ValueError, match="on the way"):
        list(input_gradients(model, forward, CLASSES, rule))
    assert torch.equal(Backprop()(model, forward, CLASSES), wanted)


@pytest.mark.parametrize("name", ["max_abs", "sum_abs", "sum_positive", "sum"])
def test_colours_are_reduced_as_the_option_says(name: Any) -> None:
    signal = images(2, 5)
    measured = reduction(name)(signal)
    for n, y, x in ((0, 0, 0), (1, 4, 2), (0, 3, 1)):
        colours = signal[n, :, y, x].tolist()
        if "abs" in name:
            colours = [abs(value) for value in colours]
        if name == "sum_positive":
            colours = [value for value in colours if value > 0]
        by_hand = max(colours) if name == "max_abs" else sum(colours)
        assert float(measured[n, y, x]) == pytest.approx(by_hand, abs=1e-15)


@pytest.mark.parametrize("method", [GuidedBackprop, Deconvnet, GuidedGradCAM])
def test_an_unknown_reduction_is_refused_before_the_run(method: Any) -> None:
    message = "^method.reduction=mean: must be max_abs .* sum$"
    with pytest.raises(UserError, match=message):
        method(reduction="mean")
