"""The check that a method leaves a model and torch as they were, also where it fails."""

import copy
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from benchmark.core.protocols import Method
from benchmark.diagnostics.selftest.case import Case
from benchmark.diagnostics.selftest.check import EXACT, Deviation, Subjects
from benchmark.models.forward import find_layer
from benchmark.models.weights.parameters import parameter_digest

_LAST = "classifier"
_UNTRIED = f"not tried: that it breaks off, for want of a layer {_LAST}"
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def nothing_is_left_behind(subjects: Subjects) -> Iterator[Deviation]:
    """Check that no hook, flag, gradient or changed parameter remains of a method that worked, or raised.

    Each is tried on a clean copy of the model, so that none is blamed for what another left. Where the model
    names no classifier, there is no place to break off at, and every line of it says so.
    """
    for case in subjects.cases:
        digest = parameter_digest(case.model.module)
        untried = [] if case.has(_LAST) else [_UNTRIED]
        for name, method in case.methods.items():
            for ending, act in _ENDINGS.items():
                if act is _breaks_off and untried:
                    continue
                copied = _clean(case)
                with suppress(_OursError, RuntimeError, IndexError):
                    act(copied, method)
                left = [kind for kind, found in _remains(copied, digest).items() if found]
                where = f"{case.model.name}/{name} that {ending}"
                yield Deviation(where, float(len(left)), EXACT, ", ".join([*left, *untried]))


def _clean(case: Case) -> Case:
    """Return the same case on a copy of the model that is as a model has to be."""
    module = copy.deepcopy(case.model.module).eval().requires_grad_(False)
    module.zero_grad(set_to_none=True)
    for part in module.modules():
        for kind in _HOOKS:
            getattr(part, kind).clear()
    return replace(case, model=replace(case.model, module=module))


def _works(case: Case, method: Method) -> None:
    with case.arithmetic():
        forward = case.record(method.layers, method.operations)
        method(case.model, forward, case.classes)


def _raises(case: Case, method: Method) -> None:
    """Check that classes that are not whole numbers are refused, without an assertion of CUDA's."""
    _works(replace(case, classes=case.classes.float()), method)


def _breaks_off(case: Case, method: Method) -> None:
    """Let the network itself raise, with all its hooks set."""

    def fail(_module: nn.Module, _args: Any) -> None:
        raise _OursError

    last = case.model.module.get_submodule(find_layer(case.model, _LAST))
    with last.register_forward_pre_hook(fail):
        _works(case, method)


class _OursError(Exception):
    """An error that a check raises on purpose."""


_ENDINGS = {"worked": _works, "raised": _raises, "broke off": _breaks_off}


def _remains(case: Case, digest: str) -> dict[str, bool]:
    """Return in words everything that a method could leave behind, with whether it is there."""
    parts = list(case.model.module.modules())
    parameters = list(case.model.module.parameters())
    return {
        "hooks": any(getattr(part, kind) for part in parts for kind in _HOOKS),
        "training mode": any(part.training for part in parts),
        "requires_grad": any(parameter.requires_grad for parameter in parameters),
        ".grad": any(parameter.grad is not None for parameter in parameters),
        "other values": parameter_digest(case.model.module) != digest,
        "gradients switched off": not torch.is_grad_enabled(),
        "autocast": torch.is_autocast_enabled(case.classes.device.type),
        "torch function mode": torch._C._len_torch_function_stack() > 0,
    }
