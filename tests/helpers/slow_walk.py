"""Excitation backprop a second time: layer by layer, window by window, in the paper's notation.

``P(a_j) = Σ_i P(a_j|a_i) P(a_i)`` with ``P(a_j|a_i) = a_j W+_ij / Σ_j' a_j' W+_ij'`` (Zhang et al., ECCV
2016, equations 1 and 3). Every layer's input is cut into the windows ``i`` that it reads, and the
probabilities are added up over the windows that a unit ``j`` lies in. Nothing is recorded or differentiated.
"""

from collections.abc import Collection, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.models.googlenet_bvlc import Inception

IDENTITY = (nn.ReLU, nn.LocalResponseNorm, nn.Dropout, nn.Flatten)
Chain = list[tuple[str, nn.Module]]


def winning(module: nn.Module, image: Tensor, classes: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    """The probabilities of the units of some layers, given that each class has won.

    Args:
        module: A chain of layers and inception blocks that ends in a linear classifier.
        image: ``[3, S, S]``.
        classes: ``[K]``.
        layers: Dotted names.

    Returns:
        For each layer ``[2, K, …]``: MWP, and the difference that c-MWP sums and cuts off at 0.
    """
    chain = list(_layers(module))
    inputs = _inputs(chain, image)
    (_, classifier), a = chain[-1], inputs[-1]
    assert isinstance(classifier, nn.Linear)
    p = torch.eye(classifier.out_features, dtype=a.dtype)[classes]
    excited = _linear(classifier.weight.clamp(min=0), a, p)
    p = torch.cat([excited, excited - _linear((-classifier.weight).clamp(min=0), a, p)])
    found: dict[str, Tensor] = {}
    for place in range(len(chain) - 2, -1, -1):
        name, layer = chain[place]
        if name in layers:
            found[name] = p.reshape(2, len(classes), *inputs[place + 1].shape)
            if len(found) == len(layers):
                break
        p = _down(layer, inputs[place], p)
    return found


def _layers(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential):
            yield from _layers(child, f"{prefix}{name}.")
        else:
            yield prefix + name, child


def _inputs(chain: Chain, a: Tensor) -> list[Tensor]:
    """What each layer reads, of one image."""
    inputs = []
    for _, layer in chain:
        inputs.append(a)
        a = layer(a.flatten()) if isinstance(layer, nn.Linear) else layer(a[None].clone())[0]
    return inputs


def _down(layer: nn.Module, a: Tensor, p: Tensor) -> Tensor:
    """From the probabilities ``[S, …]`` of a layer's outputs to those of its input's units ``a``."""
    match layer:
        case nn.Linear():
            return _linear(layer.weight.clamp(min=0), a, p)
        case nn.Conv2d():
            return _convolution(layer, a, p)
        case nn.MaxPool2d():
            return _largest(layer, a, p)
        case nn.AvgPool2d():
            return _average(int(layer.kernel_size), int(layer.stride), a, p)  # type: ignore[arg-type]
        case nn.AdaptiveAvgPool2d():
            window = a.shape[-1] // p.shape[-1]
            assert window * p.shape[-1] == a.shape[-1] == a.shape[-2]
            return _average(window, window, a, p)
        case Inception():
            return _inception(layer, a, p)
    assert isinstance(layer, IDENTITY), f"no rule for {layer}"
    return p.reshape(-1, *a.shape)


def _linear(w: Tensor, a: Tensor, p: Tensor) -> Tensor:
    n = w @ a.flatten()
    share = torch.where(n > 0, p / n, 0) @ w * a.flatten()
    return share.reshape(-1, *a.shape)


def _convolution(layer: nn.Conv2d, a: Tensor, p: Tensor) -> Tensor:
    groups = zip(
        a.chunk(layer.groups),
        layer.weight.clamp(min=0).flatten(1).chunk(layer.groups),
        p.flatten(2).chunk(layer.groups, 1),
        strict=True,
    )
    size, stride, padding = layer.kernel_size, layer.stride, layer.padding
    shares = []
    for part, w, given in groups:
        window = F.unfold(part[None], size, padding=padding, stride=stride)[0]  # type: ignore[arg-type]
        n = w @ window
        each = [window * (w.T @ torch.where(n > 0, signal / n, 0)) for signal in given]
        shares.append(F.fold(torch.stack(each), a.shape[1:], size, padding=padding, stride=stride))  # type: ignore[arg-type]
    return torch.cat(shares, 1)


def _largest(layer: nn.MaxPool2d, a: Tensor, p: Tensor) -> Tensor:
    """All of a window's probability to its largest unit; a border of -inf completes the windows."""
    size, stride, before = (int(x) for x in (layer.kernel_size, layer.stride, layer.padding))  # type: ignore[arg-type]
    (rows, columns), (height, width) = p.shape[2:], a.shape[1:]
    after = [(out - 1) * stride + size - side - before for out, side in ((columns, width), (rows, height))]
    padded = F.pad(a, (before, max(after[0], 0), before, max(after[1], 0)), value=-torch.inf)
    windows = F.unfold(padded[:, None], size, stride=stride)
    winners = F.one_hot(windows.argmax(1), size * size).mT
    whole = _folded(winners, p, padded, size, stride)
    return whole[..., before : before + height, before : before + width]


def _average(size: int, stride: int, a: Tensor, p: Tensor) -> Tensor:
    """A window's probability in proportion to its units: equal weights cancel."""
    windows = F.unfold(a[:, None], size, stride=stride)
    total = windows.sum(1, keepdim=True)
    return _folded(torch.where(total > 0, windows / total, 0), p, a, size, stride)


def _folded(given: Tensor, p: Tensor, a: Tensor, size: int, stride: int) -> Tensor:
    """``Σ_i P(a_j|a_i) P(a_i)`` of pooling: ``given`` is ``[C, units of a window, windows]``."""
    each = [
        F.fold(given * signal[:, None], a.shape[1:], size, stride=stride)[:, 0] for signal in p.flatten(2)
    ]
    return torch.stack(each)


def _inception(block: Inception, a: Tensor, p: Tensor) -> Tensor:
    """Each of the four branches gets the channels that it made; what they give their common input adds up."""
    branches = (("1x1",), ("3x3_reduce", "3x3"), ("5x5_reduce", "5x5"), ("pool", "pool_proj"))
    total, start = torch.zeros(len(p), *a.shape, dtype=a.dtype), 0
    for names in branches:
        chain: Chain = []
        for name in names:
            chain += [(name, block.get_submodule(name))] + [("relu", nn.ReLU())] * (name != "pool")
        inputs = _inputs(chain, a)
        channels = getattr(block, names[-1]).out_channels
        share = p[:, start : start + channels]
        for (_, layer), given in zip(reversed(chain), reversed(inputs), strict=True):
            share = _down(layer, given, share)
        total, start = total + share, start + channels
    assert start == p.shape[1]
    return total
