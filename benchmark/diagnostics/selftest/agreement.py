"""Checks of whole networks: no batch, no device and no way to compute a ReLU may change a heatmap."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from benchmark.diagnostics.selftest.case import Case
from benchmark.diagnostics.selftest.check import Deviation, Subjects, network, relative
from benchmark.models.forward import INPUT, one_hot

Heatmaps = Mapping[str, Tensor]
_GUIDED = "guided_backprop"


def batch_is_its_images(subjects: Subjects) -> Iterator[Deviation]:
    """Check that a batch gives each of its images the heatmaps that it gets alone."""
    for case in subjects.cases:
        alone = [case.explain(slice(row, row + 1)) for row in range(len(case.inputs))]
        wanted = {name: torch.cat([maps[name] for maps in alone]) for name in case.methods}
        yield from _compared(case, case.explain(), wanted)


def device_agrees_with_float64(subjects: Subjects) -> Iterator[Deviation]:
    """Check that the device in the chosen precision gives what the CPU gives in float64."""
    for case in subjects.cases:
        yield from _compared(case, case.explain(), case.reference().explain())


def _compared(case: Case, measured: Heatmaps, wanted: Heatmaps) -> Iterator[Deviation]:
    for name, method in case.methods.items():
        bound = network(case.settings, to_the_pixels=INPUT in method.layers)
        yield Deviation(f"{case.model.name}/{name}", relative(measured[name], wanted[name]), bound)


def every_relu_is_guided(subjects: Subjects) -> Iterator[Deviation]:
    """Check guided backprop against the gradient of a net whose ReLUs have the rule written out."""
    for case in subjects.cases:
        if _GUIDED not in case.methods:
            continue
        with case.arithmetic():
            measured = case.methods[_GUIDED](case.model, case.record((INPUT,)), case.classes)
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
