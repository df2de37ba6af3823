"""A benchmark of methods: their times and memory beside the plain forward pass of the same batch.

Others may use the machine too: what is compared takes turns, the device is waited for, medians count.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor
from torch.autograd.profiler import profile

from benchmark.core.protocols import Method
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import forward_pass

Work = Callable[[], object]

_PASSES = 4  # plain ones, and batches of covered images, of one timing


@dataclass(frozen=True)
class Cost:
    """Measured times and memory, in the order of the printed columns; all times are medians."""

    work: str
    ms: float
    plain: float
    least: float | None = None
    greatest: float | None = None
    method: float | None = None
    mib: float | None = None
    ours: float | None = None
    speed: float | None = None


@runtime_checkable
class Covers(Protocol):
    """A method that shows the network hundreds of covered images for each, of which one is timed."""

    name: str
    batch: int | None

    def positions(self, size: int) -> int:
        """Return the number of covered images for one image of this side."""
        ...

    def drops(self, model: Model, forward: ForwardPass, classes: Tensor, span: range) -> Tensor:
        """Show those of ``span``, ``batch`` at a time."""
        ...

    def spread(self, drops: Tensor, size: int) -> Tensor:
        """Return heatmaps from the drops of all of them, ``[N, positions, K]``."""
        ...


@dataclass(frozen=True)
class Stopwatch:
    """A model on its device with a batch ``[N, 3, S, S]`` and the classes ``[N, K]`` to explain."""

    model: Model
    inputs: Tensor
    classes: Tensor
    repeats: int

    def plain(self) -> None:
        """Compute the scores, without anything recorded."""
        with torch.no_grad():
            self.model.module(self.inputs)

    def record(self, methods: Sequence[Method]) -> ForwardPass:
        """Record the forward pass that serves these methods."""
        layers = sorted({layer for method in methods for layer in method.layers})
        return forward_pass(self.model, self.inputs, layers, any(m.operations for m in methods))

    def explain(self, methods: Sequence[Method], forward: ForwardPass | None = None) -> None:
        """Explain a batch as a run does: one forward pass, if there is none yet, and every method."""
        forward = forward or self.record(methods)
        for method in methods:
            method(self.model, forward, self.classes)

    def line(self, name: str, work: Work, memory: bool = True, passes: int = 1) -> Cost:
        """Time the work against the plain forward pass, and take its memory.

        Args:
            name: Name of the line.
            work: The work, on as many images as the batch has, ``passes`` times.
            memory: Whether to take it.
            passes: Number of plain forward passes that the work is compared with.
        """
        print(f"timing {name.strip()}", file=sys.stderr)

        def plain() -> None:
            for _ in range(passes):
                self.plain()

        yardstick, seconds = interleaved([plain, work], self.repeats, self.inputs.device)
        mib = peak_bytes(work, self.inputs.device) / 2**20 if memory else None
        ms = 1e3 * median(seconds) / (passes * len(self.inputs))
        return Cost(name, ms, *ratio(seconds, yardstick), mib=mib)


def covered(bench: Stopwatch, method: Covers) -> Iterator[Cost]:
    """Time a covered image beside a plain one, at the same batch size; then what the maps add to it."""
    count, size = len(bench.inputs), bench.inputs.shape[-1]
    passes, batched = min(_PASSES, method.positions(size)), replace(cast(Any, method), batch=count)
    forward = bench.record([batched])

    def cover() -> None:
        batched.drops(bench.model, forward, bench.classes, range(passes * count))

    line = bench.line(f"{method.name}, a covered image", cover, passes=passes)
    yield replace(line, speed=1 / line.plain)
    shape = (count, method.positions(size), bench.classes.shape[1])
    drops = torch.zeros(shape, dtype=bench.inputs.dtype, device=bench.inputs.device)
    yield bench.line(f"{method.name}, maps from them", lambda: method.spread(drops, size))


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
