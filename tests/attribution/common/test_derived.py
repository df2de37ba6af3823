"""What is made of a frozen parameter is made once, anew when the parameter changes, and goes with it."""

import gc
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from benchmark.attribution.common.derived import derived


def frozen() -> nn.Parameter:
    return nn.Parameter(torch.tensor([-1.0, 2.0]), requires_grad=False)


def counting() -> tuple[list[Tensor], Callable[[Tensor], Tensor]]:
    made: list[Tensor] = []

    def make(weight: Tensor) -> Tensor:
        made.append(weight.clamp(min=0))
        return made[-1]

    return made, make


def test_a_tensor_is_made_once_for_each_name_and_parameter() -> None:
    made, make = counting()
    first, second = frozen(), frozen()
    assert derived(first, "positive", make) is derived(first, "positive", make)
    derived(first, "another", make)
    derived(second, "positive", make)
    assert len(made) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.mul_(3),
        lambda w: setattr(w, "data", w.data * 3),
        lambda w: setattr(w, "data", w.data.double()),
    ],
    ids=["in place", "replaced", "of another type"],
)
def test_a_parameter_that_changes_is_read_again(change: Callable[[nn.Parameter], object]) -> None:
    made, make = counting()
    weight = frozen()
    derived(weight, "positive", make)
    change(weight)
    torch.testing.assert_close(derived(weight, "positive", make), weight.detach().clamp(min=0))
    assert len(made) == 2


def test_what_is_no_parameter_is_read_each_time() -> None:
    made, make = counting()
    weight = torch.ones(2)
    derived(weight, "positive", make)
    derived(weight, "positive", make)
    assert len(made) == 2


def test_nothing_outlives_its_parameter() -> None:
    weight = frozen()
    kept = weakref.ref(derived(weight, "positive", lambda w: w.clamp(min=0)))
    assert kept() is not None
    del weight
    gc.collect()
    assert kept() is None
