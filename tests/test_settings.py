"""Run settings refuse what they cannot honour, and identify what can move a number."""

from typing import Any

import pytest

from benchmark.errors import UserError
from benchmark.settings import RunSettings


@pytest.mark.parametrize(
    "option",
    [
        {"precision": "float8"},
        {"batch_size": 0},
        {"top_k": 0},
        {"unreadable": "ignore"},
        {"threads": 0},
        {"workers": 0},
        {"worker": 2, "workers": 2},
        {"worker": -1},
    ],
)
def test_an_option_out_of_range_is_refused_by_name(option: dict[str, Any]) -> None:
    name = next(iter(option))
    with pytest.raises(UserError, match=rf"run\.{name}="):
        RunSettings(**option)


def test_a_device_that_is_not_here_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"run\.device=vulkan"):
        _ = RunSettings(device="vulkan").torch_device


def test_the_way_work_is_shared_out_is_no_part_of_a_runs_identity() -> None:
    one = RunSettings(device="cpu", threads=1)
    other = RunSettings(device="cpu", threads=7, worker=3, workers=9)
    assert one.identity() == other.identity()
    assert one.identity() != RunSettings(device="cpu", batch_size=8).identity()
