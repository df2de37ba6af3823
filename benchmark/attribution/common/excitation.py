"""Excitation backprop: winning probabilities, propagated down the recorded operations of a forward pass.

Source: Zhang et al., "Top-down Neural Attention by Excitation Backprop" (ECCV 2016), written from the
formulas of protocol §4.1 to §4.4. The probability ``P`` of each unit of an operation's output is shared among
the units of its input. All ``K`` classes are propagated at once as ``[K, N, …]``, signed or not, since every
rule is linear in ``P``.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_input
from torch.overrides import resolve_name

from benchmark.attribution.common.derived import derived
from benchmark.core.errors import UserError
from benchmark.core.types import ForwardPass, Model, Operation
from benchmark.models.forward import find_layer, one_hot, tensors

Shares = Iterator[tuple[Tensor, Tensor]]
Rule = Callable[[Operation, Tensor], Shares]
"""Maps an operation and its output's probability ``[K, N, …]`` to its inputs, each with its share."""


@torch.inference_mode(False)
@torch.no_grad()
def walk(
    model: Model, forward: ForwardPass, classes: Tensor, layer: str, contrastive: bool = False
) -> Tensor:
    """Return the winning probabilities of a layer's units, given that each class's output unit has won.

    The walk starts from one-hot signals at the logits (protocol §4.3) and ends at the layer, in float32 or
    wider whatever autocast says. Shares that reach one unit by several paths add up.

    Args:
        model: Its role ``classifier`` names the layer to contrast at.
        forward: A forward pass with ``layer`` and ``operations`` recorded.
        classes: ``[N, K]`` int64 output indices.
        layer: Where to stop: the name under which the forward pass recorded it.
        contrastive: Whether to subtract, at the classifier, the probabilities that its negated weights would
            give (protocol §4.4). The result is signed and sums to zero, but for mass lost on the way.

    Returns:
        ``[N, K, …]``, the layer's own axes after ``K``.

    Raises:
        UserError: If an operation on the path has no rule, or no path leads from the scores to the layer.
    """
    goal = forward.activations[layer]
    start = one_hot(forward.logits, classes)
    signals = {id(forward.logits): start.to(torch.promote_types(start.dtype, torch.float32))}
    way = _way(forward, goal)
    contrast = _classifier(model, way, layer) if contrastive else None
    with torch.autocast(goal.device.type, enabled=False):
        for operation, live in reversed(way):
            rule = _contrast if operation is contrast else RULES.get(_name(operation), _refuse)
            try:
                _step(operation, rule, live, signals)
            except _NoRuleError as error:
                raise UserError(_refusal(model, layer, operation, error)) from None
    if id(goal) not in signals:
        raise UserError(f"model {model.name}: no recorded operation leads from its scores to {layer}")
    return signals[id(goal)].transpose(0, 1)


def _step(operation: Operation, rule: Rule, live: set[int], signals: dict[int, Tensor]) -> None:
    """Move the signal from an operation's output to its inputs that depend on the layer."""
    if not isinstance(operation.output, Tensor) and any(id(t) in signals for t in tensors(operation.output)):
        raise _NoRuleError(", which returns several tensors")
    signal = signals.pop(id(operation.output), None)
    if signal is None:
        return
    for tensor, share in rule(operation, signal):
        if id(tensor) in live:
            signals[id(tensor)] = signals[id(tensor)] + share if id(tensor) in signals else share


def _way(forward: ForwardPass, goal: Tensor) -> list[tuple[Operation, set[int]]]:
    """Return the operations that depend on the layer, each with those of its inputs that do."""
    reached = {id(goal)}
    way = []
    for operation in forward.operations:
        live = reached.intersection(map(id, tensors((operation.args, operation.kwargs))))
        if live:
            way.append((operation, live))
            reached.update(map(id, tensors(operation.output)))
    return way


def _classifier(model: Model, way: list[tuple[Operation, set[int]]], layer: str) -> Operation:
    """Return the one operation on the path that uses the classifier's weight."""
    name = find_layer(model, "classifier")
    weight = getattr(model.module.get_submodule(name), "weight", None)
    found = [op for op, _ in way if any(t is weight for t in tensors((op.args, op.kwargs)))]
    if len(found) != 1 or _name(found[0]) not in _WEIGHTED:
        must = f"must be one linear or convolution layer between {layer} and the scores"
        raise UserError(f"model {model.name}: its classifier {name} {must}, to be contrasted at")
    return found[0]


def _refusal(model: Model, layer: str, operation: Operation, error: Exception) -> str:
    what = resolve_name(operation.function) or _name(operation)
    remedy = "read a later layer (method.layer=…) or choose method=grad_cam"
    return (
        f"model {model.name}: excitation backprop has no rule for {what}{error}, used after {layer}; {remedy}"
    )


class _NoRuleError(Exception):
    """An operation without a rule; the message follows the operation's name."""


def _refuse(_operation: Operation, _signal: Tensor) -> Shares:
    raise _NoRuleError


def _name(operation: Operation) -> str:
    """Return the plain name: ``relu`` for ``F.relu`` and ``torch.relu_``, ``add`` for ``+`` and ``add_``."""
    return str(getattr(operation.function, "__name__", "")).strip("_")


def _arguments(operation: Operation, **defaults: Any) -> dict[str, Any]:
    """Return the operation's arguments by name, in the order of ``defaults``."""
    return {**defaults, **dict(zip(defaults, operation.args, strict=False)), **operation.kwargs}


def _input(operation: Operation) -> Tensor:
    given: Tensor = _arguments(operation, input=None)["input"]
    return given


def _divide(signal: Tensor, total: Tensor) -> Tensor:
    """Return ``P / N``; 0 where ``N`` is 0, or so near to it that the quotient could overflow."""
    return torch.where(total.abs() < torch.finfo(total.dtype).tiny, 0.0, signal / total)


def _same(operation: Operation, signal: Tensor) -> Shares:
    """Pass ``P_j = P_i`` through operations of one unit in, one unit out, as LRN and ReLU (protocol §4.2)."""
    given = _input(operation)
    yield given, signal.reshape(signal.shape[:1] + given.shape)


def _dropout(operation: Operation, signal: Tensor) -> Shares:
    if _arguments(operation, input=None, p=0.5, training=True)["training"]:
        raise _NoRuleError(" in training mode")
    yield from _same(operation, signal)


def _batch_norm(operation: Operation, signal: Tensor) -> Shares:
    names = dict.fromkeys(("input", "running_mean", "running_var", "weight", "bias"))
    if _arguments(operation, **names, training=False)["training"]:
        raise _NoRuleError(" with the statistics of the batch")
    yield from _same(operation, signal)


def _weighted(operation: Operation, signal: Tensor, weight: Tensor) -> Tensor:
    """Return ``P_j = a_j Σ_i W_ij P_i / N_i`` with ``N_i = Σ_j W_ij a_j``, for ``W >= 0`` without bias."""
    given = _input(operation).to(signal.dtype)
    if _name(operation) == "linear":
        return given * (_divide(signal, F.linear(given, weight)) @ weight)
    names = _arguments(
        operation, input=None, weight=None, bias=None, stride=1, padding=0, dilation=1, groups=1
    )
    geometry = (names["stride"], names["padding"], names["dilation"], names["groups"])
    ratio = _divide(signal, F.conv2d(given, weight, None, *geometry))
    if isinstance(names["padding"], str):
        return given * _transposed(lambda x: F.conv2d(x, weight, None, *geometry), ratio, given)
    shape = (ratio.shape[0] * ratio.shape[1], *given.shape[1:])
    back: Tensor = conv2d_input(shape, weight, ratio.flatten(0, 1), *geometry)  # type: ignore[no-untyped-call]
    return given * back.reshape(ratio.shape[:1] + given.shape)


def _excite(operation: Operation, signal: Tensor) -> Shares:
    """Share the probability by ``W+ = max(W, 0)``, in convolutions and linear layers (protocol §4.1)."""
    yield _input(operation), _weighted(operation, signal, _positive(operation, signal, 1))


def _contrast(operation: Operation, signal: Tensor) -> Shares:
    """Share the probability by ``max(W, 0)``, less the shares by ``max(-W, 0)`` (protocol §4.4)."""
    excited = _weighted(operation, signal, _positive(operation, signal, 1))
    yield _input(operation), excited - _weighted(operation, signal, _positive(operation, signal, -1))


def _positive(operation: Operation, signal: Tensor, sign: int) -> Tensor:
    """Return ``max(sign · W, 0)`` of an operation's weights, made once."""
    weight, dtype = _arguments(operation, input=None, weight=None)["weight"], signal.dtype
    name = f"positive part of {sign} W in {dtype}"
    return derived(weight, name, lambda w: (w if sign > 0 else w.neg()).to(dtype).clamp(min=0))


def _max_pool(operation: Operation, signal: Tensor) -> Shares:
    """Give a window's probability to its maximum; ties are broken as torch's forward pass breaks them."""
    given = _input(operation)
    options = {**_arguments(operation, **dict.fromkeys(_POOLING[_name(operation)])), "return_indices": True}
    _, winners = getattr(F, _name(operation))(**{k: v for k, v in options.items() if v is not None})
    back = signal.new_zeros((*signal.shape[:3], given.shape[2] * given.shape[3]))
    back.scatter_add_(3, winners.flatten(2).expand(len(signal), -1, -1, -1), signal.flatten(3))
    yield given, back.reshape(signal.shape[:1] + given.shape)


def _average(operation: Operation, signal: Tensor) -> Shares:
    """Share a window's probability in proportion to its activations; 0 where they sum to 0 or less."""
    given = _input(operation).to(signal.dtype)
    rest = {name: value for name, value in operation.kwargs.items() if name != "input"}

    def pool(values: Tensor) -> Tensor:
        pooled: Tensor = operation.function(values, *operation.args[1:], **rest)
        return pooled

    total = pool(given)
    ratio = torch.where(total > 0, _divide(signal, total), 0.0)
    yield _input(operation), given * _transposed(pool, ratio, given)


def _transposed(linear: Callable[[Tensor], Tensor], signal: Tensor, like: Tensor) -> Tensor:
    """Apply the transpose of a linear function of ``like`` to ``[K, N, …]``."""
    with torch.enable_grad():
        values = like.new_zeros((signal.shape[0] * like.shape[0], *like.shape[1:]), requires_grad=True)
        (back,) = torch.autograd.grad(linear(values), values, signal.flatten(0, 1))
    return back.reshape(signal.shape[:1] + like.shape)


def _pad(operation: Operation, signal: Tensor) -> Shares:
    """Cut off the border of zeros that the operation has added."""
    options = _arguments(operation, input=None, pad=(), mode="constant", value=None)
    if options["mode"] != "constant" or options["value"]:
        raise _NoRuleError(" with anything but zeros")
    yield options["input"], F.pad(signal, [-width for width in options["pad"]])


def _concatenate(operation: Operation, signal: Tensor) -> Shares:
    """Give each input its own slice."""
    parts = operation.args[0] if operation.args else operation.kwargs["tensors"]
    dim = _arguments(operation, tensors=None, dim=operation.kwargs.get("axis", 0))["dim"]
    slices = torch.split(signal, [part.shape[dim] for part in parts], dim if dim < 0 else dim + 1)
    yield from zip(parts, slices, strict=True)


def _permute(operation: Operation, signal: Tensor) -> Shares:
    """Put the axes back in their order."""
    dims = _arguments(operation, input=None, dims=None)["dims"]
    order = list(operation.args[1:]) if isinstance(dims, int) else list(dims)
    order = [axis % len(order) for axis in order]
    yield _input(operation), signal.permute(0, *(1 + order.index(axis) for axis in range(len(order))))


def _add(operation: Operation, signal: Tensor) -> Shares:
    """Share by ``P_a = P · a / (a + b)``; 0 where the sum is 0 (protocol §4.2, elementwise sum)."""
    options = _arguments(operation, input=None, other=None, alpha=1)
    left, right = options["input"], options["other"]
    if not isinstance(right, Tensor) or left.shape != right.shape or options["alpha"] != 1:
        raise _NoRuleError(" of anything but two tensors of one shape")
    ratio = _divide(signal, (left + right).to(signal.dtype))
    yield left, left * ratio
    yield right, right * ratio


_POOLING = {
    "max_pool2d": ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "adaptive_max_pool2d": ("input", "output_size"),
}
_WEIGHTED = ("linear", "conv2d")
_SAME = ("relu", "local_response_norm", "flatten", "view", "reshape", "squeeze", "unsqueeze", "contiguous")
_COPIES = ("clone", "to", "float", "double")

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_WEIGHTED, _excite),
    **dict.fromkeys(_SAME + _COPIES, _same),
    **dict.fromkeys(_POOLING, _max_pool),
    **dict.fromkeys(("avg_pool2d", "adaptive_avg_pool2d", "mean"), _average),
    **dict.fromkeys(("cat", "concat", "concatenate"), _concatenate),
    **dict.fromkeys(("add", "iadd", "radd"), _add),
    "batch_norm": _batch_norm,
    "dropout": _dropout,
    "pad": _pad,
    "permute": _permute,
}
"""The rule of each function, by its name without the underscores that mark it as in-place or special."""
