"""Copies of images with one square covered each, made by writing little more than the squares."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


def at_once(batch: int | None, device: torch.device) -> int:
    """Return the number of images for one forward pass: ``batch``, or a number that suits the device.

    A CPU gets 8: measured on one core, an image takes 1.3 times (BVLC GoogLeNet) and 2 times (compact
    VGG-16) as long with 64, as the activations leave the caches. Other devices need 64 to be kept busy.
    """
    if batch is not None:
        return batch
    return 8 if device.type == "cpu" else 64


class Grid(NamedTuple):
    """A grid of squares of ``patch`` pixels at ``0, stride, …`` along both axes of an input of ``size``.

    There are ``ceil((size - patch) / stride) + 1`` squares along each axis, numbered row by row; the last is
    cut off at the border. ``1 <= stride <= patch <= size``, so that each pixel is covered.
    """

    size: int
    patch: int
    stride: int

    @property
    def starts(self) -> range:
        """Return the first pixel of each square along one axis."""
        return range(0, self.size - self.patch + self.stride, self.stride)

    @property
    def positions(self) -> int:
        """Return the number of squares."""
        return len(self.starts) ** 2


class Run(NamedTuple):
    """Neighbouring squares of one size in one image, each to be covered on the next row of a sheet.

    Attributes:
        first: Row of the sheet for the first square.
        last: Row after that of the last square.
        image: Index of the image.
        y: Top pixel of every square.
        x: Left pixel of the first square.
        height: Height of each square, pixels.
        width: Width of each square, pixels.
        step: Pixels from a square's left side to that of the next.
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
        """Copy the squares from their image of ``[N, 3, S, S]`` to their rows of ``[B, 3, S, S]``.

        The squares lie on a diagonal of rows and pixels, so one strided view reaches them all.
        """
        square = (..., slice(self.y, self.y + self.height), slice(self.x, self.x + self.width))
        into, source = rows[self.first : self.last][square], images[self.image][square]
        row, *within = into.stride()
        shape, along = into.shape, source.stride()
        diagonal = into.as_strided(shape, (row + self.step * within[-1], *within))
        diagonal.copy_(source.as_strided(shape, (self.step * along[-1], *along)))


def runs(grid: Grid, part: range) -> Iterator[Run]:
    """Yield the squares ``part`` of ``range(N * grid.positions)``, one a row, the first image's first."""
    starts, number = grid.starts, part.start
    while number < part.stop:
        image, position = divmod(number, grid.positions)
        y, x = (starts[index] for index in divmod(position, len(starts)))
        whole = sum(x <= start <= grid.size - grid.patch for start in starts)
        count = min(whole or 1, part.stop - number)  # a square cut off at the border is a run of its own
        height, width = (min(grid.patch, grid.size - start) for start in (y, x))
        first = number - part.start
        yield Run(first, first + count, image, y, x, height, width, grid.stride)
        number += count


class Sheet:
    """A buffer of covered images, of which only the squares are rewritten from one use to the next.

    Args:
        inputs: ``[N, 3, S, S]``, kept and never changed.
        instead: ``[N, 3, S, S]``, what the covered squares show; may be an expanded view.
        count: Number of rows, each one image.
    """

    def __init__(self, inputs: Tensor, instead: Tensor, count: int) -> None:
        last = inputs.is_contiguous(memory_format=torch.channels_last) and not inputs.is_contiguous()
        layout = torch.channels_last if last else torch.contiguous_format
        with torch.inference_mode(False):  # a tensor made in inference mode has no version counter
            self._rows = inputs.new_empty((count, *inputs.shape[1:])).contiguous(memory_format=layout)
        self._inputs, self._instead = inputs, instead
        self._version = -1
        self._owners: list[int] = []
        self._covered: Sequence[Run] = ()

    def cover(self, wanted: Sequence[Run]) -> Tensor:
        """Return the covered images ``[B, 3, S, S]``, to be used before the next call and not to be changed.

        If a layer that works in place does change them, the next call writes all rows anew.
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
