"""Times and memory of work on a machine that others use too: interleaved, synchronized, medians."""

import os
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

import torch
from torch.autograd.profiler import profile

Work = Callable[[], object]


def ratio(seconds: Sequence[float], yardstick: Sequence[float]) -> tuple[float, float, float]:
    """Compare one time with another, pair by pair: what slows the machine for longer slows both of a pair.

    Returns:
        The median of the quotients, the least and the greatest.
    """
    pairs = [a / b for a, b in zip(seconds, yardstick, strict=True)]
    return median(pairs), min(pairs), max(pairs)


def interleaved(
    works: Sequence[Work], repeats: int, device: torch.device, clock: Callable[[], float] = perf_counter
) -> list[tuple[float, ...]]:
    """Time works in turn (A B A B …), ``repeats`` times each, after one turn that does not count.

    The clock is read when the device has finished all that it was given before, and again after the work.
    """

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return clock()

    def timed(work: Work) -> float:
        began = now()
        work()
        return now() - began

    turns = [[timed(work) for work in works] for _ in range(1 + repeats)]
    return list(zip(*turns[1:], strict=True))


def peak_bytes(work: Work, device: torch.device) -> int:
    """Measure the most bytes of tensors that live at once during the work, above those that lived before.

    CUDA: the allocator's own peak. CPU: from the profiler's record of each allocation and release by torch;
    what a library takes for itself is not in it.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        return torch.cuda.max_memory_allocated(device) - before
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler's start and stop are on stderr
    with profile(profile_memory=True) as record:
        work()
    events = record.kineto_results.events() if record.kineto_results else []
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    now = peak = 0
    for _, change in changes:
        now += change
        peak = max(peak, now)
    return peak
