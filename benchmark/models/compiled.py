"""Compile the part of a network that no method differentiates: what runs before its earliest read layer."""

import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from benchmark.core.errors import UserError

_Forward = Callable[..., Any]
_Together = tuple[nn.Module, ...]
_made: WeakKeyDictionary[nn.Module, dict[tuple[Any, ...], _Forward | None]] = WeakKeyDictionary()


@contextmanager
def compiled(network: nn.Module, layers: Collection[str], mode: str | None) -> Iterator[None]:
    """Run what precedes the named layers as compiled code inside the ``with`` block, and undo it after.

    Only modules registered before the first of the layers are compiled, neighbours of an ``nn.Sequential``
    as one. A module that is given a tensor with a gradient runs as it is, since methods differentiate the
    graph behind a read layer several times. So does one that is given anything but tensors, and a batch whose
    shape comes for the first time, which the last one's of a run may be: compiling costs up to minutes.
    Compiled code is kept with the network. It rounds differently, as another device does.

    Args:
        network: The network, in evaluation mode.
        layers: Dotted names of the layers that methods read.
        mode: A mode of ``torch.compile``: ``default``, or ``reduce-overhead`` for CUDA graphs. ``None``
            compiles nothing.

    Raises:
        UserError: If the network is on a CPU and there is no C++ compiler.
    """
    if mode and next(network.parameters(), torch.empty(0)).device.type == "cpu" and not _compiler():
        raise UserError(
            f"run.compile={mode} needs a C++ compiler on a CPU: install g++, or leave run.compile out"
        )
    with ExitStack() as stack:
        for modules in _preceding(network, set(layers)) if mode else ():
            _replace(modules, _made.setdefault(network, {}), str(mode), stack)
        yield


def _preceding(network: nn.Module, layers: set[str]) -> Iterator[_Together]:
    """Yield the modules registered before the first of the layers; those that run in a row, as one."""
    before: list[nn.Module] = []
    for name, child in network.named_children():
        within = {
            layer.removeprefix(name).removeprefix(".")
            for layer in layers
            if f"{layer}.".startswith(f"{name}.")
        }
        if within:
            yield from _in_a_row(network, before)
            yield from _preceding(child, within) if "" not in within else ()
            return
        before.append(child)
    yield from _in_a_row(network, before)


def _in_a_row(parent: nn.Module, modules: list[nn.Module]) -> Iterator[_Together]:
    rows = [tuple(modules)] if isinstance(parent, nn.Sequential) else [(module,) for module in modules]
    yield from (row for row in rows if any(True for module in row for _ in module.parameters()))


def _replace(
    modules: _Together, made: dict[tuple[Any, ...], _Forward | None], mode: str, stack: ExitStack
) -> None:
    """Let the first of the modules do the work of all, and the others pass on what they are given."""
    first, rest = modules[0].forward, [module.forward for module in modules[1:]]
    passing = False

    def all_of_them(*args: Any) -> Any:
        value = first(*args)
        for forward in rest:
            value = forward(value)
        return value

    # PyTorch counts what it compiles by code object, and gives up after eight.
    all_of_them.__code__ = all_of_them.__code__.replace(co_name=f"{len(modules)}_modules")

    def replaced(*args: Any, **options: Any) -> Any:
        nonlocal passing
        if options or not all(isinstance(arg, torch.Tensor) for arg in args):
            passing = False
            return first(*args, **options)
        key = (modules, mode, *(arg.shape for arg in args))
        passing = key in made and not any(arg.requires_grad for arg in args)
        if not passing:
            made.setdefault(key, None)
            return first(*args)
        code = made[key] or torch.compile(all_of_them, mode=mode, dynamic=False)
        made[key] = code
        return code(*args)

    _set(modules[0], replaced, stack)
    for module, forward in zip(modules[1:], rest, strict=True):
        _set(module, lambda value, own=forward: value if passing else own(value), stack)


def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, [os.environ.get("CXX", "g++"), "clang++"])), None)


def _set(module: nn.Module, forward: _Forward, stack: ExitStack) -> None:
    module.forward = forward
    stack.callback(delattr, module, "forward")
