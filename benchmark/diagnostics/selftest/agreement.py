"""Checks of what changes no heatmap (batch, device, how a ReLU is computed) and no box (scale, threads)."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from benchmark.core.protocols import Localizer
from benchmark.core.types import Box, FloatArray, ImageArray, View
from benchmark.diagnostics.selftest.case import Case
from benchmark.diagnostics.selftest.check import EXACT, Deviation, Subjects, network, relative
from benchmark.models.forward import INPUT, one_hot

Heatmaps = Mapping[str, Tensor]
_GUIDED = "guided_backprop"
_VIEW = View(96, 72, Box(0, 0, 96, 72))
_MAPS = 4
_FACTORS = (2.0**-9, 2.0**9)
"""Powers of two, which no float rounds."""
_THREADS = 4


def batch_is_its_images(subjects: Subjects) -> Iterator[Deviation]:
    """Check that a batch gives each of its images the heatmaps that it gets alone.

    In float64, where no ReLU or max pooling decides otherwise for another order of sums.
    """
    for case in (each.reference() for each in subjects.cases):
        alone = [case.explain(slice(row, row + 1)) for row in range(len(case.inputs))]
        wanted = {name: torch.cat([maps[name] for maps in alone]) for name in case.methods}
        yield from _compared(case, case.explain(), wanted)


def device_agrees_with_float64(subjects: Subjects) -> Iterator[Deviation]:
    """Check that the device in the chosen precision gives what the CPU gives in float64."""
    for case in subjects.cases:
        yield from _compared(case, case.explain(), case.reference().explain())


def _compared(case: Case, measured: Heatmaps, wanted: Heatmaps) -> Iterator[Deviation]:
    for name, method in case.methods.items():
        bound = network(case.settings, method)
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
        yield Deviation(case.model.name, relative(measured, torch.stack(wanted, 1)), network(case.settings))


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


def scale_moves_no_box(subjects: Subjects) -> Iterator[Deviation]:
    """Check that a positive factor cancels: a protocol compares a map with its own values alone."""
    image = _picture(0)
    for name, localizer in subjects.localizers.items():
        maps = [_heatmap(seed) for seed in range(_MAPS)]
        boxes = [localizer(heatmap, _VIEW, image).box for heatmap in maps]
        for factor in _FACTORS:
            scaled = [localizer(heatmap * np.float32(factor), _VIEW, image).box for heatmap in maps]
            yield Deviation(name, _differing(scaled, boxes), EXACT, f"of {_MAPS} boxes, factor {factor:g}")


def threads_move_no_box(subjects: Subjects) -> Iterator[Deviation]:
    """Check that GrabCut, which draws random numbers, gives the same boxes on any number of threads."""
    for name, localizer in subjects.localizers.items():
        if not localizer.needs_image:
            continue
        boxes = [_boxed(localizer, seed) for seed in range(_MAPS)]
        with ThreadPoolExecutor(_THREADS) as pool:
            backwards = list(pool.map(lambda seed, by=localizer: _boxed(by, seed), reversed(range(_MAPS))))
        yield Deviation(name, _differing(backwards[::-1], boxes), EXACT, f"of {_MAPS} boxes")


def _boxed(localizer: Localizer, seed: int) -> Box:
    return localizer(_heatmap(seed), _VIEW, _picture(seed)).box


def _differing(found: list[Box], wanted: list[Box]) -> float:
    return float(sum(a != b for a, b in zip(found, wanted, strict=True)))


def _heatmap(seed: int) -> FloatArray:
    """Draw a signed map ``[14, 14]``: one hill on noise."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:14, :14]
    y, x = draw.uniform(3, 11, 2)
    hill = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
    heatmap: FloatArray = (hill + 0.1 * draw.standard_normal((14, 14))).astype(np.float32)
    return heatmap


def _picture(seed: int) -> ImageArray:
    """Draw noise with a brighter rectangle, ``[72, 96, 3]``."""
    draw = np.random.default_rng(seed)
    image = draw.integers(0, 120, (_VIEW.height, _VIEW.width, 3), np.uint8)
    image[20:50, 30:70] += 100
    return image
