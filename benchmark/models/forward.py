"""One forward pass that serves the predicted classes and every method of a run.

A hook on each requested layer keeps its output and starts the autograd graph there, so that nothing before
the earliest of them is differentiated or kept. The hooks are gone when :func:`forward_pass` returns or
raises; the model's parameters, buffers, flags and ``.grad`` are never touched.
"""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.core.targets import PROBE, bound
from benchmark.core.types import ForwardPass, Model, Operation
from benchmark.models.compiled import compiled
from benchmark.models.layouts import IN_ORDER, Layout, as_maps, as_output, map_axes, noise

INPUT = "input"
"""The name by which a method asks for the network's input, as if it were a layer."""


def forward_pass(
    model: Model,
    inputs: Tensor,
    layers: Collection[str] = (),
    operations: bool = False,
    compile: str | None = None,
) -> ForwardPass:
    """Run the model once and keep the activations and operations that methods need.

    Works in any grad mode of the caller (also ``no_grad`` and ``inference_mode``), under autocast, on any
    device, and never waits for the device. The graph of the result can be differentiated any number of times
    with ``torch.autograd.grad(…, retain_graph=True)``; it is freed with the result.

    Args:
        model: A model in evaluation mode.
        inputs: ``[N, 3, S, S]``, preprocessed; left as they are.
        layers: Roles of ``model.layers``, dotted module names, or ``"input"``; the keys of ``activations``.
            Without any, nothing is differentiable.
        operations: Whether to record every call of a torch function from the earliest of ``layers`` on.
        compile: Mode of ``torch.compile`` for what precedes all layers; ``None`` compiles nothing.

    Returns:
        Logits, activations (each as its layer computed it, even if the network changes it in place
        afterwards, but maps whose channels come last, and tokens of a grid, as ``[N, C, h, w]``), and
        operations.

    Raises:
        UserError: If a layer is unknown, does not run, runs twice, or returns no tensor; if the logits are
            not ``[N, C]``; or if a tensor is overwritten after it was recorded.
    """
    names = {layer: find_layer(model, layer) for layer in layers}
    layouts = map_axes(model, set(names.values()) - {INPUT}, inputs.shape[-2:])
    tape = _Tape(model.name, inputs.shape[-2:], started=INPUT in names or not names)
    with torch.inference_mode(False), torch.set_grad_enabled(bool(names)), ExitStack() as stack:
        start = inputs.clone() if inputs.is_inference() else inputs.detach()
        for name in set(names.values()) - {INPUT}:
            hook = tape.hook(name, layouts[name] or IN_ORDER)
            stack.enter_context(model.module.get_submodule(name).register_forward_hook(hook))
        if INPUT in names:
            tape.activations[INPUT] = start.requires_grad_()
        if operations:
            stack.enter_context(tape)
        if INPUT not in names:
            stack.enter_context(compiled(model.module, names.values(), compile))
        logits = model.module(start.clone())
    tape.verify(set(names.values()))
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise UserError(f"model {model.name} must return scores [N, C], not {_describe(logits)}")
    activations = {layer: tape.activations[name] for layer, name in names.items()}
    return ForwardPass(start, logits, activations, tuple(tape.operations))


def find_layer(model: Model, layer: str) -> str:
    """Return the dotted module name of a layer role; a module name and ``"input"`` stay as they are.

    Raises:
        UserError: If the model has no such layer, with the nearest names.
    """
    modules = [name for name, _ in model.module.named_modules() if name]
    name = model.layers.get(layer, layer)
    if name == INPUT or name in modules:
        return name
    near = difflib.get_close_matches(name, [*model.layers, INPUT, *modules], n=4, cutoff=0.4)
    meant = f" (role {layer})" if name != layer else ""
    known = ", ".join(near or [*model.layers, INPUT])
    raise UserError(f"model {model.name} has no layer {name!r}{meant}; nearest: {known}")


def one_hot(logits: Tensor, classes: Tensor) -> Tensor:
    """Return one-hot signals ``[K, N, C]`` that pick the scores of ``classes`` ``[N, K]``, by column."""
    signals = logits.new_zeros((classes.shape[1], *logits.shape))
    return signals.scatter_(2, classes.T.unsqueeze(2), 1.0)


def probe(model: Model, layers: Collection[str], operations: bool = False) -> ForwardPass:
    """Run a forward pass over one image of seeded noise, by which a method's ``check`` judges the model.

    Raises:
        UserError: As :func:`forward_pass`, or if the network cannot take inputs of its configured size.
    """
    try:
        with bound(model.module, [PROBE]):
            return forward_pass(model, noise(model, 1, model.input.sides), layers, operations)
    except torch.OutOfMemoryError:  # a RuntimeError too, but no fault of the network
        raise
    except (RuntimeError, AssertionError) as error:
        raise no_input(model.name, model.input.size, error) from error


def no_input(model: str, size: int, error: Exception) -> UserError:
    """Make the error of a network that does not take inputs of a size."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return UserError(f"model {model} does not take inputs of {size} pixels: {reason}; set model.input.size")


def output_count(model: Model) -> int:
    """Return the number of scores that the network gives.

    Raises:
        UserError: As :func:`probe`.
    """
    return probe(model, ()).logits.shape[1]


def rehearse(method: Method, model: Model) -> None:
    """Explain one image of noise with a method, so that a model that does not suit it is refused at once.

    Raises:
        UserError: As the forward pass and the method raise it.
    """
    forward = probe(model, method.layers, method.operations)
    with bound(model.module, [PROBE]):
        method(model, forward, torch.zeros((1, 1), dtype=torch.int64, device=forward.logits.device))


def tensors(value: Any) -> Iterator[Tensor]:
    """Yield every tensor in nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, Mapping):
        yield from tensors(tuple(value.values()))


class _Tape(TorchFunctionMode):
    """A record of one forward pass: activations from its hooks, operations while the mode is entered."""

    def __init__(self, model: str, size: Sequence[int], started: bool) -> None:
        super().__init__()
        self.model = model
        self.size = size
        self.started = started
        self.activations: dict[str, Tensor] = {}
        self.operations: list[Operation] = []
        self._seen: list[tuple[str, Tensor, int]] = []

    def hook(self, name: str, layout: Layout) -> Callable[[nn.Module, Any, Any], Tensor]:
        """Return a forward hook that keeps the output of the layer, turned, and passes a copy of it on."""

        def keep(_module: nn.Module, _args: Any, output: Any) -> Tensor:
            if not isinstance(output, Tensor):
                what = f"returns {_describe(output)}, not one tensor"
                raise UserError(f"layer {name} of {self.model} {what}; name another with model.layers.ROLE=")
            if name in self.activations:
                advice = "name a layer that runs once, such as the one around it"
                raise UserError(f"layer {name} of {self.model} runs more than once in a pass; {advice}")
            turned = as_maps(output, layout, self.size)
            kept = turned if turned.requires_grad else turned.detach().requires_grad_()
            self.started = True
            self.activations[name] = kept
            self._remember(f"layer {name}", kept)
            copy = kept.clone()  # later layers may work in place, on this copy
            return as_output(copy, layout, output)

        return keep

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function, and record the call if it returned a tensor."""
        kwargs = kwargs or {}
        if not self.started:
            return func(*args, **kwargs)
        read = self._rescue(args) if _name(func) in _ADDS_IN_PLACE else args
        output = func(*args, **kwargs)
        if any(True for _ in tensors(output)):
            self._note(Operation(func, read, kwargs, output))
        return output

    def _rescue(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Copy the target of an in-place sum, whose rule needs the value that is overwritten."""
        before = args[0].clone()
        self.operations.append(Operation(torch.clone, (args[0],), {}, before))
        return tuple(before if arg is args[0] else arg for arg in args)

    def _note(self, operation: Operation) -> None:
        self.operations.append(operation)
        for tensor in tensors((operation.args, operation.kwargs)):
            if tensor is not operation.output:  # an in-place operation may overwrite its own input
                self._remember(f"the input of {resolve_name(operation.function)}", tensor)

    def _remember(self, what: str, tensor: Tensor) -> None:
        if not tensor.is_inference():  # inference tensors have no version counter
            self._seen.append((what, tensor, tensor._version))

    def verify(self, names: Collection[str]) -> None:
        """Check that every layer ran and that no recorded tensor has changed since.

        Raises:
            UserError: If a layer did not run, or a tensor was overwritten in place.
        """
        for name in names:
            if name not in self.activations:
                raise UserError(
                    f"layer {name} of {self.model} takes no part in its forward pass; name another"
                )
        for what, tensor, version in self._seen:
            if tensor._version != version:
                raise UserError(
                    f"{self.model} overwrites {what} in place after it was read; make that out of place"
                )


_ADDS_IN_PLACE = ("add_", "__iadd__")


def _name(function: Any) -> str:
    return getattr(function, "__name__", "")


def _describe(value: Any) -> str:
    return str(list(value.shape)) if isinstance(value, Tensor) else f"a {type(value).__name__}"
