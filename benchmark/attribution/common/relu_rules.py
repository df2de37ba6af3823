"""Gradients of the input with another rule at every ReLU, through the graph of a shared forward pass.

No module is replaced: the rule is hooked on the nodes that ReLUs have left in the autograd graph, whoever
called them (a module, a function, in place or not, once or twice), and only while one class is
differentiated. A node that acts like a ReLU without being one, or whose operations cannot be seen, is
refused by its name.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.utils.hooks import RemovableHandle

from benchmark.attribution.common.each_class import each_class
from benchmark.attribution.common.method import InputMethod
from benchmark.core.errors import UserError
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import INPUT

Reduction = Literal["max_abs", "sum_abs", "sum_positive", "sum"]
"""How the colour channels become one map; see :func:`reduction`."""
Rule = Callable[[Node], RemovableHandle]
"""Sets a hook on a ReLU's node; the returned handle removes it on leaving a ``with`` block."""


@dataclass(frozen=True)
class RectifiedGradient(InputMethod):
    """The gradient of a class's score at the input, with another rule at every ReLU.

    Attributes:
        reduction: How the colour channels become one map (:func:`reduction`); the Grad-CAM paper, which ranks
            such maps, does not say (protocol §6.2).
    """

    reduction: Reduction = "max_abs"
    rule: ClassVar[Rule]

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, S, S]`` at the input's resolution; signed if the reduction is ``sum``."""
        flat = reduction(self.reduction)
        signals = input_gradients(model, forward, classes, type(self).rule)
        return torch.stack([flat(signal) for signal in signals], 1)


def guided(relu: Node) -> RemovableHandle:
    """Set guided backprop's rule: pass ``g`` where it and the ReLU's input are positive, else 0.

    The arriving gradient is cut at 0, and the ReLU's own derivative does the rest. Source: Springenberg et
    al., §3.
    """
    return relu.register_prehook(_positive)


def deconvolved(relu: Node) -> RemovableHandle:
    """Set deconvnet's rule: pass ``g`` where it is positive, whatever the ReLU's input, else 0.

    Source: Zeiler and Fergus, §2.1.
    """
    return relu.register_hook(lambda _derived, arriving: _positive(arriving))


def input_gradients(model: Model, forward: ForwardPass, classes: Tensor, rule: Rule) -> Iterator[Tensor]:
    """Return the gradient of each class's pre-softmax score at the input, with the rule at every ReLU.

    One class is differentiated after the other, since only the graph of one class at a time fits into
    memory. Between two of them no hook is set, so that other methods may differentiate the same graph.

    Args:
        model: The model that made the forward pass.
        forward: A forward pass with ``"input"`` recorded.
        classes: ``[N, K]`` int64 output indices.
        rule: :func:`guided` or :func:`deconvolved`.

    Returns:
        An iterator over ``K`` tensors ``[N, 3, S, S]``, signed, in the input's channel order.

    Raises:
        UserError: If the model rectifies with anything but a ReLU that can be reached.
    """
    relus = _relus(model, forward)
    return each_class(forward.logits, classes, lambda signal: _ruled(forward, signal, relus, rule))


def _ruled(forward: ForwardPass, pick: Tensor, relus: Sequence[Node], rule: Rule) -> Tensor:
    with ExitStack() as hooks:
        for relu in relus:
            hooks.enter_context(rule(relu))
        image = forward.activations[INPUT]
        (signal,) = torch.autograd.grad(forward.logits, image, pick, retain_graph=True)
    return signal.to(torch.promote_types(signal.dtype, torch.float32))


def reduction(name: Reduction) -> Callable[[Tensor], Tensor]:
    """Return the function of this name that reduces the colour channels, ``[N, 3, S, S]`` to ``[N, S, S]``.

    ``max_abs`` is the largest absolute value of the channels, as for Backprop; ``sum_abs`` the sum of the
    absolute values; ``sum_positive`` the sum of the positive values; ``sum`` the signed sum.
    """
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
    """Return the graph nodes of every ReLU between the scores and the input."""
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
    """Return all nodes of a graph, kept alive until all are found so that each is recognised again."""
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
"""Names of the nodes of torch's own operations; others are custom functions, scripts and in-place views."""
_TRANSPARENT = ("torch::autograd::AccumulateGrad", "torch::autograd::CopyBackwards")
_HIDING = {"torch::autograd::CopySlices": " (an in-place operation on a view)"}
_RECTIFIERS = (
    *("Clamp", "Fmax", "Hardtanh", "IndexPut", "MaskedFill", "Maximum", "Threshold", "Where"),
    *("LeakyRelu", "PreluKernel", "RreluWithNoise", "Elu", "Celu", "Silu", "Gelu", "Glu", "Mish"),
    *("Hardswish", "Softplus", "Softshrink", "Hardshrink", "CudnnRnn", "MkldnnRnn"),
)
"""Beginnings of the names of operations that cut, or may cut, at a threshold without being a ReLU."""
