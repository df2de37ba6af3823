"""A process that a scheduler or a launcher started: what ends it, and its place on its machine."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import NoReturn

from benchmark.core.device import cores

Handler = Callable[[int, FrameType | None], object]


class Terminated(KeyboardInterrupt):
    """A scheduler's signal to end, which is taken like Ctrl-C: what is whole stays, and nothing half-made."""


def listen() -> None:
    """Take a scheduler's signals, SIGTERM and the warning SIGUSR1, like Ctrl-C.

    A job of submitit has itself requeued by the warning, whichever of both user signals that is, and in Slurm
    by a SIGTERM that does not cancel it: Slurm forgets a preempted job that ends within its time of grace.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # a launcher that starts jobs as threads: signals are its own
    own = [signal.getsignal(each) for each in (signal.SIGUSR1, signal.SIGUSR2)]
    if any(isinstance(handler, partial) and handler.func is _requeued for handler in own):
        return  # which listens already
    requeue = next((handler for handler in own if callable(handler) and handler is not _terminated), None)
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGUSR1, _terminated)
    if requeue is not None and "SUBMITIT_EXECUTOR" in os.environ:
        for each in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(each, partial(_requeued, requeue))


def take_place(job: int, workers: int) -> None:
    """Tell a job of submitit's local launcher its place among those of the machine, as torchrun would.

    Args:
        job: Number of the job in its sweep.
        workers: Number of workers of the run; each has its share of the cores.
    """
    if os.environ.get("SUBMITIT_EXECUTOR") != "local":
        return
    os.environ["LOCAL_RANK"] = str(job)
    if workers > 1:
        os.environ["LOCAL_WORLD_SIZE"] = str(workers)
        os.environ.setdefault("OMP_NUM_THREADS", str(cores()))


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def _requeued(requeue: Handler, number: int, frame: FrameType | None) -> NoReturn:
    if number == signal.SIGTERM and not _wanted():
        raise Terminated
    for each in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):  # by which the queue ends this job
        signal.signal(each, signal.SIG_IGN)
    name = signal.Signals(number).name
    print(f"{name}: what was finished is kept, and this job asks for another turn", file=sys.stderr)
    try:
        requeue(number, frame)  # ends with SystemExit
    except Exception as error:
        print(f"there is none: {error}", file=sys.stderr)
    raise Terminated


def _wanted() -> bool:
    """Return whether Slurm lists this job as one that runs, which it has then not cancelled or requeued."""
    array, number = (os.environ.get(f"SLURM_ARRAY_{name}_ID") for name in ("JOB", "TASK"))
    # The number that one of an array's jobs has for itself may be that of the whole array.
    job = f"{array}_{number}" if array else os.environ.get("SLURM_JOB_ID", "")
    ask = ["squeue", "--noheader", "--format=%T", "--jobs", job]
    try:
        return subprocess.run(ask, capture_output=True, text=True, timeout=10).stdout.strip() == "RUNNING"
    except (OSError, subprocess.TimeoutExpired):
        return False
