"""Find the layers of a classifier that methods need, by watching forward passes."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.models.layouts import token_grid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
_ON_CHANNELS = (nn.Linear, nn.LayerNorm)  # of tokens, and of maps whose channels come last
_KEPT = 1 << 16  # numbers of an output, at most, that may be what the classifier reads


class _Call(NamedTuple):
    """The return of a layer; of a small output also its values, and what a linear layer was given."""

    name: str
    part: nn.Module
    shape: tuple[int, ...]
    output: Tensor | None
    given: Tensor | None


def find_roles(module: nn.Module, inputs: Tensor) -> Mapping[str, str]:
    """Return the roles ``last_conv``, ``excitation``, ``classifier`` and ``penultimate`` of a classifier.

    ``last_conv`` is the last layer whose output has the rows and columns of the last convolution's: that
    convolution with its normalisation, ReLU and sum, before any pooling, as Grad-CAM takes it (paper §3).
    Where layers of tokens, or of maps whose channels come last, follow that convolution, the last of them
    takes its place. Of tokens it is the last layer with image tokens that the scores depend on, such as
    ``blocks.11.norm1``: after its last attention a transformer may read its class token alone. ``excitation``
    is the same layer, ``classifier`` the last linear layer and ``penultimate`` the one whose output it reads,
    if there are such.

    Args:
        module: A classifier in evaluation mode.
        inputs: ``[N, 3, H, W]``, as it takes them.

    Raises:
        UserError: If there are neither two convolutions nor tokens with more than one cell: a layer has to be
            named then.
    """
    calls = _calls(module, inputs)
    last = _last_maps(module, inputs, calls)
    roles = {"last_conv": last, "excitation": last}
    linear = [call for call in calls if call.given is not None and call.given.ndim == 2]
    if linear:
        roles["classifier"] = linear[-1].name
        before = [
            call.name for call in calls if call.output is not None and _is(call.output, linear[-1].given)
        ]
        roles |= {"penultimate": before[-1]} if before else {}
    return roles


def _calls(module: nn.Module, inputs: Tensor) -> list[_Call]:
    """Return what each layer gave, in the order in which they return."""
    calls: list[_Call] = []

    def note(part: nn.Module, given: tuple[Any, ...], output: Any, name: str) -> None:
        if isinstance(output, Tensor):
            kept = output if output.ndim > 1 and output.numel() <= _KEPT else None
            calls.append(
                _Call(
                    name, part, tuple(output.shape), kept, given[0] if isinstance(part, nn.Linear) else None
                )
            )

    with torch.no_grad(), ExitStack() as stack:
        for name, part in module.named_modules():
            if name:
                stack.enter_context(part.register_forward_hook(partial(note, name=name)))
        module(inputs)
    return calls


def _is(output: Tensor, read: Tensor | None) -> bool:
    return read is not None and output.numel() == read.numel() and torch.equal(output.flatten(1), read)


def _last_maps(module: nn.Module, inputs: Tensor, calls: Sequence[_Call]) -> str:
    grids = {
        call.shape[2:]
        for call in calls
        if isinstance(call.part, _CONVOLUTIONS) and len(call.shape) == 4 and call.shape[2] * call.shape[3] > 1
    }
    halved = {(-(-high >> k), -(-wide >> k)) for high, wide in grids for k in range(6)}
    cells = [_cells(call.shape, grids | halved, inputs) for call in calls]
    telling = [
        n for n, call in enumerate(calls) if cells[n] and isinstance(call.part, _CONVOLUTIONS + _ON_CHANNELS)
    ]
    if sum(1 for n in telling if len(calls[n].shape) == 4) < 2 and not _any_tokens(calls, telling):
        raise UserError(
            f"{type(module).__name__} is no convolutional network and has no tokens on a grid; name a layer "
            "with layer= (of a run: model.layers.last_conv=)"
        )
    runs = Counter(call.name for call in calls)
    same = [n for n in range(len(calls)) if cells[n] == cells[telling[-1]] and runs[calls[n].name] == 1]
    after = [n for n in same if n >= telling[-1]]
    if after and len(calls[after[-1]].shape) == 3:
        return _last_read(module, inputs, [calls[n] for n in same if len(calls[n].shape) == 3])
    return calls[after[-1] if after else telling[-1]].name


def _any_tokens(calls: Sequence[_Call], telling: Sequence[int]) -> bool:
    return any(len(calls[n].shape) == 3 for n in telling)


def _cells(shape: Sequence[int], grids: Collection[Sequence[int]], inputs: Tensor) -> tuple[int, ...]:
    """Return rows and columns of an output, empty if it has no cells of these grids or only one."""
    found: Sequence[int] = ()
    if len(shape) == 4 and shape[0] == len(inputs):
        found = next((own for own in (shape[2:], shape[1:3]) if tuple(own) in grids), ())
    elif len(shape) == 3 and shape[0] == len(inputs):
        grid = token_grid(shape[1], inputs.shape[-2:])
        found = grid[1:] if grid and (not grids or grid[1:] in grids) else ()
    return tuple(found) if len(found) == 2 and max(found) > 1 else ()


def _last_read(module: nn.Module, inputs: Tensor, calls: Sequence[_Call]) -> str:
    """Return the last of some layers of tokens on whose image tokens the scores depend.

    Of their shapes the most frequent one is the network's own; queries, keys, values and hidden units have
    others, or are outputs of a linear layer.
    """
    ((usual, _),) = Counter(call.shape for call in calls).most_common(1)
    names = [call.name for call in calls if call.shape == usual and not isinstance(call.part, nn.Linear)]
    besides = (token_grid(usual[1], inputs.shape[-2:]) or (0,))[0]
    kept: dict[str, Tensor] = {}

    def keep(_part: nn.Module, _given: Any, output: Tensor, name: str) -> Tensor:
        kept[name] = output
        return output.clone()  # later layers may work in place, on this copy

    with torch.inference_mode(False), torch.enable_grad(), ExitStack() as stack:
        for name in names:
            hook = partial(keep, name=name)
            stack.enter_context(module.get_submodule(name).register_forward_hook(hook))
        scores = module(inputs.detach().clone().requires_grad_())
        slopes = torch.autograd.grad(scores.sum(), [kept[name] for name in names], allow_unused=True)
    read = [
        name
        for name, slope in zip(names, slopes, strict=True)
        if slope is not None and slope[:, besides:].any()
    ]
    return (read or names)[-1]
