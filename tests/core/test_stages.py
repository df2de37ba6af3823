"""The account of a run's time by stage."""

import threading
import time

import torch

from benchmark.core.stages import accounted, device_stage, stage


def _spin(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_a_stage_counts_what_its_thread_computes_and_not_what_it_waits() -> None:
    with accounted() as costs:
        with stage("net"), stage("work"):
            _spin(0.02)
        with stage("net"), stage("wait"):
            time.sleep(0.05)
    assert costs.stages == [("net", "work"), ("net", "wait")]
    assert costs.core["net", "work"] >= 0.02
    assert costs.core["net", "wait"] < 0.02
    assert costs.core[("net",)] >= costs.core["net", "work"]


def test_stages_of_several_threads_nest_each_in_their_own() -> None:
    def work(name: str) -> None:
        with stage(name), stage("inner"):
            _spin(0.001)

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
