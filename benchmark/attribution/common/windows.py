"""Covered images in the first layers of a network, where a small square changes little.

Layers that look at a neighbourhood are applied to the windows that a square changes alone, and the rest of
each map is that of the image before. The numbers are those of whole covered images, since each is the same
sum over the same terms; libraries may add the terms of another size in another order.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.attribution.common.occluded import Grid

_CELL_BY_CELL = (nn.ReLU, nn.Dropout, nn.Identity, nn.BatchNorm2d)
_LARGEST = 0.5  # share of a map's cells above which the whole map is computed


class Window(NamedTuple):
    """A layer, and the windows of its output that hold all that the squares of a grid change.

    Attributes:
        layer: A module whose output cell depends on a neighbourhood of input cells.
        kernel: Side of the neighbourhood; 1 for a layer that works cell by cell.
        stride: Input cells from an output cell to the next.
        padding: Cells beyond the border of the input.
        cells: Side of the output.
        side: Side of a window, cells of the output.
        starts: First cell of the window along one axis, for each start of the grid.
    """

    layer: nn.Module
    kernel: int
    stride: int
    padding: int
    cells: int
    side: int
    starts: Sequence[int]

    @property
    def wide(self) -> bool:
        """Return whether the layer's windows differ from those of the layer before."""
        return (self.kernel, self.stride, self.padding) != (1, 1, 0)

    @property
    def needed(self) -> int:
        """Return the side of what the layer reads for a window, cells of its padded input."""
        return (self.side - 1) * self.stride + self.kernel

    @property
    def whole(self) -> int:
        """Return the side of what the layer reads for its whole output, cells of its padded input."""
        return (self.cells - 1) * self.stride + self.kernel


def windows(network: nn.Module, grid: Grid) -> list[Window]:
    """Return the first layers of a network for which windows are worth it; none if it is no plain chain.

    Layers with hooks end the chain, since hooks are to see whole images.
    """
    found: list[Window] = []
    cells, side = grid.size, grid.patch
    starts = [min(start, grid.size - grid.patch) for start in grid.starts]
    for layer in _chain(network):
        shape = _neighbourhood(layer)
        if shape is None:
            break
        kernel, stride, padding = shape
        ceil = bool(getattr(layer, "ceil_mode", False))
        before, cells = cells, _cells(cells, shape, ceil)
        spans = [_touched(start, side, shape, cells) for start in starts]
        side = max(last - first + 1 for first, last in spans)
        starts = [min(first, cells - side) for first, _ in spans]
        window = Window(layer, kernel, stride, padding, cells, side, starts)
        if side < 1 or min(starts) < 0 or window.needed**2 > _LARGEST * before**2:
            break
        found.append(window)
    convolved = bool(found) and isinstance(found[0].layer, nn.Conv2d)  # which writes nothing in place
    return found if convolved else []


class Windowed:
    """A network that is shown covered images, windows of them in its first layers.

    Args:
        network: Of which :func:`windows` made ``first``.
        first: Its first layers.
        inputs: ``[N, 3, S, S]``, kept and never changed.
        instead: ``[N, 3, S, S]``, what the covered squares show.
        grid: The squares.
    """

    def __init__(
        self, network: nn.Module, first: Sequence[Window], inputs: Tensor, instead: Tensor, grid: Grid
    ) -> None:
        self._first, self._rest = first, list(_chain(network))[len(first) :]
        self._inputs, self._instead, self._grid = inputs, instead, grid
        self._before: dict[int, list[Tensor]] = {}

    def scores(self, part: range) -> Tensor:
        """Return the network's output for ``part`` of ``range(N * grid.positions)``, one square a row."""
        across, side = len(self._grid.starts), self._grid.patch
        owners = [number // self._grid.positions for number in part]
        places = [divmod(number % self._grid.positions, across) for number in part]
        self._before = {i: self._before.get(i) or self._uncovered(i) for i in dict.fromkeys(owners)}
        content = self._squares(owners, places)
        at = _cells_at([min(start, self._grid.size - side) for start in self._grid.starts], places)
        for number, window in enumerate(self._first):
            to = _cells_at(window.starts, places)
            if window.wide:
                corners = [(window.stride * y, window.stride * x) for y, x in to]
                inside = [(y + window.padding, x + window.padding) for y, x in at]
                around = _cut([self._before[owner][number] for owner in owners], corners, window.needed)
                content = _with(around, content, corners, inside)
            content, at = _applied(window, content), to
        whole, origin = [self._before[owner][-1] for owner in owners], [(0, 0)] * len(part)
        shown = _with(_cut(whole, origin, whole[0].shape[-1]), content, origin, at)
        for layer in self._rest:
            shown = layer(shown)
        return shown

    def _uncovered(self, image: int) -> list[Tensor]:
        """Return the padded input ``[C, h, w]`` of each of the first layers, and the output of the last."""
        one, found = self._inputs[image : image + 1], []
        maps = torch.cat((one, one))  # an image alone may be given to other kernels, which round otherwise
        for window in self._first:
            after = window.whole - window.padding - maps.shape[-1]  # where pooling rounds down, below 0
            beyond = -torch.inf if isinstance(window.layer, nn.MaxPool2d) else 0.0
            sides = (window.padding, max(after, 0)) * 2
            found.append(F.pad(maps, sides, value=beyond)[0] if window.wide else maps[0])
            maps = window.layer(maps)
        return [*found, maps[0]]

    def _squares(self, owners: Sequence[int], places: Sequence[tuple[int, int]]) -> Tensor:
        """Return the windows of the covered images: each a square, moved inward where it is cut off."""
        side, begins = self._grid.patch, self._grid.starts
        last = self._grid.size - side
        corners = [(min(begins[y], last), min(begins[x], last)) for y, x in places]
        content = _cut([self._inputs[owner] for owner in owners], corners, side)
        for row, owner, (y, x), (top, left) in zip(content, owners, places, corners, strict=True):
            covered = self._instead[owner, :, begins[y] : top + side, begins[x] : left + side]
            row[:, begins[y] - top :, begins[x] - left :] = covered
        return content


def _chain(network: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers of nested chains one after the other; anything else as it is."""
    hooked = network._forward_hooks or network._forward_pre_hooks
    if type(network) is nn.Sequential and not hooked:
        for part in network:
            yield from _chain(part)
    else:
        yield network


def _neighbourhood(layer: nn.Module) -> tuple[int, int, int] | None:
    """Return kernel, stride and padding of a layer, each the same along both axes; else ``None``."""
    if layer._forward_hooks or layer._forward_pre_hooks or layer.training:
        return None
    if getattr(layer, "running_mean", layer) is None:  # normalises by the batch that it sees
        return None
    if type(layer) in _CELL_BY_CELL or isinstance(layer, nn.LocalResponseNorm):
        return 1, 1, 0
    convolves = type(layer) is nn.Conv2d and layer.padding_mode == "zeros"
    if not convolves and not (type(layer) is nn.MaxPool2d and not layer.return_indices):
        return None
    sizes = [_square(getattr(layer, name)) for name in ("kernel_size", "stride", "padding", "dilation")]
    kernel, stride, padding, dilation = sizes
    if kernel is None or stride is None or padding is None or dilation != 1:
        return None
    return kernel, stride, padding


def _square(size: object) -> int | None:
    if isinstance(size, int):
        return size
    return size[0] if isinstance(size, tuple) and len(set(size)) == 1 else None


def _cells(cells: int, shape: tuple[int, int, int], ceil: bool) -> int:
    """Return the side of a layer's output; where it rounds up, no window may begin beyond the input."""
    kernel, stride, padding = shape
    reach = cells + 2 * padding - kernel
    if not ceil:
        return reach // stride + 1
    count = -(-reach // stride) + 1
    return count - ((count - 1) * stride >= cells + padding)


def _cells_at(starts: Sequence[int], places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(starts[y], starts[x]) for y, x in places]


def _touched(start: int, side: int, shape: tuple[int, int, int], cells: int) -> tuple[int, int]:
    """Return the first and last output cell whose neighbourhood meets ``side`` input cells from ``start``."""
    kernel, stride, padding = shape
    first, last = -((kernel - 1 - padding - start) // stride), (start + side - 1 + padding) // stride
    return max(first, 0), min(last, cells - 1)


def _applied(window: Window, content: Tensor) -> Tensor:
    """Apply a layer to windows that bring their padding."""
    layer = window.layer
    if isinstance(layer, nn.Conv2d):
        return F.conv2d(content, layer.weight, layer.bias, layer.stride, 0, 1, layer.groups)
    if isinstance(layer, nn.MaxPool2d):
        return F.max_pool2d(content, window.kernel, window.stride)
    applied: Tensor = layer(content)
    return applied


def _cut(maps: Sequence[Tensor], corners: Sequence[tuple[int, int]], side: int) -> Tensor:
    """Cut a window of ``side`` cells out of each ``[C, h, w]``, in the maps' own memory format."""
    first = maps[0]
    last = first.stride(0) == 1 and len(first) > 1
    rows = first.new_empty((len(maps), len(first), side, side))
    rows = rows.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
    for row, one, (y, x) in zip(rows, maps, corners, strict=True):
        row.copy_(one[:, y : y + side, x : x + side])
    return rows


def _with(
    rows: Tensor, content: Tensor, corners: Sequence[tuple[int, int]], inside: Sequence[tuple[int, int]]
) -> Tensor:
    """Write windows of content into rows, as far as they lie in them.

    Args:
        rows: ``[B, C, side, side]``, changed in place.
        content: ``[B, C, s, s]``.
        corners: First cell of each row on a map.
        inside: First cell of each content on the same map.
    """
    for row, one, (top, left), (y, x) in zip(rows, content, corners, inside, strict=True):
        (to_y, from_y), (to_x, from_x) = _overlap(row, one, y - top), _overlap(row, one, x - left)
        row[:, to_y, to_x] = one[:, from_y, from_x]
    return rows


def _overlap(row: Tensor, one: Tensor, offset: int) -> tuple[slice, slice]:
    first = min(max(offset, 0), row.shape[-1])
    last = max(min(offset + one.shape[-1], row.shape[-1]), first)
    if first == last:  # a stride passes over all of the content
        return slice(0, 0), slice(0, 0)
    return slice(first, last), slice(first - offset, last - offset)
