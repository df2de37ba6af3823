"""``./scripts/gpu-check``: other commands one after the other, and what they printed in one place."""

import json
import shlex
from functools import partial
from pathlib import Path

import hydra
import pytest
from helpers.commands import Command
from omegaconf import OmegaConf

from benchmark.cli.app.places import CONF
from benchmark.cli.app.words import Typed, completed

STEPS = OmegaConf.load(CONF / "gpu-check.yaml").steps
QUICK = ("device=cpu", "steps.truths=--help", "steps.boxes=nonsense")


@pytest.fixture
def gpu_check(command: Command, tmp_path: Path) -> Command:
    return partial(command, "gpu-check", f"output={tmp_path}")


def but(*kept: str) -> list[str]:
    return [f"~steps.{name}" for name in STEPS if name not in kept]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_composes(name: str) -> None:
    command, *words = shlex.split(STEPS[name].replace("${device}", "cpu"))
    config = "config" if command == "run" else command
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        typed = completed(Typed.of(words), config)
        hydra.compose(config, [*typed.searched, *typed.words])


def test_steps_run_in_turn_and_the_gravest_code_counts(gpu_check: Command, tmp_path: Path) -> None:
    status, printed, _ = gpu_check(*QUICK, *but("truths", "boxes"))
    assert status == 2
    found = json.loads((tmp_path / "gpu-check.json").read_text())
    assert {name: step["status"] for name, step in found.items()} == {"truths": 0, "boxes": 2}
    assert "error: nonsense: there is no such command; choose one of" in found["boxes"]["output"][0]
    page = (tmp_path / "gpu-check.md").read_text()
    for told in (printed, page):
        assert "| truths | complete |" in told
        assert "| boxes | mistake |" in told
        assert "Usage: gradcam-benchmark COMMAND" in told


def test_a_step_without_time_is_told(gpu_check: Command, tmp_path: Path) -> None:
    status, printed, _ = gpu_check(*QUICK, "minutes=1e-9", *but("truths"))
    assert status == 5
    assert "| truths | unfinished |" in printed
    assert (tmp_path / "gpu-check.md").is_file()


@pytest.mark.slow
def test_an_image_on_the_cpu(gpu_check: Command, tmp_path: Path) -> None:
    """Run the two kinds of steps that compare and time; selftest on the CPU is tried in its own tests."""
    narrow = "model=alexnet_bvlc model.weights=random model.width=0.0625 model.outputs=12"
    ways = "+ways.cpu.device=cpu ~ways.float64 ~ways.bfloat16 ~ways.channels_last"
    status, printed, _ = gpu_check(
        "device=cpu",
        "minutes=30",
        f"steps.boxes='stability {narrow} {ways} dataset.limit=1 methods=[backprop] listed=9'",
        f"steps.vgg16='bench {narrow} method=mwp localizers.grabcut.max_side=32 bench.repeats=1'",
        *but("boxes", "vgg16"),
    )
    assert status == 0, printed
    found = json.loads((tmp_path / "gpu-check.json").read_text())
    said = {name: "\n".join(step["output"]) for name, step in found.items()}
    assert "| cpu | backprop |" in said["boxes"]
    assert "float16, backprop: " in said["boxes"]
    assert "peak MiB" in said["vgg16"]
