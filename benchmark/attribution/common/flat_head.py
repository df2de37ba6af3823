"""The first linear layer of a head that flattens its maps, as AlexNet's and VGG's fc6.

Between the maps and that layer each cell of a channel gets its share of the gradient from cells of the same
channel, and none is lost: max pooling hands a cell's gradient on to one, adaptive average pooling divides it.
So the sum over a channel's cells is the same before and after, and needs the layer's weights summed over
cells alone, which is a small matrix where the layer's own is the largest of the network.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, Node

from benchmark.attribution.common.derived import derived
from benchmark.core.types import ForwardPass, Model

_LINEAR = ("AddmmBackward0", "MmBackward0")
_FLATTEN = ("ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0")
_KEEPS_SUMS = ("CloneBackward0", "MaxPool2DWithIndicesBackward0", "AdaptiveAvgPool2DBackward0", *_FLATTEN)


class FlatHead(NamedTuple):
    """Where the head's linear part begins.

    Attributes:
        output: Edge of the graph at which the gradient of the layer's output arrives.
        weight: ``[O, C]``, the layer's weights summed over the cells of each channel, in ``dtype``.
    """

    output: GradientEdge
    weight: Tensor


def flat_head(model: Model, forward: ForwardPass, maps: Tensor, dtype: torch.dtype) -> FlatHead | None:
    """Return the linear layer that reads the flattened maps, ``None`` where the head is of another kind.

    Args:
        model: The model that made the forward pass.
        forward: Its graph is looked at.
        maps: ``[N, C, h, w]``, recorded activations.
        dtype: In which the weights are summed.
    """
    node, goal = forward.logits.grad_fn, maps.grad_fn
    found: Node | None = None
    cells = 0
    while node is not None and node is not goal and getattr(node, "variable", None) is not maps:
        if node.name() in _LINEAR:
            found, cells = node, 0
        elif node.name() in _FLATTEN and not cells:
            cells = _cells(node, maps)
        elif node.name() not in _KEEPS_SUMS or not cells:
            found = None
        node = _only(node)
    if node is None or found is None:
        return None
    parameter = _parameter(model.module, found._saved_mat2)  # type: ignore[attr-defined]
    if parameter is None or cells < 2 or parameter.shape[1] != cells * maps.shape[1]:
        return None
    weight = derived(parameter, f"cells in {dtype}", lambda w: w.view(len(w), -1, cells).sum(2, dtype=dtype))
    return FlatHead(GradientEdge(found, 0), weight)


def _only(node: Node) -> Node | None:
    """Return what a node's one gradient goes to; ``None`` at a fork."""
    after = [following for following, _ in node.next_functions if following is not None]
    return after[0] if len(after) == 1 else None


def _cells(view: Node, maps: Tensor) -> int:
    """Return the number of cells of a channel that a view flattens, 0 if it is no such view."""
    before: tuple[int, ...] = getattr(view, "_saved_self_sym_sizes", ())
    fits = len(before) == 4 and before[:2] == maps.shape[:2]
    return math.prod(before[2:]) if fits else 0


def _parameter(module: nn.Module, used: Tensor) -> Tensor | None:
    """Return the weight of the linear layer whose transpose was used."""
    for part in module.modules():
        if isinstance(part, nn.Linear) and part.weight.data_ptr() == used.data_ptr():
            return part.weight if part.weight.shape == used.T.shape else None
    return None
