"""The sheet of image-class pairs: its words, its marks, and its colours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.types import Box, FloatArray, IntArray, View
from benchmark.tasks.boxes.pictures.tile import SIDE
from benchmark.tasks.pairs.pictures.counterfactual import Pair, draw, sheet, where

PINK = (255, 61, 242)


def bump(x: int, y: int, size: int = 8) -> FloatArray:
    """A map of ``size x size`` cells, one of them positive."""
    cells = np.zeros((size, size), np.float32)
    cells[y, x] = 1
    return cells


def pair(counterfactual: FloatArray | None = None) -> Pair:
    """An image of 80 x 80 with an object of the class at its left and one of another at its right."""
    return Pair(
        image_id="000001",
        name="dog",
        pixels=np.full((80, 80, 3), 90, np.uint8),
        view=View(80, 80, Box(0, 0, 80, 80)),
        boxes=np.array([[0, 0, 30, 80]], np.int32),
        others=np.array([[50, 0, 80, 80]], np.int32),
        grad_cam=bump(1, 4),
        guided=np.zeros((40, 40, 3), np.float32),
        counterfactual=bump(6, 4) if counterfactual is None else counterfactual,
    )


def boxes(*rows: tuple[int, int, int, int]) -> IntArray:
    return np.array(rows, np.int32).reshape(-1, 4)


def test_where_the_counterfactual_has_its_peak_is_said() -> None:
    assert where(pair()) == "peak in a box of another"
    assert where(pair(bump(1, 4))) == "peak in a box of the class"
    assert where(pair(bump(3, 4))) == "peak beside all boxes"
    assert where(replace(pair(), boxes=boxes((40, 0, 80, 80)))) == "peak in boxes of both"
    assert where(replace(pair(), boxes=boxes(), others=boxes())) == "peak beside all boxes"
    assert where(pair(np.zeros((8, 8), np.float32))) == "empty map"


def test_a_box_is_half_open_and_what_the_network_has_not_seen_has_no_peak() -> None:
    corner = pair(bump(7, 7))  # the last pixel of the view
    assert where(corner) == "peak in a box of another"
    assert where(replace(corner, others=boxes((50, 0, 79, 80)))) == "peak beside all boxes"
    assert where(replace(corner, view=View(80, 80, Box(0, 0, 40, 40)))) == "peak beside all boxes"


def tiles(one: Pair) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """The four tiles of a sheet of one pair."""
    page = np.asarray(draw([one], "one pair"))
    top = page.shape[0] - 20 - 10 - 16 - SIDE
    return [
        page[top : top + SIDE, 20 + n * (SIDE + 10) :][:, :SIDE] for n in range((page.shape[1] - 30) // 186)
    ]


def test_the_peak_is_marked_where_it_is_and_on_the_counterfactual_alone() -> None:
    shown = tiles(pair())
    assert len(shown) == 4
    marked = [np.argwhere((tile == PINK).all(-1)) for tile in shown]
    assert [len(found) > 0 for found in marked] == [False, False, False, True]
    y, x = marked[3].mean(0)
    assert (x, y) == pytest.approx((6 / 7 * SIDE, 4 / 7 * SIDE), abs=4)


def test_a_product_is_grey_where_it_is_0_and_brighter_or_darker_by_its_sign() -> None:
    signed = np.zeros((40, 40, 3), np.float32)
    signed[:20, :20, 0], signed[20:, 20:, 2] = 1e-6, -1e-6  # of any scale
    shown = tiles(replace(pair(), guided=signed))[2]
    assert shown[10, 10].tolist() == [255, 128, 128]
    assert shown[-10, -10].tolist() == [128, 128, 0]
    assert shown[10, -10].tolist() == [128, 128, 128]
    assert (tiles(pair())[2] == 128).all(), "all of it 0"


def test_the_sheet_has_a_row_for_each_pair_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    heights = []
    for count in (1, 2, 3):
        sheet(tmp_path / "one.png", [pair()] * count, "title", "0")
        with Image.open(tmp_path / "one.png") as image:
            heights.append(image.height)
    first = (tmp_path / "one.png").read_bytes()
    sheet(tmp_path / "one.png", [pair()] * 3, "title", "0")
    assert (tmp_path / "one.png").read_bytes() == first
    assert heights[2] - heights[1] == heights[1] - heights[0] > SIDE


def test_a_map_of_nan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="NaN"):
        sheet(tmp_path / "one.png", [pair(np.full((8, 8), np.nan, np.float32))], "title", "0")
