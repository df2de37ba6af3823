"""The account of a run's time by stage."""

import threading

import pytest
import torch

from benchmark.core import stages
from benchmark.core.stages import accounted, device_stage, stage


def test_a_stage_has_the_seconds_that_its_thread_computed_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 3.0, 7.0, 20.0, 30.0, 34.0, 50.0])  # begin and end of net, work, wait in turn
    monkeypatch.setattr(stages, "thread_time", lambda: next(clock))
    with accounted() as costs:
        with stage("net"), stage("work"):
            pass
        with stage("net"), stage("wait"):
            pass
    assert costs.stages == [("net", "work"), ("net", "wait")]
    assert costs.core == {("net", "work"): 2.0, ("net", "wait"): 4.0, ("net",): 7.0 + 30.0}


def test_stages_of_several_threads_nest_each_in_their_own() -> None:
    def work(name: str) -> None:
        with stage(name), stage("inner"):
            pass

    with accounted() as costs:
        with stage("main"):
            threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        with accounted() as other, stage("another account"):
            pass
    assert set(costs.stages) == {("a", "inner"), ("b", "inner"), ("main",)}
    assert other.stages == [("another account",)]


def test_operations_of_a_device_are_counted_by_stage() -> None:
    with accounted(operations=True) as costs, stage("net"):
        for name, rows in (("small", 2), ("large", 6)):
            with device_stage(name, torch.device("cpu")):
                torch.ones(rows, 5) @ torch.ones(5, 7)
    costs.settle()
    assert costs.operations == {("net", "small"): 2 * 2 * 5 * 7, ("net", "large"): 2 * 6 * 5 * 7}
    assert set(costs.device) == set(costs.operations)
