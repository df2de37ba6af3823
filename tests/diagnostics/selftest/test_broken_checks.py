"""Each check fails when what it guards is broken on purpose, and the others hold."""

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from helpers.selftest_subjects import LOCALIZERS, subjects
from torch import Tensor

from benchmark.attribution import grad_cam, guided_backprop
from benchmark.attribution.backprop import Backprop
from benchmark.attribution.cam import CAM
from benchmark.attribution.common import excitation
from benchmark.attribution.common.class_activation import weighted_sum
from benchmark.attribution.common.excitation import RULES, Shares
from benchmark.attribution.common.relu_rules import deconvolved
from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.grad_cam_counterfactual import GradCAMCounterfactual
from benchmark.attribution.mwp import MWP
from benchmark.core.types import (
    Box,
    FloatArray,
    ForwardPass,
    ImageArray,
    LocatedBox,
    Model,
    Operation,
    View,
)
from benchmark.diagnostics.selftest import CHECKS
from benchmark.diagnostics.selftest.check import Finding, examine

CAM_TRUTH = "Grad-CAM is ReLU(CAM) over the cells"
POOLING = "weights before and after max pooling agree"
COUNTERFACTUAL = "the counterfactual is the negative part"
GUIDED = "guided backprop reaches every ReLU"
MASS = "MWP conserves mass, layer by layer"
CONTRAST = "the contrast sums to zero"
NORMS = "LRN and batch norm are passed as the identity"
BATCH = "a batch gives what its images give alone"
DEVICE = "the device agrees with the CPU in float64"
SCALE = "a positive factor on a map moves no box"
THREADS = "threads and order move no box"
TRACES = "a method leaves nothing behind"


def failed(localizers: dict[str, Any] | None = None) -> dict[str, Finding]:
    """The checks that fail now, by name."""
    tried = subjects()
    if localizers is not None:
        tried = replace(tried, localizers=localizers)
    findings = [examine(check, tried) for check in CHECKS]
    return {finding.check.name: finding for finding in findings if not finding.holds}


def where(finding: Finding) -> str:
    """Where a check fails worst."""
    assert finding.worst is not None
    return finding.worst.where


def around(kind: Any, change: Callable[[Any, Model, Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a method call ``change(maps as a function, its model, itself)``."""
    original = kind.__call__

    def broken(self: Any, model: Model, forward: ForwardPass, classes: Tensor) -> Any:
        return change(lambda of: original(of, model, forward, classes), model, self)

    monkeypatch.setattr(kind, "__call__", broken)


def test_nothing_fails_where_nothing_is_broken() -> None:
    assert failed() == {}


def test_a_grad_cam_without_its_relu_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    around(GradCAM, lambda maps, _, self: maps(replace(self, relu=False)), monkeypatch)
    assert set(failed()) == {CAM_TRUTH, COUNTERFACTUAL}


def test_weights_that_are_scaled_by_channel_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def scaled(weights: Tensor, maps: Tensor) -> Tensor:
        return weighted_sum(weights * torch.linspace(0.9, 1.1, weights.shape[-1]), maps)

    monkeypatch.setattr(grad_cam, "weighted_sum", scaled)
    assert set(failed()) == {CAM_TRUTH, POOLING, COUNTERFACTUAL}


def test_gradients_that_are_summed_by_their_absolute_value_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grad_cam, "weighted_sum", lambda weights, maps: weighted_sum(weights.abs(), maps))
    assert set(failed()) == {CAM_TRUTH, POOLING, COUNTERFACTUAL}


def test_a_counterfactual_that_is_grad_cam_itself_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GradCAMCounterfactual, "__call__", lambda _, *given: GradCAM()(*given))
    found = failed()
    assert set(found) == {COUNTERFACTUAL}
    assert where(found[COUNTERFACTUAL]).endswith("/grad_cam_counterfactual")


@pytest.mark.parametrize("rule", ["none", "deconvolved"])
def test_relus_without_the_guided_rule_are_found(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"none": lambda relu: relu.register_hook(lambda *_: None), "deconvolved": deconvolved}
    monkeypatch.setattr(guided_backprop.GuidedBackprop, "rule", staticmethod(rules[rule]))
    assert set(failed()) == {GUIDED}


@pytest.mark.parametrize("name", ["local_response_norm", "batch_norm"])
def test_a_normalization_that_is_differentiated_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def differentiated(operation: Operation, signal: Tensor) -> Shares:
        given, *rest = operation.args
        function = getattr(F, name)
        with torch.enable_grad():
            leaf = given.detach().requires_grad_()
            output = function(leaf, *rest)
            rows = [torch.autograd.grad(output, leaf, p, retain_graph=True)[0] for p in signal]
        yield given, torch.stack(rows)

    monkeypatch.setitem(RULES, name, differentiated)
    assert set(failed()) == {NORMS}


def test_a_rule_that_keeps_negative_weights_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def absolute(operation: Operation, signal: Tensor) -> Shares:
        given, weight = operation.args[:2]
        yield given, given * ((signal / F.linear(given, weight.clamp(min=0))) @ weight.abs())

    monkeypatch.setitem(RULES, "linear", absolute)
    found = failed()
    assert set(found) == {MASS}
    assert "below linear" in where(found[MASS])


def test_a_contrast_that_subtracts_half_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def half(operation: Operation, signal: Tensor) -> Shares:
        ((given, whole),) = excitation._excite(operation, signal)
        ((_, contrast),) = original(operation, signal)
        yield given, (whole + contrast) / 2

    original = excitation._contrast
    monkeypatch.setattr(excitation, "_contrast", half)
    assert set(failed()) == {CONTRAST}


def test_heatmaps_that_go_to_the_wrong_image_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    around(MWP, lambda maps, _, self: maps(self).roll(1, 0), monkeypatch)
    found = failed()
    assert set(found) == {BATCH}
    assert where(found[BATCH]).endswith("/mwp")


def test_a_map_that_is_divided_by_the_batchs_maximum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    around(Backprop, lambda maps, _, self: maps(self) / maps(self).max(), monkeypatch)
    assert set(failed()) == {BATCH}


def test_a_precision_that_is_lost_on_the_way_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def coarse(maps: Any, _: Model, self: CAM) -> Any:
        found = maps(self)
        return found.bfloat16().float() if found.dtype == torch.float32 else found

    around(CAM, coarse, monkeypatch)
    found = failed()
    assert set(found) == {CAM_TRUTH, DEVICE}
    assert where(found[DEVICE]) == "normed/cam"


def test_a_map_of_nan_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    around(Backprop, lambda maps, _, self: maps(self) * torch.nan, monkeypatch)
    assert set(failed()) == {BATCH, DEVICE}


def _give_gradient(parameter: Tensor) -> None:
    parameter.grad = torch.zeros_like(parameter)


LEAVE: dict[str, Callable[[Model], object]] = {
    "hooks": lambda model: model.module.register_forward_hook(lambda *_: None),
    "training mode": lambda model: model.module.train(),
    "requires_grad": lambda model: model.module.requires_grad_(),
    "gradients switched off": lambda _: torch.set_grad_enabled(False),
    ".grad": lambda model: _give_gradient(next(model.module.parameters())),
}


@pytest.mark.parametrize("left", LEAVE)
def test_what_is_left_behind_is_found_and_named(left: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def messy(maps: Any, model: Model, self: Any) -> Any:
        found = maps(self)
        LEAVE[left](model)
        return found

    around(CAM, messy, monkeypatch)
    with torch.enable_grad():
        assert left in _traces()


def test_what_is_left_behind_after_an_exception_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(maps: Any, model: Model, self: Any) -> Any:
        model.module.requires_grad_()
        found = maps(self)
        model.module.requires_grad_(False)
        return found

    around(Backprop, careless, monkeypatch)
    assert "backprop that raised" in _traces()


def test_a_parameter_that_is_changed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(maps: Any, model: Model, self: Any) -> Any:
        next(model.module.parameters()).data.mul_(1 + 1e-6)
        return maps(self)

    around(MWP, change, monkeypatch)
    assert "other values" in _traces()


def _traces() -> str:
    """Where the last check fails, and what it found there."""
    finding = examine(CHECKS[-1], subjects())
    assert finding.check.name == TRACES
    assert not finding.holds
    assert finding.worst is not None
    return f"{finding.worst.where}: {finding.worst.detail}"


class Absolute:
    """A box of what exceeds a number, not a share of the maximum."""

    name, version, needs_image, grid = "absolute", 1, False, ()

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None) -> LocatedBox:
        return LocatedBox(Box(0, 0, 1 + int((heatmap > 0.5).sum()), 1), (0, 0), empty=False)


class Drawing:
    """A box that depends on which thread asks, as OpenCV's random numbers do."""

    name, version, needs_image, grid = "drawing", 1, True, ()

    def __init__(self) -> None:
        self.kept = threading.local()

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None) -> LocatedBox:
        if not hasattr(self.kept, "draw"):
            self.kept.draw = random.Random(threading.get_ident())
        return LocatedBox(Box(0, 0, self.kept.draw.randrange(1, 10**6), 1), (0, 0), empty=False)


def test_a_threshold_that_is_no_share_of_the_map_is_found() -> None:
    found = failed({**LOCALIZERS, "absolute": Absolute()})
    assert set(found) == {SCALE}
    assert where(found[SCALE]) == "absolute"


def test_random_numbers_of_each_thread_are_found() -> None:
    found = failed({**LOCALIZERS, "drawing": Drawing()})
    assert THREADS in found
    assert set(found) <= {THREADS, SCALE}
