"""Times by a clock of our own, and memory that can be counted by hand. No test measures time."""

from collections.abc import Callable, Iterator
from math import inf

import pytest
import torch

from benchmark.diagnostics.bench import stopwatch
from benchmark.diagnostics.bench.stopwatch import Work, interleaved, peak_bytes, ratio

CPU = torch.device("cpu")
MEGA = torch.zeros(1_000_000, dtype=torch.uint8)


def slowing(cost: dict[str, float], done: list[str]) -> tuple[list[Work], Callable[[], float]]:
    """Works of a given cost on a machine that takes twice as long with every turn, and its clock."""
    now = 0.0

    def run(name: str) -> None:
        nonlocal now
        done.append(name)
        now += cost[name] * 2 ** done.count(name)

    return [lambda name=name: run(name) for name in cost], lambda: now  # type: ignore[misc]


def test_works_take_turns() -> None:
    done: list[str] = []
    works, clock = slowing({"a": 1.0, "b": 3.0}, done)
    assert interleaved(works, 2, CPU, clock=clock) == [(2.0, 4.0), (6.0, 12.0)]
    assert done == ["a", "b"] * 2


@pytest.mark.parametrize(("limit", "turns"), [(inf, 5), (4.5, 4), (1.0, 1), (-1.0, 1)])
def test_no_turn_begins_that_would_end_after_the_limit_but_one(
    limit: float, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(stopwatch, "perf_counter", lambda: now[0])

    def work() -> None:
        now[0] += 1

    assert len(interleaved([work], 5, CPU, limit)[0]) == turns


def test_a_machine_that_slows_down_does_not_change_the_ratio() -> None:
    works, clock = slowing({"a": 1.0, "b": 3.0}, [])
    yardstick, seconds = interleaved(works, 5, CPU, clock=clock)
    assert ratio(seconds, yardstick) == (3, 3, 3)


def test_a_ratio_is_of_the_least_and_a_disturbed_turn_does_not_move_it() -> None:
    assert ratio((2, 4, 80), (1, 2, 4)) == (2, 2, 20)
    with pytest.raises(ValueError, match="zip"):
        ratio((1, 2), (1,))


def test_the_clock_is_read_only_when_a_cuda_device_has_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: done.append(f"wait {device}"))
    ticks: Iterator[float] = iter(range(4))

    def clock() -> float:
        done.append("clock")
        return next(ticks)

    interleaved([lambda: done.append("work")], 1, torch.device("cuda:1"), clock=clock)
    assert done == ["wait cuda:1", "clock", "work", "wait cuda:1", "clock"]


def test_peak_memory_is_what_lives_at_once_above_what_lived_before() -> None:
    def chain() -> None:
        a = MEGA.clone()
        b = a.repeat(2)  # 3 MB: a and b
        del a
        _ = b.repeat(2)  # 6 MB: b and this

    def swap() -> None:
        kept.clear()
        MEGA.clone()

    assert 6_000_000 <= peak_bytes(chain, CPU) < 6_001_000  # torch makes a few small ones of its own
    assert peak_bytes(lambda: MEGA[:10], CPU) == 0
    kept = [MEGA.clone()]
    assert peak_bytes(swap, CPU) <= 1_000_000
