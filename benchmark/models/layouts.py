"""Find which axes of a layer's output are channels, rows and columns, by what follows the image.

A shape does not tell: ``[N, 768, 7, 7]`` of a convolution, ``[N, 7, 7, 768]`` of a Swin transformer and
``[N, 4, 49, 768]`` of windows of tokens all have four axes, and sizes can be equal. So each half of an image
of noise is changed in turn, and it is seen along which axis the output changes.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from benchmark.core.targets import PROBE, bound
from benchmark.core.types import Model

Axes = tuple[int, int, int, int]
"""The permutation that turns a layer's output into ``[N, C, h, w]``."""
IN_ORDER: Axes = (0, 1, 2, 3)
"""Of an output that is ``[N, C, h, w]`` already."""

# On all 2,884 layers with maps of 20 convolutional networks (torchvision's at random, the embedded ones as
# trained, BVLC's GoogLeNet) rows and columns leaned alike, and channels at most four times as much. Only a
# layout that is out of order has to be clear beyond doubt: of tokens and windows, one axis leans, or none.
_IN_ORDER_BEYOND = 0.25  # share of the strongest lean that the weaker of rows and columns has at least
_TURNED_BEYOND, _CHANNELS_BELOW, _LEAST = 0.5, 0.5, 0.05
_TRIES = 5

_known: WeakKeyDictionary[nn.Module, dict[str, Axes | None]] = WeakKeyDictionary()


def map_axes(model: Model, names: Collection[str], size: int) -> Mapping[str, Axes | None]:
    """Return the permutations that turn the outputs of layers into maps; each layer is looked at once.

    Args:
        model: A model in evaluation mode.
        names: Dotted names of the layers.
        size: Side of the network's input, pixels.

    Returns:
        Each layer's permutation, or ``None`` where the output has no axes that follow the image's rows and
        columns, as tokens have, or where the layer returns no tensor or does not run. Maps of one cell, and
        maps that do not depend on the image or are not finite, are in order.
    """
    known = _known.setdefault(model.module, {})
    unclear = [name for name in names if name not in known]
    moved: dict[str, list[Tensor]] = {}
    for seed in range(_TRIES if unclear else 0):
        outputs = _outputs(model, unclear, size, seed)
        for name, output in outputs.items():
            earlier = moved.get(name, [torch.zeros(())] * 12)
            moved[name] = [before + now for before, now in zip(earlier, _moved(output), strict=True)]
        unclear = [name for name in outputs if not _in_order(moved[name])]
        if not unclear:
            break
    known.update({name: None for name in names if name not in known})
    known.update({name: IN_ORDER if name not in unclear else _turned(moved[name]) for name in moved})
    return {name: known[name] for name in names}


def noise(model: Model, count: int, size: int, seed: int = 0) -> Tensor:
    """Return seeded images of noise ``[count, 3, size, size]``, as the model takes them and on its device."""
    form, generator = model.input, torch.Generator().manual_seed(seed)
    pixels = 255 * torch.rand((count, 3, size, size), generator=generator)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (form.mean, form.std))
    return ((form.scale * pixels - mean) / std).to(next(model.module.parameters(), pixels))


def _outputs(model: Model, names: Collection[str], size: int, seed: int) -> dict[str, Tensor]:
    """Return the outputs with four axes for two images, and for the first with halves of the second."""
    images = noise(model, 2, size, seed)[[0, 1, 0, 0]]
    images[2, :, : size // 2] = images[1, :, : size // 2]
    images[3, :, :, : size // 2] = images[1, :, :, : size // 2]
    found: dict[str, Tensor] = {}
    awaited = set(names)

    def keep(name: str, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and len(output) == len(images):
            found[name] = output.detach().float().cpu()
        awaited.discard(name)
        if not awaited:
            raise _SeenError

    with torch.inference_mode(False), torch.no_grad(), suppress(_SeenError), ExitStack() as stack:
        for name in names:
            hook = lambda _module, _args, output, name=name: keep(name, output)  # noqa: E731
            stack.enter_context(model.module.get_submodule(name).register_forward_hook(hook))
        stack.enter_context(bound(model.module, [PROBE] * len(images)))
        model.module(images)
    return found


class _SeenError(Exception):
    """The end of a pass whose rest nobody needs."""


def _moved(output: Tensor) -> Iterator[Tensor]:
    """Return how much the indices of each axis change with the upper, lower, left and right half."""
    first, second, upper, left = output
    for changed, half in ((upper, first), (upper, second), (left, first), (left, second)):
        difference = (changed - half).abs()
        for axis in range(3):
            yield difference.sum([other for other in range(3) if other != axis])


def _in_order(moved: list[Tensor]) -> bool:
    """Return whether the last two axes follow the rows and the columns, or nothing tells otherwise."""
    totals = torch.stack([change.sum() for change in moved])
    if len(moved[1]) == len(moved[2]) == 1 or not totals.any() or not totals.isfinite().all():
        return True
    leans = _leans(moved)
    return min(leans[1], -leans[2]) > _IN_ORDER_BEYOND * max(map(abs, leans))


def _turned(moved: list[Tensor]) -> Axes | None:
    """Return the permutation, if what changed tells it clearly."""
    leans = _leans(moved)
    row, column = leans.index(max(leans)), leans.index(min(leans))
    channel = 3 - row - column
    weaker, stronger = sorted((leans[row], -leans[column]))
    clear = weaker > max(_TURNED_BEYOND * stronger, _LEAST)
    if row == column or not clear or abs(leans[channel]) > _CHANNELS_BELOW * weaker:
        return None
    return 0, 1 + channel, 1 + row, 1 + column


def _leans(moved: list[Tensor]) -> list[float]:
    """Return how much more each axis changes in its first half with the upper half than with the lower.

    What it does with the left and right half is taken off: rows give up to 1, columns down to -1,
    and channels nearly 0.
    """
    upper, lower, left, right = (list(map(_lean, moved[start : start + 3])) for start in range(0, 12, 3))
    return [(up - down - le + ri) / 2 for up, down, le, ri in zip(upper, lower, left, right, strict=True)]


def _lean(change: Tensor) -> float:
    """Return the share of the change that lies in the first half of an axis, less that in the second."""
    half = len(change) // 2
    difference = change[:half].sum() - change[len(change) - half :].sum()
    return float(difference / change.sum().clamp(min=torch.finfo(change.dtype).tiny))
