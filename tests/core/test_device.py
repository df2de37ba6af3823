"""Each process of a machine computes on a device of its own."""

import platform
import subprocess
import sys

import pytest
import torch

from benchmark.core.device import cores
from benchmark.core.errors import UserError
from benchmark.pipeline.settings import RunSettings

TORCHRUN = [{"LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "8", "RANK": str(rank)} for rank in range(8)]


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A machine that seems to have so many GPUs."""
    there = {"count": 8}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there["count"])
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    for name in TORCHRUN[0]:
        monkeypatch.delenv(name, raising=False)
    return there


def chosen(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], **options: object) -> str:
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return str(RunSettings(**options).torch_device)  # type: ignore[arg-type]


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_eight_processes_take_eight_gpus(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    own = [f"cuda:{number}" for number in range(8)]
    assert [chosen(monkeypatch, one, device=device) for one in TORCHRUN] == own
    workers = [chosen(monkeypatch, {}, device=device, worker=n, workers=8) for n in range(8)]
    assert workers == own


@pytest.mark.parametrize(("count", "refused"), [(8, 7), (4, 7), (1, 7)])
def test_no_two_processes_of_a_machine_are_on_the_gpu_that_all_were_told(
    monkeypatch: pytest.MonkeyPatch, gpus: dict[str, int], count: int, refused: int
) -> None:
    gpus["count"] = count
    told = []
    for one in TORCHRUN:
        try:
            assert chosen(monkeypatch, one, device="cuda:0") == "cuda:0"
        except UserError as error:
            told.append(str(error))
    assert len(told) == refused
    assert told[0] == (
        "run.device=cuda:0: process 1 of 8 has cuda:1; give cuda, for one each"
        if count > 1
        else "run.device=cuda:0: process 1 of 8 has no GPU, there are 1; start so many processes on a machine"
    )


def test_more_processes_than_gpus_are_refused_and_workers_elsewhere_may_share(
    monkeypatch: pytest.MonkeyPatch, gpus: dict[str, int]
) -> None:
    gpus["count"] = 2
    with pytest.raises(UserError, match=r"run\.device=cuda: process 2 of 8 has no GPU, there are 2"):
        chosen(monkeypatch, TORCHRUN[2])
    # Of an array of jobs, whose hosts nobody here knows.
    assert chosen(monkeypatch, {}, worker=2, workers=3) == "cuda:0"
    with pytest.raises(UserError, match=r"run\.device=cuda:0: process 1 of 3 has cuda:1"):
        chosen(monkeypatch, {}, worker=1, workers=3, device="cuda:0")
    assert chosen(monkeypatch, {}, device="cuda:1") == "cuda:1"  # one process alone goes where it is told


def test_processes_of_a_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    alone = cores()
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert RunSettings().thread_count == cores() == max(1, alone // 2)


_TWICE = """
import resource, sys
import numpy as np
from benchmark.core.device import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
np.ones(100_000_000, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(100_000_000, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc alone has these options")
def test_memory_that_was_freed_is_used_again_without_asking_the_system() -> None:
    def faults(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", _TWICE, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert faults("kept") < faults("returned") / 10
