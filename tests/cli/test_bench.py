"""What ``./scripts/bench`` lists, computes and writes; no test looks at a time."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.commands import Command
from helpers.small_models import googlenet_like, images, small, vgg_like

from benchmark.attribution.backprop import Backprop
from benchmark.attribution.cam import CAM
from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.occlusion import Occlusion
from benchmark.cli import bench as command
from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.diagnostics.bench import stopwatch
from benchmark.diagnostics.bench.peers import FLOOR, PEERS
from benchmark.diagnostics.bench.stopwatch import APART, TOGETHER, Cost, Stopwatch

TINY = (
    "model=squeezenet1_0",
    "model.weights=random",
    "model.input.size=64",
    "localizers.grabcut.max_side=32",
)
ONCE = ("bench.images=2", "bench.repeats=1")


@pytest.fixture
def bench(command: Command) -> Command:
    """``bench("key=value", …)``: exit status, what it printed and what it complained."""
    return partial(command, "bench")


def on(build: Any) -> Stopwatch:
    """A bench of a small model."""
    inputs = images(dtype=torch.float32)
    return Stopwatch(small(build, torch.float32), inputs, torch.tensor([[0, 3]] * 4), repeats=1)


def lines(bench: Stopwatch, *methods: Method) -> tuple[dict[str, Cost], dict[str, str]]:
    left_out: dict[str, str] = {}
    names = [method.name for method in methods]
    return {line.work: line for line in command._lines(bench, methods, names, left_out)}, left_out


def test_methods_stand_beside_their_peers_and_the_sum_is_of_what_each_takes_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = iter([10.0, 6.0, 1.0, 2.0, 5.0])  # plain, together, each alone
    monkeypatch.setattr(stopwatch, "interleaved", lambda works, *_: [(next(seconds),) for _ in works])
    one = on(googlenet_like)
    together, apart = one.together([Backprop(), CAM(), GradCAM()])
    assert (together.work, apart.work) == (TOGETHER, APART)
    assert (together.plain, apart.plain, apart.ours) == (0.6, 0.8, 0.75)
    monkeypatch.undo()
    found, left_out = lines(one, Backprop(), CAM(), GradCAM())
    peers = [f"  {name}" for peers in PEERS.values() for name in peers]
    assert list(found) == [
        *("plain forward pass, again", "cam", "grad_cam", *peers[:3]),
        *("backprop", f"  {FLOOR}", peers[3], TOGETHER, APART),
    ]
    assert left_out == {}
    assert all(found[name].mib for name in ("backprop", "cam", "grad_cam"))
    for ours, name in (*(("grad_cam", name) for name in PEERS["grad_cam"]), ("backprop", FLOOR)):
        peer = found[f"  {name}"]
        assert peer.ours == pytest.approx(found[ours].ms / peer.ms)


def test_a_refused_method_is_listed_with_its_reason() -> None:
    found, left_out = lines(on(vgg_like), CAM(), GradCAM())
    assert "cam" not in found
    assert "global average pooling" in left_out["cam"]
    assert TOGETHER not in found  # of one


def test_a_model_that_no_method_accepts_is_an_error_with_the_reasons() -> None:
    with pytest.raises(UserError, match=r"no method to time: .*global average pooling"):
        lines(on(vgg_like), CAM())


def test_a_peer_that_is_missing_or_fails_is_listed_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no such layer type")

    monkeypatch.setitem(sys.modules, "captum.attr", None)
    monkeypatch.setattr(command, "PEERS", {"grad_cam": {**PEERS["grad_cam"], "another": broken}})
    found, left_out = lines(on(googlenet_like), GradCAM())
    assert left_out["captum LayerGradCam"].startswith("not installed")
    assert left_out["another"] == "fails on googlenet_like: RuntimeError: no such layer type"
    assert list(found)[-1] == "  torchcam GradCAM"


def test_what_no_time_is_left_for_is_listed_with_the_remedy() -> None:
    one = on(googlenet_like)
    one.seconds = 0
    found, left_out = lines(one, Backprop(), CAM())
    assert list(found) == ["plain forward pass, again"]
    assert set(left_out) == {"backprop", "cam", TOGETHER}
    assert "bench.minutes" in left_out["cam"]


def test_ctrl_c_keeps_each_line_that_is_measured(
    monkeypatch: pytest.MonkeyPatch, bench: Command, tmp_path: Path
) -> None:
    def one_line(*_: Any) -> Any:
        yield Cost("plain forward pass, again", 2.0, 1.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_lines", one_line)
    monkeypatch.setattr(command, "_host", lambda *_: {"decode, an image": 1.0})
    status, printed, _ = bench(*TINY, *ONCE, "method=grad_cam", f"output={tmp_path}")
    assert status == 130
    assert "plain forward pass, again" in printed
    assert json.loads((tmp_path / "bench.json").read_text())["lines"][0]["ms"] == 2.0
    assert "| plain forward pass, again | 2.00 | 1.00 |" in (tmp_path / "bench.md").read_text()


def test_the_methods_of_a_run_share_one_forward_pass() -> None:
    one, passes = on(googlenet_like), []
    one.model.module.register_forward_hook(lambda *_: passes.append(1))
    one.explain([Backprop(), CAM(), GradCAM()])
    assert len(passes) == 1


def test_of_occlusion_one_covered_image_is_timed_and_not_a_heatmap() -> None:
    found, left_out = lines(on(googlenet_like), Occlusion(patch=5, stride=3), Backprop())
    assert list(found)[:4] == [
        *("plain forward pass, again", "occlusion, a covered image", "occlusion, maps from them"),
        "backprop",
    ]
    covered = found["occlusion, a covered image"]
    assert covered.speed == pytest.approx(1 / covered.plain)
    assert covered.mib
    assert TOGETHER not in found  # of backprop alone
    assert left_out == {}


@pytest.mark.parametrize(("patch", "stride", "passes"), [(5, 3, 4), (11, 1, 4), (12, 1, 1)])
def test_covered_images_are_as_many_as_plain_ones_at_once_and_in_all(
    patch: int, stride: int, passes: int
) -> None:
    one, shown = on(googlenet_like), []
    one.model.module.register_forward_hook(lambda _module, args, _output: shown.append(len(args[0])))
    found, _ = lines(one, Occlusion(patch=patch, stride=stride))
    assert "occlusion, a covered image" in found
    assert set(shown) == {4}
    first, again, recorded, for_memory, spread = 1, 2, 1, passes, 1
    assert len(shown) == first + again + recorded + for_memory + (passes + passes) + spread


def test_every_method_that_has_a_yaml_is_timed(monkeypatch: pytest.MonkeyPatch, bench: Command) -> None:
    asked: list[str] = []

    def stop(_bench: Any, methods: Any, *_: Any) -> Any:
        asked.extend(method.name for method in methods)
        raise UserError("enough")

    monkeypatch.setattr(command, "_lines", stop)
    assert bench(*TINY, *ONCE)[0] == 2
    assert asked == sorted(path.stem for path in (CONF / "method").glob("*.yaml"))


@pytest.mark.slow
def test_one_method_is_printed_and_written_with_its_conditions(
    bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    options = (*TINY, *ONCE, "method=grad_cam", "run.device=cpu", "run.top_k=2")
    status, printed, complaint = bench(*options, f"output={tmp_path / 'made' / 'here'}")
    assert (status, "Error" in complaint) == (0, False), complaint
    assert "\x1b" not in printed
    assert printed.isascii()
    folder = tmp_path / "made" / "here"
    assert sorted(path.name for path in folder.iterdir()) == ["bench.json", "bench.md"]
    found = json.loads((folder / "bench.json").read_text())
    conditions = found["conditions"]
    assert (conditions["images"], conditions["classes"], conditions["repeats"]) == (2, 3, 1)
    assert conditions["threads"] == torch.get_num_threads()
    assert {"commit", "dirty", "device", "torch", "load", "cores", "precision"} <= set(conditions)
    assert [line["work"] for line in found["lines"]][:2] == ["plain forward pass, again", "grad_cam"]
    assert [key.split()[0] for key in found["host_ms"]] == [
        "decode,",
        "warp,",
        "max_box",
        "max_box's",
        "grabcut",
    ]
    markdown = (folder / "bench.md").read_text()
    for line in found["lines"]:
        assert f"| {line['work']} | {line['ms']:.2f} |" in markdown
        (shown,) = (row for row in printed.splitlines() if row.startswith(f"{line['work']}  "))
        assert f"{line['ms']:.2f}" in shown  # not shortened, however narrow the terminal


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("bench.images=0", "bench.images=0: must be a whole number from 1 up"),
        ("bench.repeats=1.5", "bench.repeats=1.5: must be a whole number from 1 up"),
        ("bench.minutes=0", "bench.minutes=0: must be"),
        ("bench.repeat=3", "did you mean bench.repeats?"),
        ("run.device=meta", "run.device=meta: only cpu and cuda can be timed here"),
        ("run.top_k=1000", "run.top_k=1000: squeezenet1_0 has only 1000 outputs"),
        ("method=cam", "method cam needs global average pooling"),
        ("method=lime", "there is no such method"),
        ("output=/proc/nowhere", "/proc/nowhere"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(bench: Command, option: str, said: str) -> None:
    status, printed, complaint = bench(*TINY, *ONCE, option)
    assert (status, printed) == (2, "")
    (error,) = (line for line in complaint.splitlines() if not line.startswith("timing"))
    assert error.startswith("error: ")
    assert said in error


def test_help_shows_examples(bench: Command) -> None:
    status, printed, _ = bench("--help")
    assert status == 0
    assert "./scripts/bench model=googlenet_bvlc model.weights=random" in printed
