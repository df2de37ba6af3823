"""Many copies of images, each with another square covered, made by writing little more than the squares."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


def at_once(batch: int | None, device: torch.device) -> int:
    """How many changed images one forward pass is given: ``batch``, or what suits the device.

    A CPU is given 8: measured on one core, 64 at once take 1.3 times (BVLC GoogLeNet) and 2 times (compact
    VGG-16) as long an image, as their activations leave the caches. Other devices need 64 to be kept busy.
    """
    if batch is not None:
        return batch
    return 8 if device.type == "cpu" else 64


class Grid(NamedTuple):
    """Squares of ``patch`` pixels at ``0, stride, 2 stride, …`` along both axes of an input of ``size``.

    There are ``ceil((size - patch) / stride) + 1`` along each axis, row by row; the last is cut off at the
    border. ``1 <= stride <= patch <= size``, so that each pixel is covered.
    """

    size: int
    patch: int
    stride: int

    @property
    def starts(self) -> range:
        """Of the squares along one axis, pixels."""
        return range(0, self.size - self.patch + self.stride, self.stride)

    @property
    def positions(self) -> int:
        """How many squares there are."""
        return len(self.starts) ** 2


class Run(NamedTuple):
    """Whole squares of one image side by side, each on the next row of a sheet: they lie on a diagonal.

    Attributes:
        first: Row of the first square.
        last: Row after that of the last.
        image: Index of the image.
        y: First pixel of all of them.
        x: First pixel of the first.
        height: Pixels.
        width: Pixels.
        step: From a square's first pixel to that of the next.
    """

    first: int
    last: int
    image: int
    y: int
    x: int
    height: int
    width: int
    step: int

    def write(self, rows: Tensor, images: Tensor) -> None:
        """Replace the squares on their rows ``[B, 3, S, S]`` by those of their image of ``[N, 3, S, S]``."""
        square = (..., slice(self.y, self.y + self.height), slice(self.x, self.x + self.width))
        into, source = rows[self.first : self.last][square], images[self.image][square]
        row, *within = into.stride()
        shape, along = into.shape, source.stride()
        diagonal = into.as_strided(shape, (row + self.step * within[-1], *within))
        diagonal.copy_(source.as_strided(shape, (self.step * along[-1], *along)))


def runs(grid: Grid, part: range) -> Iterator[Run]:
    """The squares ``part`` of ``range(N * grid.positions)``, one a row, those of the first image first."""
    starts, number = grid.starts, part.start
    while number < part.stop:
        image, position = divmod(number, grid.positions)
        y, x = (starts[index] for index in divmod(position, len(starts)))
        whole = sum(x <= start <= grid.size - grid.patch for start in starts)
        count = min(whole or 1, part.stop - number)  # the one that is cut off is a run of its own
        height, width = (min(grid.patch, grid.size - start) for start in (y, x))
        first = number - part.start
        yield Run(first, first + count, image, y, x, height, width, grid.stride)
        number += count


class Sheet:
    """Rows of covered images that are uncovered, not written anew, from one use to the next.

    Args:
        inputs: ``[N, 3, S, S]``, kept and never changed.
        instead: ``[N, 3, S, S]``, what the squares show; may be expanded.
        count: Rows.
    """

    def __init__(self, inputs: Tensor, instead: Tensor, count: int) -> None:
        last = inputs.is_contiguous(memory_format=torch.channels_last) and not inputs.is_contiguous()
        layout = torch.channels_last if last else torch.contiguous_format
        with torch.inference_mode(False):  # what is made in inference mode has no version
            self._rows = inputs.new_empty((count, *inputs.shape[1:])).contiguous(memory_format=layout)
        self._inputs, self._instead = inputs, instead
        self._version = -1
        self._owners: list[int] = []
        self._covered: Sequence[Run] = ()

    def cover(self, wanted: Sequence[Run]) -> Tensor:
        """Covered images ``[B, 3, S, S]``, to be used before the next call and not to be changed.

        If they are changed nevertheless, by a layer that works in place, all is written anew.
        """
        if self._rows._version != self._version:
            self._owners, self._covered = [-1] * len(self._rows), ()
        for run in self._covered:
            run.write(self._rows, self._inputs)
        for run in wanted:
            if self._owners[run.first : run.last] != [run.image] * (run.last - run.first):
                self._rows[run.first : run.last].copy_(self._inputs[run.image])
                self._owners[run.first : run.last] = [run.image] * (run.last - run.first)
            run.write(self._rows, self._instead)
        self._covered, self._version = wanted, self._rows._version
        return self._rows[: wanted[-1].last]
