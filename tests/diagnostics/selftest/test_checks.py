"""The self-test's checks hold where nothing is broken, and its yardsticks measure what they say."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers.selftest_subjects import METHODS, pooled, subjects
from helpers.small_models import as_model, googlenet_like, images, small
from torch import nn

from benchmark.attribution.common.excitation import walk
from benchmark.attribution.mwp import MWP
from benchmark.core.protocols import Method
from benchmark.diagnostics.selftest import CHECKS
from benchmark.diagnostics.selftest.case import prepare
from benchmark.diagnostics.selftest.check import EXACT, Bound, Check, Deviation, Subjects, examine, relative
from benchmark.diagnostics.selftest.excitation import _cuts, _lost, mass_is_conserved
from benchmark.diagnostics.selftest.side_effects import nothing_is_left_behind
from benchmark.models.forward import forward_pass
from benchmark.pipeline.settings import RunSettings

OPTIONS: list[dict[str, Any]] = [
    {"precision": "float32"},
    {"precision": "float64"},
    {"precision": "bfloat16"},
    {"precision": "float32", "channels_last": True},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_every_check_has_a_case_and_holds_in_every_precision(options: dict[str, Any]) -> None:
    tried = subjects(**options)
    for check in CHECKS:
        finding = examine(check, tried)
        assert finding.worst is not None, check.name
        assert finding.holds, (check.name, finding.worst)
        assert finding.worst.deviation < 1e-10 or options["precision"] != "float64"


def test_truths_have_names_of_their_own_and_each_names_a_culprit() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS) == 12
    assert all(check.culprit for check in CHECKS)


def test_the_deviation_is_the_worst_maps_sum_of_differences_over_the_mean_sum_of_all() -> None:
    wanted = torch.tensor([[[1.0, -1.0], [4.0, 2.0]]])
    measured = torch.tensor([[[1.0, -1.5], [4.0, 1.0]]])
    assert relative(measured, wanted) == pytest.approx(1 / 4)  # sums 2 and 6


def test_nothing_agrees_with_maps_that_are_all_zero_or_of_another_shape() -> None:
    zero = torch.zeros(1, 1, 4)
    assert math.isnan(relative(zero, zero))
    assert not Deviation("", relative(zero, zero), Bound(1.0, "")).holds
    assert not Deviation("", relative(zero + math.nan, zero + 1), Bound(1.0, "")).holds
    assert relative(torch.ones(1, 1, 2), torch.ones(1, 1, 3)) == math.inf


def _found(*found: Deviation) -> Check:
    def measure(_bench: Subjects) -> Iterator[Deviation]:
        yield from found

    return Check("one", "nothing", measure)


def test_the_worst_measurement_is_the_one_that_exceeds_its_bound_by_most() -> None:
    loose, tight = Deviation("loose", 0.5, Bound(1.0, "")), Deviation("tight", 1e-3, Bound(1e-6, ""))
    exact, lost = Deviation("exact", 1.0, EXACT), Deviation("nan", math.nan, Bound(1.0, ""))
    nothing = Subjects((), {})
    assert examine(_found(loose, tight), nothing).worst == tight
    assert examine(_found(tight, exact), nothing).worst == exact
    assert examine(_found(exact, lost), nothing).worst is lost
    assert examine(_found(), nothing).worst is None
    assert examine(_found(), nothing).holds


def test_a_check_that_raises_has_failed_and_tells_what_was_raised() -> None:
    def measure(_bench: Subjects) -> Iterator[Deviation]:
        yield Deviation("before", 0.0, EXACT)
        raise RuntimeError("out of\nmemory")

    finding = examine(Check("one", "nothing", measure), Subjects((), {}))
    assert not finding.holds
    assert finding.worst is not None
    assert finding.worst.detail == "RuntimeError: out of memory"


def test_a_cut_is_where_no_branch_lies_beside() -> None:
    model = small(googlenet_like)
    forward = forward_pass(model, images(2), ("excitation",), operations=True)
    found = _cuts(forward, forward.activations["excitation"])
    names = [op.function.__name__ for op in forward.operations if any(op.output is cut for cut in found)]
    assert names == ["clone", "cat", "adaptive_avg_pool2d", "flatten", "dropout"]


def _dead() -> nn.Sequential:
    """A hidden unit that its bias alone keeps active: what enters it is lost."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 5), nn.Linear(5, 7))
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.1, 1, generator=torch.Generator().manual_seed(0))
    nn.init.constant_(module.get_parameter("3.weight")[2], -0.001)
    nn.init.constant_(module.get_parameter("3.bias")[2:3], 100)
    return module


def test_mass_that_no_unit_could_take_is_counted_as_lost_and_no_more() -> None:
    model = as_model(_dead(), "dead", excitation="1", hidden="3", classifier="4")
    case = prepare(model, METHODS, RunSettings(device="cpu", precision="float64"))
    forward = case.record(("excitation", "hidden"), operations=True)
    hidden = walk(model, forward, case.classes, "hidden")
    assert (hidden[..., 2] > 0.005).all()
    lost = _lost(case, forward, forward.activations["excitation"])
    torch.testing.assert_close(lost, hidden[..., 2], rtol=1e-12, atol=0)
    found = list(mass_is_conserved(Subjects((case,), {})))
    assert all(measured.holds for measured in found)
    assert len(found) == 4  # the layer, its copy, flattened, hidden


def test_the_reference_is_on_the_cpu_in_float64_and_the_case_stays_as_it_is() -> None:
    case = prepare(pooled(), METHODS, RunSettings(device="cpu", channels_last=True))
    other = case.reference()
    assert {p.dtype for p in other.model.module.parameters()} == {other.inputs.dtype} == {torch.float64}
    assert {p.dtype for p in case.model.module.parameters()} == {case.inputs.dtype} == {torch.float32}
    assert case.inputs.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(other.inputs.float(), case.inputs)


def test_a_method_that_refuses_a_model_is_left_out_with_its_reason() -> None:
    case = prepare(pooled(), METHODS, RunSettings(device="cpu"))
    assert "cam" not in case.methods
    assert "global average pooling" in case.refused["cam"]


def _without(role: str, **methods: Method) -> Subjects:
    """The small net with one role fewer, and perhaps other methods."""
    model = pooled()
    lacking = replace(model, layers={name: layer for name, layer in model.layers.items() if name != role})
    return Subjects((prepare(lacking, METHODS | methods, RunSettings(device="cpu")),), {})


def test_without_a_classifier_nothing_breaks_off_and_it_is_said() -> None:
    found = list(nothing_is_left_behind(_without("classifier")))
    assert found
    assert all(measured.holds for measured in found)
    assert {measured.where.partition(" that ")[2] for measured in found} == {"worked", "raised"}
    assert all("not tried: that it breaks off" in measured.detail for measured in found)
    complete = list(nothing_is_left_behind(subjects()))
    assert {measured.where.partition(" that ")[2] for measured in complete} == {
        "worked",
        "raised",
        "broke off",
    }
    assert all(measured.detail == "" for measured in complete)


@pytest.mark.parametrize(
    ("role", "methods", "void"),
    [
        ("last_conv", {}, {"weights_survive_pooling", "counterfactual_is_the_negative_part"}),
        ("excitation", {"mwp": MWP(layer="1")}, {"mass_is_conserved"}),
        ("penultimate", {}, {"contrast_sums_to_zero"}),
    ],
)
def test_a_check_about_a_layer_that_a_model_lacks_has_no_case_and_fails_for_none(
    role: str, methods: dict[str, Method], void: set[str]
) -> None:
    tried = _without(role, **methods)
    findings = {check.measure.__name__: examine(check, tried) for check in CHECKS}
    assert all(finding.holds for finding in findings.values()), findings
    assert all(findings[name].worst is None for name in void)


def test_a_role_that_names_no_layer_is_no_lack_and_fails() -> None:
    model = pooled()
    wrong = replace(model, layers={**model.layers, "last_conv": "conv5"})
    tried = Subjects((prepare(wrong, METHODS, RunSettings(device="cpu")),), {})
    assert not all(examine(check, tried).holds for check in CHECKS)


def test_images_of_a_case_are_told_apart_by_their_heatmaps() -> None:
    for case in subjects().cases:
        for name, maps in case.explain().items():
            assert relative(maps.roll(1, 0), maps) > 0.05, name
