"""Account for what a run spends its time on, by stage: decoding, a method, boxes.

Stages nest: a stage's key is the path of names that are open in its thread, as ``("vgg16", "decode")``. Its
seconds are those of a processor core, so that they mean the same on a busy machine; what a device does for it
is timed there (:func:`device_stage`), without waiting for it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter, process_time, thread_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

StagePath = tuple[str, ...]
"""The names of a stage and of those around it, outermost first."""


@dataclass
class Costs:
    """What the stages of some work cost.

    Attributes:
        core: Stage to seconds of a processor core, of the threads in which it ran.
        device: Stage to seconds on the device; on a CPU, those on the clock.
        operations: Stage to floating-point operations on the device, where they are counted.
        elapsed: Seconds on the clock of all of it.
        processor: Seconds of all cores, those of PyTorch's own threads among them.
    """

    core: dict[StagePath, float] = field(default_factory=lambda: defaultdict(float))
    device: dict[StagePath, float] = field(default_factory=lambda: defaultdict(float))
    operations: dict[StagePath, int] = field(default_factory=lambda: defaultdict(int))
    elapsed: float = 0.0
    processor: float = 0.0
    _counter: FlopCounterMode | None = None
    _pending: list[tuple[StagePath, Callable[[], float]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, path: StagePath, seconds: float) -> None:
        """Add seconds of a core; safe from several threads."""
        with self._lock:
            self.core[path] += seconds

    def add_device(self, path: StagePath, seconds: Callable[[], float], operations: int) -> None:
        """Add what a device does; its seconds are asked for in the end."""
        self._pending.append((path, seconds))
        self.operations[path] += operations

    def settle(self) -> None:
        """Add up the seconds of the device, once it has done all."""
        for path, seconds in self._pending:
            self.device[path] += seconds()
        self._pending.clear()

    @property
    def stages(self) -> list[StagePath]:
        """Return the stages that have none inside them, in the order in which they first ended."""
        inner = {path[:length] for path in self.core for length in range(len(path))}
        return [path for path in self.core if path not in inner]

    @property
    def counted(self) -> int:
        """Return the number of floating-point operations so far, 0 where they are not counted."""
        return self._counter.get_total_flops() if self._counter else 0


_open = threading.local()
_account = Costs()


@contextmanager
def accounted(*, operations: bool = False) -> Iterator[Costs]:
    """Open a new account for all stages inside the block, in whatever thread.

    Args:
        operations: Whether floating-point operations of this thread are counted as well, which costs time.
    """
    global _account
    before, _account = _account, Costs()
    try:
        if not operations:
            yield _account
            return
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as _account._counter:
            yield _account
    finally:
        _account = before


@contextmanager
def all_stages() -> Iterator[None]:
    """Account for the block as the whole of which the stages inside are parts."""
    elapsed, processor = perf_counter(), process_time()
    try:
        yield
    finally:
        _account.elapsed += perf_counter() - elapsed
        _account.processor += process_time() - processor


@contextmanager
def stage(name: str) -> Iterator[StagePath]:
    """Account for the block as a stage, inside those that are open in this thread."""
    outer: StagePath = getattr(_open, "path", ())
    _open.path = path = (*outer, name)
    began = thread_time()
    try:
        yield path
    finally:
        _open.path = outer
        _account.add(path, thread_time() - began)


@contextmanager
def device_stage(name: str, device: torch.device) -> Iterator[None]:
    """Account for the block as a stage of which a device does the greater part."""
    with stage(name) as path:
        before, passed = _account.counted, _clock(device)
        yield
        _account.add_device(path, passed(), _account.counted - before)


def _clock(device: torch.device) -> Callable[[], Callable[[], float]]:
    """Start a clock; the function stops it, and returns one that gives the seconds between."""
    if device.type != "cuda":
        began = perf_counter()

        def stopped() -> Callable[[], float]:
            seconds = perf_counter() - began
            return lambda: seconds

        return stopped
    import torch

    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    begin.record(torch.cuda.current_stream(device))

    def recorded() -> Callable[[], float]:
        end.record(torch.cuda.current_stream(device))
        return lambda: float(begin.elapsed_time(end)) / 1000

    return recorded
