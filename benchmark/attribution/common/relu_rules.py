"""Gradients down to the pixels with another rule at every ReLU, through the graph of a shared forward pass.

No module is replaced: the rule is hooked on the nodes that ReLUs have left in the autograd graph, whoever
called them (a module, a function, in place or not, once or twice), and only while one class is
differentiated. A node that acts like a ReLU without being one, or into which nobody can look, is refused by
its name.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.utils.hooks import RemovableHandle

from benchmark.core.errors import UserError
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT, one_hot

Rule = Callable[[Node], RemovableHandle]
"""Hooks a ReLU's node; the handle takes the hook away again on leaving a ``with`` block."""


def guided(relu: Node) -> RemovableHandle:
    """``R = g`` where the ReLU's input is positive and ``g > 0``; 0 elsewhere (Springenberg et al., §3).

    What arrives is cut at 0, and the ReLU's own derivative does the rest.
    """
    return relu.register_prehook(_positive)


def deconvolved(relu: Node) -> RemovableHandle:
    """``R = g`` where ``g > 0``, whatever the ReLU's input; 0 elsewhere (Zeiler and Fergus, §2.1)."""
    return relu.register_hook(lambda _derived, arriving: _positive(arriving))


def input_gradients(model: Model, forward: ForwardPass, classes: Tensor, rule: Rule) -> Iterator[Tensor]:
    """What reaches the network's input from each class's pre-softmax score, the rule at every ReLU.

    One class after the other: the graph of one class at a time is what fits into memory. Between two of them
    no hook is set, so that other methods may differentiate the same graph.

    Args:
        model: Whose pass it is; for its name and its parts.
        forward: A pass with ``"input"`` recorded.
        classes: ``[N, K]`` int64 output indices.
        rule: :func:`guided` or :func:`deconvolved`.

    Returns:
        ``[N, 3, S, S]``, signed, in the input's channel order, ``K`` times; made as they are asked for.

    Raises:
        UserError: Where the model rectifies with anything but a ReLU that can be reached.
    """
    relus = _relus(model, forward)
    return (_ruled(forward, pick, relus, rule) for pick in one_hot(forward.logits, classes))


def _ruled(forward: ForwardPass, pick: Tensor, relus: Sequence[Node], rule: Rule) -> Tensor:
    with ExitStack() as hooks:
        for relu in relus:
            hooks.enter_context(rule(relu))
        image = forward.activations[INPUT]
        (signal,) = torch.autograd.grad(forward.logits, image, pick, retain_graph=True)
    return signal.to(torch.promote_types(signal.dtype, torch.float32))


def reduction(name: str) -> Callable[[Tensor], Tensor]:
    """How ``[N, 3, S, S]`` becomes ``[N, S, S]``.

    ``max_abs``: the largest absolute value of the channels, as for Backprop; ``sum_abs``: the sum of them;
    ``sum_positive``: the sum of what is positive; ``sum``: the signed sum.

    Raises:
        UserError: For any other name.
    """
    if name not in _REDUCTIONS:
        raise UserError(f"method.reduction={name}: choose {', '.join(_REDUCTIONS)}")
    return _REDUCTIONS[name]


_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "max_abs": lambda signal: signal.abs().amax(1),
    "sum_abs": lambda signal: signal.abs().sum(1),
    "sum_positive": lambda signal: signal.clamp(min=0).sum(1),
    "sum": lambda signal: signal.sum(1),
}


def _positive(signals: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    return tuple(None if signal is None else signal.clamp(min=0) for signal in signals)


def _relus(model: Model, forward: ForwardPass) -> list[Node]:
    """The nodes of every ReLU between the scores and the input."""
    for name, part in model.module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            raise _refusal(model, f"the scripted module {name or type(part).__name__} hides what it does")
    found = []
    for node in _nodes(forward.logits.grad_fn):
        kind = _KIND.match(node.name())
        if kind is None and node.name() not in _TRANSPARENT:
            raise _refusal(model, f"{node.name()}{_HIDING.get(node.name(), '')} hides what it does")
        if kind and kind[1].startswith(_RECTIFIERS):
            raise _refusal(model, f"{node.name()} may rectify and is no ReLU")
        if kind and kind[1] == "Relu":
            found.append(node)
    return found


def _nodes(start: Node | None) -> list[Node]:
    """A graph's nodes. They are kept until all are found, since only what is kept is recognised again."""
    seen = {} if start is None else {start: None}
    waiting = list(seen)
    while waiting:
        for node, _ in waiting.pop().next_functions:
            if node is not None and node not in seen:
                seen[node] = None
                waiting.append(node)
    return list(seen)


def _refusal(model: Model, reason: str) -> UserError:
    remedy = "write it with nn.ReLU or F.relu on a whole tensor, or choose method=backprop"
    return UserError(f"model {model.name}: no rule can be set at every ReLU: {reason}; {remedy}")


_KIND = re.compile(r"(\w+)Backward\d+$")
"""A node of torch's own operations; others belong to custom functions, scripts and in-place views."""
_TRANSPARENT = ("torch::autograd::AccumulateGrad", "torch::autograd::CopyBackwards")
_HIDING = {"torch::autograd::CopySlices": " (an in-place operation on a view)"}
_RECTIFIERS = (
    *("Clamp", "Fmax", "Hardtanh", "IndexPut", "MaskedFill", "Maximum", "Threshold", "Where"),
    *("LeakyRelu", "PreluKernel", "RreluWithNoise", "Elu", "Celu", "Silu", "Gelu", "Glu", "Mish"),
    *("Hardswish", "Softplus", "Softshrink", "Hardshrink", "CudnnRnn", "MkldnnRnn"),
)
"""How the names of operations begin that cut at a threshold, or may, and are no ReLU."""
