"""A benchmark of methods: their times and memory beside the plain forward pass of the same batch.

Others may use the machine too. What is compared takes turns, and a CPU is timed by the seconds that this
process had of it, of which the least count: they are what the work takes when nobody is in its way.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from time import perf_counter, process_time
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor
from torch.autograd.profiler import profile

from benchmark.core.protocols import Method
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import forward_pass

Work = Callable[[], object]

TOGETHER, APART = "methods together, one forward pass", "the same methods, each alone, in sum"
_PASSES = 4  # plain ones, and batches of covered images, of one timing


@dataclass(frozen=True)
class Cost:
    """Measured times and memory, in the order of the printed columns.

    Attributes:
        work: What was done.
        ms: Milliseconds an image: CPU time, on other devices time until the device has finished; the least.
        plain: The same as a multiple of the plain forward pass's least.
        least: The least multiple of one turn.
        greatest: The greatest multiple of one turn.
        turns: Number of turns.
        mib: Memory, MiB.
        ours: Our method's time as a multiple of this package's.
        speed: Covered images a second as a share of plain ones.
    """

    work: str
    ms: float
    plain: float
    least: float | None = None
    greatest: float | None = None
    turns: int | None = None
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


@dataclass
class Stopwatch:
    """A model on its device with a batch ``[N, 3, S, S]`` and the classes ``[N, K]`` to explain.

    Attributes:
        model: Explained.
        inputs: The batch.
        classes: Of each image.
        repeats: Greatest number of turns.
        seconds: In which all is to be done.
        compile: As ``run.compile``; the plain forward pass is never compiled.
        waiting: Number of comparisons to come, which share the time that is left.
    """

    model: Model
    inputs: Tensor
    classes: Tensor
    repeats: int
    seconds: float = inf
    compile: str | None = None
    waiting: int = 1
    _began: float = field(default_factory=perf_counter)

    @property
    def left(self) -> float:
        """Return the seconds that are left."""
        return self.seconds - (perf_counter() - self._began)

    def plain(self) -> None:
        """Compute the scores, without anything recorded."""
        with torch.no_grad():
            self.model.module(self.inputs)

    def record(self, methods: Sequence[Method]) -> ForwardPass:
        """Record the forward pass that serves these methods."""
        layers = sorted({layer for method in methods for layer in method.layers})
        operations = any(method.operations for method in methods)
        return forward_pass(self.model, self.inputs, layers, operations, self.compile)

    def explain(self, methods: Sequence[Method]) -> None:
        """Explain a batch as a run does: one forward pass and every method."""
        forward = self.record(methods)
        for method in methods:
            method(self.model, forward, self.classes)

    def lines(self, works: Mapping[str, Work], passes: int = 1, memory: str = "") -> Iterator[Cost]:
        """Time works in turn with the plain forward pass, for this comparison's share of the time left.

        Args:
            works: By their names, each on as many images as the batch has, ``passes`` times.
            passes: Number of plain forward passes that they are compared with.
            memory: Name of the work whose memory is taken first; the others have been done once before.
        """
        share, self.waiting = self.left / max(self.waiting, 1), self.waiting - 1
        if memory and self.compile:  # the second batch of a shape is compiled, which is not timed
            works[memory]()
            works[memory]()
        began = perf_counter()
        mib = {memory: peak_bytes(works[memory], self.inputs.device) / 2**20} if memory else {}

        def plain() -> None:
            for _ in range(passes):
                self.plain()

        share -= perf_counter() - began
        yardstick, *times = interleaved([plain, *works.values()], self.repeats, self.inputs.device, share)
        for name, seconds in zip(works, times, strict=True):
            ms = 1e3 * min(seconds) / (passes * len(self.inputs))
            yield Cost(name, ms, *ratio(seconds, yardstick), len(seconds), mib=mib.get(name))

    def together(self, methods: Sequence[Method]) -> Iterator[Cost]:
        """Time methods that share one forward pass, in turn with each of them alone.

        The sums are those of each turn, so that what slows a turn down slows both.
        """
        each: list[Work] = [partial(self.explain, [method]) for method in methods]
        works: list[Work] = [self.plain, partial(self.explain, methods), *each]
        plain, shared, *alone = interleaved(works, self.repeats, self.inputs.device, self.left)
        sums = [sum(turn) for turn in zip(*alone, strict=True)]
        for name, seconds in ((TOGETHER, shared), (APART, sums)):
            share = min(shared) / min(sums) if seconds is sums else None
            ms = 1e3 * min(seconds) / len(self.inputs)
            yield Cost(name, ms, *ratio(seconds, plain), len(seconds), ours=share)


def covered(bench: Stopwatch, method: Covers) -> Iterator[Cost]:
    """Time a covered image beside a plain one, at the same batch size; then what the maps add to it."""
    count, size = len(bench.inputs), bench.inputs.shape[-1]
    passes, batched = min(_PASSES, method.positions(size)), replace(cast(Any, method), batch=count)
    forward = bench.record([batched])

    def cover() -> None:
        batched.drops(bench.model, forward, bench.classes, range(passes * count))

    name = f"{method.name}, a covered image"
    for line in bench.lines({name: cover}, passes, memory=name):
        yield replace(line, speed=1 / line.plain)
    shape = (count, method.positions(size), bench.classes.shape[1])
    drops = torch.zeros(shape, dtype=bench.inputs.dtype, device=bench.inputs.device)
    yield from bench.lines({f"{method.name}, maps from them": lambda: method.spread(drops, size)})


def ratio(seconds: Sequence[float], yardstick: Sequence[float]) -> tuple[float, float, float]:
    """Compare one time with another.

    Returns:
        The quotient of the least of both, and the least and the greatest quotient of a pair.
    """
    pairs = [a / b for a, b in zip(seconds, yardstick, strict=True)]
    return min(seconds) / min(yardstick), min(pairs), max(pairs)


def interleaved(
    works: Sequence[Work],
    repeats: int,
    device: torch.device,
    limit: float = inf,
    clock: Callable[[], float] | None = None,
) -> list[tuple[float, ...]]:
    """Time works in turn (A B A B …), at least once; each has been done once before.

    The clock is read when the device has finished all that it was given before, and again after the work.

    Args:
        works: What is timed.
        repeats: Greatest number of turns.
        device: Where they run.
        limit: Seconds: no further turn begins that would probably end later.
        clock: Reads seconds; by default those that this process had of the CPUs, or of another device those
            that passed.
    """
    now = clock or (process_time if device.type == "cpu" else perf_counter)

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    def timed(work: Work) -> float:
        wait()
        began = now()
        work()
        wait()
        return now() - began

    began, turns = perf_counter(), [[timed(work) for work in works]]
    while len(turns) < repeats and (perf_counter() - began) * (1 + 1 / len(turns)) < limit:
        turns.append([timed(work) for work in works])
    return list(zip(*turns, strict=True))


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
