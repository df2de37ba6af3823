"""Find the layers of a convolutional classifier that methods need, by watching one forward pass."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def find_roles(module: nn.Module, inputs: Tensor) -> Mapping[str, str]:
    """Return the roles ``last_conv`` and ``classifier`` of a classifier.

    ``last_conv`` is the last layer whose output has the rows and columns of the last convolution's: that
    convolution with its normalisation, ReLU and sum, before any pooling, as Grad-CAM takes it (paper §3).
    ``classifier`` is the last linear layer, if there is one.

    Args:
        module: A classifier in evaluation mode.
        inputs: ``[N, 3, H, W]``, as it takes them.

    Raises:
        UserError: If not two convolutions with more than one cell run: a layer has to be named then.
    """
    calls: list[tuple[str, nn.Module, tuple[int, ...]]] = []
    with torch.no_grad(), ExitStack() as stack:
        for name, part in module.named_modules():
            if name:
                stack.enter_context(part.register_forward_hook(_noting(calls, name)))
        module(inputs)
    grids = [
        place
        for place, (_, part, shape) in enumerate(calls)
        if isinstance(part, _CONVOLUTIONS) and len(shape) == 4 and shape[2] * shape[3] > 1
    ]
    if len(grids) < 2:  # a single one embeds patches: what follows are tokens
        raise UserError(f"{type(module).__name__} is no convolutional network; name a layer with layer=")
    runs = Counter(name for name, _, _ in calls)
    cells = calls[grids[-1]][2][2:]
    alike = [name for name, _, shape in calls[grids[-1] :] if shape[2:] == cells and runs[name] == 1]
    linear = [name for name, part, _ in calls if isinstance(part, nn.Linear)]
    roles = {"last_conv": (alike or [calls[grids[-1]][0]])[-1]}
    return roles | ({"classifier": linear[-1]} if linear else {})


def _noting(calls: list[tuple[str, nn.Module, tuple[int, ...]]], name: str) -> Callable[..., None]:
    def hook(part: nn.Module, _: Any, output: Any) -> None:
        calls.append((name, part, tuple(output.shape) if isinstance(output, Tensor) else ()))

    return hook
