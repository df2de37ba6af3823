"""Run settings refuse what they cannot honour, and identify what can move a number."""

from typing import Any

import pytest
import torch

from benchmark.core.errors import UserError
from benchmark.pipeline.settings import RunSettings


@pytest.mark.parametrize(
    "option",
    [
        {"precision": "float8"},
        {"batch_size": 0},
        {"batch_size": 2.5},
        {"batch_size": "many"},
        {"top_k": True},
        {"worker": 0.5, "workers": 2},
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


def test_where_and_in_which_portions_it_is_computed_is_no_part_of_a_runs_identity() -> None:
    one = RunSettings(device="cpu", threads=1)
    other = RunSettings("meta", batch_size=3, unreadable="skip", threads=7, worker=3, workers=9)
    assert one.identity() == other.identity()


@pytest.mark.parametrize(
    "option",
    [
        {"precision": "float64"},
        {"channels_last": True},
        {"top_k": 1},
    ],
)
def test_what_moves_a_number_by_more_than_rounding_is_part_of_a_runs_identity(option: dict[str, Any]) -> None:
    assert RunSettings(**({"device": "cpu"} | option)).identity() != RunSettings(device="cpu").identity()


def test_half_precisions_run_under_autocast_and_the_others_do_not() -> None:
    for settings, used in (
        (RunSettings(device="cpu", precision="bfloat16"), torch.bfloat16),
        (RunSettings(device="cpu", precision="float32"), torch.float32),
    ):
        with settings.autocast():
            assert (torch.ones(1, 1) @ torch.ones(1, 1)).dtype == used
