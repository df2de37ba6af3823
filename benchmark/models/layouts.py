"""Find which axes of a layer's output are channels, rows and columns, by what follows the image.

A shape does not tell: ``[N, 768, 7, 7]`` of a convolution, ``[N, 7, 7, 768]`` of a Swin transformer and
``[N, 4, 49, 768]`` of windows of tokens all have four axes, and sizes can be equal. So each half of an image
of noise is changed in turn, and it is seen along which axis the output changes. Tokens ``[N, T, C]`` of a
vision transformer are the cells of a grid, row by row, after a few that belong to no place.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from math import isqrt
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.targets import PROBE, bound
from benchmark.core.types import Model

Axes = tuple[int, int, int, int]
"""The permutation that turns a layer's output into ``[N, C, h, w]``."""
IN_ORDER: Axes = (0, 1, 2, 3)
"""Of an output that is ``[N, C, h, w]`` already."""


class GridTokens(NamedTuple):
    """The layout of tokens ``[N, T, C]``: class and register tokens, then the cells of a grid row by row."""

    besides: int


Layout = Axes | GridTokens

# On all 2,884 layers with maps of 20 convolutional networks (torchvision's at random, the embedded ones as
# trained, BVLC's GoogLeNet) rows and columns leaned alike, and channels at most four times as much. Only a
# layout that is out of order has to be clear beyond doubt: of tokens and windows, one axis leans, or none.
_IN_ORDER_BEYOND = 0.25  # share of the strongest lean that the weaker of rows and columns has at least
_TURNED_BEYOND, _CHANNELS_BELOW, _LEAST = 0.5, 0.5, 0.05
_TRIES = 5
_MOST_BESIDES = 16  # tokens without a place: a class token, one of distillation, up to eight registers

_known: WeakKeyDictionary[nn.Module, dict[str, Layout | None]] = WeakKeyDictionary()


def map_axes(model: Model, names: Collection[str], size: int | Sequence[int]) -> Mapping[str, Layout | None]:
    """Return how the outputs of layers are turned into maps; each layer is looked at once.

    Args:
        model: A model in evaluation mode.
        names: Dotted names of the layers.
        size: Side of the network's input, or its height and width, pixels.

    Returns:
        Each layer's permutation, or the number of tokens before those of a grid; ``None`` where the output
        has no axes that follow the image's rows and columns, as windows of tokens have, or where the layer
        returns no tensor or does not run. Maps of one cell, and maps that do not depend on the image or are
        not finite, are in order.
    """
    known = _known.setdefault(model.module, {})
    unclear = [name for name in names if name not in known]
    moved: dict[str, list[Tensor]] = {}
    besides: dict[str, GridTokens] = {}
    for seed in range(_TRIES if unclear else 0):
        outputs = _outputs(model, unclear, size, seed, besides)
        for name, output in outputs.items():
            earlier = moved.get(name, [torch.zeros(())] * 12)
            moved[name] = [before + now for before, now in zip(earlier, _moved(output), strict=True)]
        unclear = [name for name in outputs if not _in_order(moved[name])]
        if not unclear:
            break
    known.update({name: None for name in names if name not in known})
    for name, changes in moved.items():
        if name in besides:
            known[name] = besides[name] if _follows(changes) else None
        else:
            known[name] = IN_ORDER if name not in unclear else _turned(changes)
    return {name: known[name] for name in names}


def token_grid(count: int, size: Sequence[int]) -> tuple[int, int, int] | None:
    """Return how many of an image's tokens have no place, and the rows and columns of the others.

    A grid has the shape of the image, and at most 16 tokens stand before it: 197 tokens of a square image
    are a class token and 14 x 14 cells. ``None`` where there is no such grid of more than one cell.

    Args:
        count: Number of tokens.
        size: Height and width of the network's input, pixels.
    """
    high, wide = size
    for cells in range(count, max(count - _MOST_BESIDES, 2) - 1, -1):
        rows = isqrt(cells * high // wide)
        if rows and cells % rows == 0 and rows * wide == cells // rows * high:
            return count - cells, rows, cells // rows
    return None


def as_maps(output: Tensor, layout: Layout, size: Sequence[int]) -> Tensor:
    """Return a layer's output as maps ``[N, C, h, w]``, for an input of ``size`` (height, width)."""
    if not isinstance(layout, GridTokens):
        return output if layout == IN_ORDER else output.permute(layout)
    grid = token_grid(output.shape[1] - layout.besides, size)
    if grid is None or grid[0]:
        raise UserError(f"{output.shape[1]} tokens are no grid of an input of {size[0]} x {size[1]} pixels")
    placed = output[:, layout.besides :].transpose(1, 2)
    return placed.reshape(*placed.shape[:2], *grid[1:])


def as_output(maps: Tensor, layout: Layout, output: Tensor) -> Tensor:
    """Undo :func:`as_maps`; tokens without a place are those of ``output``."""
    if not isinstance(layout, GridTokens):
        return maps if layout == IN_ORDER else maps.permute([layout.index(axis) for axis in range(4)])
    placed = maps.flatten(2).transpose(1, 2)
    return torch.cat([output[:, : layout.besides], placed], 1) if layout.besides else placed


def noise(model: Model, count: int, size: int | Sequence[int], seed: int = 0) -> Tensor:
    """Return seeded images of noise ``[count, 3, H, W]``, as the model takes them and on its device."""
    form, generator = model.input, torch.Generator().manual_seed(seed)
    pixels = 255 * torch.rand((count, 3, *_both(size)), generator=generator)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (form.mean, form.std))
    return ((form.scale * pixels - mean) / std).to(next(model.module.parameters(), pixels))


def _both(size: int | Sequence[int]) -> Sequence[int]:
    return (size, size) if isinstance(size, int) else size


def _outputs(
    model: Model,
    names: Collection[str],
    size: int | Sequence[int],
    seed: int,
    besides: dict[str, GridTokens],
) -> dict[str, Tensor]:
    """Return the outputs with four axes for two images, and for the first with halves of the second.

    Tokens of a grid are turned into such, and noted in ``besides``.
    """
    images, (high, wide) = noise(model, 2, size, seed)[[0, 1, 0, 0]], _both(size)
    images[2, :, : high // 2] = images[1, :, : high // 2]
    images[3, :, :, : wide // 2] = images[1, :, :, : wide // 2]
    found: dict[str, Tensor] = {}
    awaited = set(names)

    def keep(name: str, output: object) -> None:
        if isinstance(output, Tensor) and len(output) == len(images):
            grid = token_grid(output.shape[1], (high, wide)) if output.ndim == 3 else None
            if grid:
                besides[name] = GridTokens(grid[0])
                output = as_maps(output, besides[name], (high, wide))
            if output.ndim == 4:
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


def _follows(moved: list[Tensor]) -> bool:
    """Return whether the last two axes follow rows and columns at all, though all tokens may look at all."""
    leans = _leans(moved)
    return not torch.stack([change.sum() for change in moved]).any() or min(leans[1], -leans[2]) > _LEAST


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
