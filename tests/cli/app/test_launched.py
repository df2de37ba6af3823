"""Signals of a scheduler, in a process that submitit started and in one that it did not."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.cli.app.launched import Terminated, listen, take_place

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in SIGNALS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A job of submitit: the signals by which it was asked to have itself requeued."""
    asked: list[int] = []
    monkeypatch.delenv("SUBMITIT_EXECUTOR", raising=False)
    listen()  # as a command of the same process did before

    def requeue(number: int, _frame: object) -> None:
        asked.append(number)
        sys.exit(-1)

    signal.signal(signal.SIGUSR2, requeue)
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    return asked


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_scheduler_ends_a_command_like_ctrl_c(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.delenv("SUBMITIT_EXECUTOR", raising=False)
    listen()
    with pytest.raises(Terminated):
        signal.raise_signal(signal.Signals(number))


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_warned_job_is_requeued_once_and_says_so_in_one_line(
    asked: list[int], capsys: pytest.CaptureFixture[str], number: int
) -> None:
    listen()
    listen()
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.Signals(number))
    for again in SIGNALS:  # by which the queue ends it
        signal.raise_signal(again)
    assert asked == [number]
    name = signal.Signals(number).name
    assert (
        capsys.readouterr().err == f"{name}: what was finished is kept, and this job asks for another turn\n"
    )


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize(("state", "ends"), [("RUNNING", SystemExit), ("COMPLETING", Terminated)])
def test_of_slurms_sigterm_a_preempted_job_is_requeued_and_a_cancelled_one_is_not(
    asked: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    array: bool,
    state: str,
    ends: type[BaseException],
) -> None:
    squeue = tmp_path / "squeue"
    squeue.write_text(f'#!/bin/sh\n[ "$4" = {"12_0" if array else "12"} ] && echo {state}\n')
    for name, value in (("JOB", "12"), ("TASK", "0")):
        if array:  # whose last job has its number
            monkeypatch.setenv(f"SLURM_ARRAY_{name}_ID", value)
        else:
            monkeypatch.delenv(f"SLURM_ARRAY_{name}_ID", raising=False)
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    listen()
    with pytest.raises(ends):
        signal.raise_signal(signal.SIGTERM)
    assert asked == [signal.SIGTERM] * (state == "RUNNING")


def test_a_job_that_was_requeued_too_often_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_number: int, _frame: object) -> None:
        raise RuntimeError("timed-out too many times")

    signal.signal(signal.SIGUSR2, refuse)
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    listen()
    with pytest.raises(Terminated):
        signal.raise_signal(signal.SIGUSR1)
    assert capsys.readouterr().err.endswith("there is none: timed-out too many times\n")


def test_jobs_of_the_local_launcher_have_places_as_of_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "OMP_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "")  # so that it is as before at the end
        monkeypatch.delenv(name)
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    take_place(3, 4)
    assert not any(name in os.environ for name in names)
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "local")
    take_place(3, 4)
    assert (os.environ["LOCAL_RANK"], os.environ["LOCAL_WORLD_SIZE"]) == ("3", "4")
    assert int(os.environ["OMP_NUM_THREADS"]) >= 1
