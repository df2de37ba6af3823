"""Sheets of covered images against images covered one by one, in whatever order they are asked for."""

import pytest
import torch
from helpers.small_models import images

from benchmark.attribution.common.occluded import Grid, Sheet, runs

GRIDS = [Grid(12, 4, 4), Grid(12, 5, 3), Grid(12, 7, 5), Grid(12, 1, 1), Grid(12, 12, 5), Grid(12, 11, 2)]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("colour", [True, False])
def test_each_row_is_its_image_with_its_square_covered(
    grid: Grid, layout: torch.memory_format, colour: bool
) -> None:
    inputs = images(3).contiguous(memory_format=layout)
    instead = torch.tensor([7.0, 8.0, 9.0]).double().view(3, 1, 1).expand_as(inputs) if colour else -images(3)
    sheet, total = Sheet(inputs, instead, 10), 3 * grid.positions
    for first in [*range(0, total, 10), 0, total - 1, total // 2]:  # on, back, and from one row to many
        part = range(first, min(first + 10, total))
        rows = sheet.cover(list(runs(grid, part)))
        assert len(rows) == len(part)
        assert rows.is_contiguous(memory_format=layout)
        for row, number in zip(rows, part, strict=True):
            image, position = divmod(number, grid.positions)
            y, x = (index * grid.stride for index in divmod(position, len(grid.starts)))
            wanted = inputs[image].clone()
            wanted[:, y : y + grid.patch, x : x + grid.patch] = instead[image][
                :, y : y + grid.patch, x : x + grid.patch
            ]
            assert torch.equal(row, wanted)
    assert torch.equal(inputs, images(3))


@pytest.mark.parametrize("grid", GRIDS)
def test_squares_cover_every_pixel_and_no_other_would_be_needed(grid: Grid) -> None:
    assert grid.starts[-1] + grid.patch >= grid.size
    assert grid.starts[0] == 0
    assert all(start + grid.patch < grid.size for start in grid.starts[:-1])
    assert len(grid.starts) ** 2 == grid.positions


def test_a_few_strokes_write_many_squares() -> None:
    grid = Grid(224, 32, 16)
    assert len(list(runs(grid, range(64)))) == 5  # 13 + 13 + 13 + 13 + 12
    assert len(list(runs(Grid(224, 35, 8), range(25)))) == 2  # 24 whole ones, and one that is cut off
