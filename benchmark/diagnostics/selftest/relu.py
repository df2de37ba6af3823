"""The check that guided backprop reaches every ReLU, however this build of torch computes one."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from benchmark.diagnostics.selftest.bounds import network
from benchmark.diagnostics.selftest.check import Deviation, Subjects, relative
from benchmark.models.forward import INPUT, one_hot

_NAME = "guided_backprop"


def every_relu_is_guided(subjects: Subjects) -> Iterator[Deviation]:
    """Check guided backprop against the gradient of a net whose ReLUs have the rule written out."""
    for case in subjects.cases:
        if _NAME not in case.methods:
            continue
        with case.arithmetic():
            measured = case.methods[_NAME](case.model, case.record((INPUT,)), case.classes)
            with _Replaced():
                other = case.record((INPUT,))
            image = other.activations[INPUT]
            wanted = [
                torch.autograd.grad(other.logits, image, pick, retain_graph=True)[0].abs().amax(1)
                for pick in one_hot(other.logits, case.classes)
            ]
        bound = network(case.settings, to_the_pixels=True)
        yield Deviation(case.model.name, relative(measured, torch.stack(wanted, 1)), bound)


class _GuidedReLU(torch.autograd.Function):
    """``max(x, 0)``, whose backward pass lets ``g`` through where ``x > 0`` and ``g > 0``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Keep where the input is positive."""
        ctx.save_for_backward(x > 0)
        return torch.where(x > 0, x, 0.0)

    @staticmethod
    def backward(ctx: Any, arriving: Tensor) -> Tensor:
        """Return where both conditions hold."""
        (active,) = ctx.saved_tensors
        return torch.where(active & (arriving > 0), arriving, 0.0)


class _Replaced(TorchFunctionMode):
    """While entered, every call of a ReLU, in place or not, is one of the function above."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call, or replace."""
        if getattr(func, "__name__", "").strip("_") == "relu":
            return _GuidedReLU.apply(args[0])
        return func(*args, **(kwargs or {}))
