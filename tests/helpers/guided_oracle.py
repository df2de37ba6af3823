"""Gradients with another rule at each ReLU, derived in two ways that share nothing with the package."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from helpers.small_models import FunctionalReLU

Rule = Callable[[Tensor, Tensor], Tensor]
"""From a ReLU's input and what arrives at its output to what leaves it."""


def guided(x: Tensor, arriving: Tensor) -> Tensor:
    return torch.where((x > 0) & (arriving > 0), arriving, 0.0)


def deconvolved(x: Tensor, arriving: Tensor) -> Tensor:
    return torch.where(arriving > 0, arriving, 0.0)


class _Ruled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rule: Rule) -> Tensor:
        ctx.save_for_backward(x)
        ctx.rule = rule
        return torch.where(x > 0, x, 0.0)

    @staticmethod
    def backward(ctx: Any, arriving: Tensor) -> tuple[Tensor, None]:
        return ctx.rule(*ctx.saved_tensors, arriving), None


class Replaced(TorchFunctionMode):
    """While entered, each ReLU that is called, in whatever form, is a function with the rule written out."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule
        self.calls = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__name__", "").strip("_") != "relu":
            return func(*args, **(kwargs or {}))
        self.calls += 1
        return _Ruled.apply(args[0], self.rule)


def by_replacement(module: nn.Module, inputs: Tensor, classes: Tensor, rule: Rule) -> Tensor:
    """``[N, K, 3, S, S]``: the network run again, its ReLUs replaced."""
    rows = []
    for column in classes.T:
        leaf = inputs.clone().requires_grad_()
        with Replaced(rule) as mode:
            scores = module(leaf).gather(1, column[:, None])
        assert mode.calls > 0
        rows.append(torch.autograd.grad(scores.sum(), leaf)[0])
    return torch.stack(rows, 1)


def _flat(part: nn.Module, x: Tensor) -> Tensor:
    output: Tensor = part(x.clone())
    return output.flatten()


def by_jacobians(chain: nn.Sequential, image: Tensor, output: int, rule: Rule) -> Tensor:
    """``[3, S, S]`` of one image ``[1, 3, S, S]``: the rule, and the dense Jacobian of all else, by hand."""
    values = [image]
    for part in chain:
        values.append(part(values[-1].clone()))
    signal = torch.zeros_like(values[-1][0])
    signal[output] = 1
    for part, given in zip(reversed(chain), reversed(values[:-1]), strict=True):
        if isinstance(part, nn.ReLU | FunctionalReLU):
            signal = rule(given[0], signal)
            continue
        flat = partial(_flat, part)
        matrix = torch.func.jacrev(flat)(given)
        signal = (matrix.flatten(1).T @ signal.flatten()).view_as(given[0])
    return signal
