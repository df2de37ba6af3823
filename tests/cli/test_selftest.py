"""What ./scripts/selftest prints, and its exit status."""

from dataclasses import replace
from functools import partial
from typing import Any

import hydra
import pytest
import torch
from helpers.commands import Command
from helpers.selftest_subjects import subjects
from torch import Tensor

from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.mwp import MWP
from benchmark.cli import selftest as command
from benchmark.cli.app.places import CONF
from benchmark.core.types import ForwardPass, Model
from benchmark.diagnostics.selftest import CHECKS
from benchmark.diagnostics.selftest.check import Check, Finding, Subjects


@pytest.fixture
def selftest(command: Command) -> Command:
    """``selftest("key=value", …)``: exit status, what it printed and what it complained."""
    return partial(command, "selftest")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small nets and two localizers for the built-in ones."""
    monkeypatch.setattr(command, "_subjects", lambda *_: subjects())


def line_of(name: str, printed: str) -> str:
    (line,) = (line for line in printed.splitlines() if line.startswith(name))
    return line


@pytest.mark.usefixtures("small")
def test_each_check_has_one_line_with_its_numbers_and_verdict(selftest: Command) -> None:
    status, printed, complaint = selftest("run.device=cpu")
    assert (status, complaint) == (0, "")
    assert line_of("device", printed).startswith("device      cpu, float32, contiguous")
    for check in CHECKS:
        deviation, allowed, verdict, seconds = line_of(check.name, printed)[len(check.name) :].split()[:4]
        assert 0 <= float(deviation) <= float(allowed)
        assert verdict == "ok"
        assert float(seconds) >= 0
    assert printed.endswith("12 checks tried: all hold\n")


@pytest.mark.usefixtures("small")
def test_a_check_that_fails_is_status_1_with_the_reason_and_the_likely_culprit(
    selftest: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Any = GradCAM.__call__

    def signed(self: GradCAM, model: Model, forward: ForwardPass, classes: Tensor) -> Any:
        return original(replace(self, relu=False), model, forward, classes)

    monkeypatch.setattr(GradCAM, "__call__", signed)
    status, printed, complaint = selftest("run.device=cpu")
    assert (status, complaint) == (3, "")
    lines = printed.splitlines()
    place = lines.index(line_of("Grad-CAM is ReLU(CAM)", printed))
    assert " FAILED " in lines[place]
    assert lines[place + 1] == "  allowed   sums rounded in float32"
    assert lines[place + 2].startswith(
        "  look at   benchmark/attribution/grad_cam.py: its weights or its ReLU"
    )
    assert lines[-1] == "12 checks tried: 2 FAILED"


@pytest.mark.usefixtures("small")
def test_a_check_that_stops_does_not_stop_the_others(
    selftest: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no kernel for this device")

    monkeypatch.setattr(MWP, "__call__", broken)
    monkeypatch.setattr(MWP, "check", lambda *_: None)
    status, printed, _ = selftest("run.device=cpu")
    assert status == 3
    assert "stopped (RuntimeError: no kernel for this device)" in line_of("a batch gives", printed)
    assert " ok " in line_of("threads and order", printed)


def test_a_check_that_applies_to_no_model_says_so(selftest: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = subjects()
    monkeypatch.setattr(command, "_subjects", lambda *_: replace(tried, cases=tried.cases[1:]))
    status, printed, _ = selftest("run.device=cpu")
    assert status == 0
    assert "no case" in line_of("Grad-CAM is ReLU(CAM)", printed)
    assert printed.endswith("10 checks tried, 2 without a case: all hold\n")


def test_a_model_of_ones_own_is_tried_with_every_method_and_localizer_that_needs_no_option(
    selftest: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Subjects] = []

    def look(check: Check, tried: Subjects) -> Finding:
        seen.append(tried)
        return Finding(check, None, 0.0)

    monkeypatch.setattr(command, "examine", look)
    status, printed, _ = selftest(
        *("model=squeezenet1_0", "model.weights=random", "model.input.size=64"),
        *("run.device=cpu", "run.precision=float64", "run.channels_last=true"),
    )
    assert status == 0
    assert printed.startswith("device      cpu, float64, channels_last")
    ((case,), localizers) = (seen[0].cases, seen[0].localizers)
    methods = {path.stem for path in (CONF / "method").glob("*.yaml")}
    assert {*case.methods, *case.refused} == methods
    assert {*localizers, "max_box"} == {path.stem for path in (CONF / "localizer").glob("*.yaml")}
    assert case.inputs.dtype == torch.float64
    assert case.inputs.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.slow
def test_every_check_holds_on_the_built_in_nets_and_none_is_without_a_case(selftest: Command) -> None:
    status, printed, _ = selftest("run.device=cpu")
    assert status == 0
    assert printed.endswith("12 checks tried: all hold\n")
    assert printed.count("net  ") == 5


def test_the_built_in_nets_are_the_papers_in_small() -> None:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("selftest")
        models = command._models(cfg)
    assert [model.name for model in models] == [
        *("vgg16_caffe", "vgg16_cam", "alexnet_bvlc", "googlenet_bvlc", "normed")
    ]
    assert all(model.weights.source == "random (seed 0)" for model in models)
    assert sum(p.numel() for model in models for p in model.module.parameters()) < 2e6


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("run.device=warp9", "run.device=warp9: not usable here"),
        ("run.precision=float8", "run.precision=float8: must be float32"),
        ("model=vgg61", "model=vgg61: there is no such model; choose one of"),
        ("model.weights=random", "choose a model first, model=NAME"),
        ("model=googlenet_bvlc model.weights=/nowhere/x.caffemodel", "/nowhere/x.caffemodel"),
        ("run.devise=cpu", "did you mean run.device?"),
        ("nets.vgg61.width=1", "nets.vgg61.width: there is no such option here"),
    ],
)
def test_a_command_that_cannot_be_is_one_line(selftest: Command, typed: str, says: str) -> None:
    status, printed, complaint = selftest("run.device=cpu", *typed.split())
    assert status == 2
    assert "check" not in printed
    assert complaint.startswith("error: ")
    assert complaint.count("\n") == 1
    assert says in complaint


def test_help_shows_examples_and_what_the_status_means(selftest: Command) -> None:
    status, printed, _ = selftest("--help")
    assert status == 0
    assert "./scripts/selftest run.device=cuda:1 run.precision=bfloat16" in printed
    assert "Exit code: 0 if every check holds" in printed
