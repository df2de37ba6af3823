"""What precedes the layers that methods read can run as compiled code, and nothing else is touched."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers.small_models import SMALL, images, small, vgg_like
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.compiled import compiled
from benchmark.models.forward import forward_pass


def _three_batches(model: Model, role: str, mode: str | None, operations: bool) -> list[Tensor]:
    """Logits and gradients of a batch, of the same again, and of the last, which is smaller."""
    found = []
    for batch in (images(4), images(4), images(3)):
        forward = forward_pass(model, batch, [role], operations, mode)
        target = forward.logits[:, 1].sum()
        (gradient,) = torch.autograd.grad(target, forward.activations[role], allow_unused=True)
        found += [forward.logits.detach(), forward.activations[role].detach(), gradient]
    return found


@pytest.fixture
def some_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C++ compiler, also on a machine that has none: nothing is really compiled."""
    monkeypatch.setattr(shutil, "which", lambda name: name)


@pytest.mark.usefixtures("some_compiler")
@pytest.mark.parametrize("operations", [False, True])
@pytest.mark.parametrize("role", ["last_conv", "classifier", "input"])
@pytest.mark.parametrize("build", SMALL)
def test_what_is_compiled_is_what_precedes_the_read_layer_and_gives_the_same(
    build: Callable[[], Model], role: str, operations: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[bool, ...]] = []

    def pretended(code: Callable[..., Any], **_: Any) -> Callable[..., Any]:
        def called(*args: Tensor) -> Any:
            calls.append(tuple(arg.requires_grad for arg in args))
            return code(*args)

        return called

    monkeypatch.setattr(torch, "compile", pretended)
    plain = _three_batches(small(build), role, None, operations)
    model = small(build)
    for ours, theirs in zip(_three_batches(model, role, "default", operations), plain, strict=True):
        assert torch.equal(ours, theirs)
    assert not any("forward" in vars(module) for module in model.module.modules())
    assert bool(calls) == (role != "input"), "the second batch alone is of a known shape"
    assert not any(any(call) for call in calls), "the graph behind the layer is the methods' own"


class _Asked(nn.Module):
    """A network that gives its first layer an option by name, and its second one no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(3, 4, 1), _Optional(), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Any:
        return self.last(self.second(self.first(input=x), None).mean((2, 3)))


class _Optional(nn.Conv2d):
    def __init__(self) -> None:
        super().__init__(4, 4, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(x)


@pytest.mark.usefixtures("some_compiler")
def test_a_layer_that_is_given_more_than_tensors_runs_as_it_is() -> None:
    network, batch = _Asked().eval(), torch.rand(2, 3, 5, 5)
    with torch.no_grad(), compiled(network, ["last"], "default"):
        again = [network(batch) for _ in range(2)]
    assert all(torch.equal(one, network(batch)) for one in again)


@pytest.mark.usefixtures("some_compiler")
def test_a_failure_in_the_forward_pass_leaves_the_network_as_it_was() -> None:
    model = small(vgg_like)
    with pytest.raises(RuntimeError), compiled(model.module, ["6"], "default"):
        model.module(torch.zeros(1, 5, 12, 12, dtype=torch.float64))
    assert not any("forward" in vars(module) for module in model.module.modules())


def test_a_missing_compiler_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with (
        pytest.raises(UserError, match=r"run\.compile=default needs a C\+\+ compiler"),
        compiled(small(vgg_like).module, ["6"], "default"),
    ):
        pass


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_pytorchs_compiler_gives_the_same_up_to_rounding() -> None:
    ours = _three_batches(small(vgg_like), "last_conv", "default", True)
    for found, plain in zip(ours, _three_batches(small(vgg_like), "last_conv", None, True), strict=True):
        torch.testing.assert_close(found, plain, rtol=1e-10, atol=1e-12)
