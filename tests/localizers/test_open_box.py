"""The open choices: as they come the paper's protocol, and each other reading on maps where it shows."""

from typing import Any

import numpy as np
import pytest
from helpers.drawings import drawn, full, noise, smooth

from benchmark.core.errors import UserError
from benchmark.core.types import Box, FloatArray, View
from benchmark.localizers.max_box import MaxBox
from benchmark.localizers.open_box import OpenBox

CASTLE = drawn(
    ".........",
    ".9.....9.",
    "9......99",
    "9......99",
    ".9.....9.",
    ".........",
)


def box(heatmap: FloatArray, view: View, threshold: float = 0.15, **options: object) -> Box:
    return OpenBox("open_box", 1, threshold, **options)(heatmap, view).box  # type: ignore[arg-type]


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("threshold", [0.15, 0.5])
def test_as_it_comes_its_boxes_and_peaks_are_max_box_s(connectivity: Any, threshold: float) -> None:
    plain = MaxBox("max_box", 1, threshold, connectivity)
    opened = OpenBox("open_box", 1, threshold, connectivity=connectivity, grid=plain.grid)
    views = [full(40, 30), full(227, 227), View(60, 40, Box(10, 0, 50, 40)), full(3, 5)]
    signed = np.random.default_rng(4).standard_normal((7, 7)).astype(np.float32)
    for view in views:
        for heatmap in (smooth(1, 7, 7), noise(2, 14, 14), noise(3, 28, 28), signed, -np.abs(signed)):
            assert opened(heatmap, view) == plain(heatmap, view)
            assert (opened.curve(heatmap, view) == plain.curve(heatmap, view)).all()


def test_of_cells_each_is_a_rectangle_of_its_own() -> None:
    heatmap = drawn("....", ".9..", "....")
    assert box(heatmap, full(40, 30), upsampling="cells") == (10, 10, 20, 20)
    assert box(heatmap, full(40, 30), upsampling="aligned") != (10, 10, 20, 20)


def test_half_pixel_centres_keep_a_hill_in_the_middle_of_its_cell_and_aligned_corners_do_not() -> None:
    heatmap = drawn(".9..", "....")
    wide = box(heatmap, full(80, 40), upsampling="half_pixel")
    assert wide.x0 + wide.x1 == 2 * 30, "the cell's centre"
    aligned = box(heatmap, full(80, 40))
    assert abs(aligned.x0 + aligned.x1 - 2 * 80 / 3) <= 2, "one third of the width"


def test_cubic_agrees_with_half_pixel_on_a_plane_away_from_the_border() -> None:
    plane = np.tile(np.arange(8, dtype=np.float32), (8, 1))
    for upsampling in ("cubic", "half_pixel"):
        assert box(plane, full(80, 80), 0.5, upsampling=upsampling).x0 == pytest.approx(40, abs=1)


def test_the_component_of_most_pixels_the_one_of_the_largest_box_and_all_of_them() -> None:
    view = full(9, 6)
    cells = {"upsampling": "cells", "threshold": 0.5}
    assert box(CASTLE, view, component="pixels", **cells) == (7, 1, 9, 5)  # type: ignore[arg-type]
    assert box(CASTLE, view, component="all", **cells) == (0, 1, 9, 5)  # type: ignore[arg-type]
    ring = drawn("99999....", "9...9.99.", "9...9.99.", "99999....")
    thick = drawn("9...9....", ".9.9..999", "..9...999", ".9.9..999", "9...9.999")
    for connectivity, kept in ((8, (0, 0, 5, 5)), (4, (6, 1, 9, 5))):
        found = box(thick, full(9, 5), component="box", connectivity=connectivity, **cells)  # type: ignore[arg-type]
        assert found == kept
    assert box(thick, full(9, 5), component="pixels", **cells) == (6, 1, 9, 5)  # type: ignore[arg-type]
    assert box(ring, full(9, 4), component="box", **cells) == (0, 0, 5, 4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"threshold": 1.0}, "localizer.threshold=1.0: must be a number in [0, 1)"),
        ({"upsampling": "nearest"}, "localizer.upsampling=nearest: must be aligned | half_pixel | cubic"),
        ({"component": "largest"}, "localizer.component=largest: must be pixels | box | all"),
        ({"connectivity": 6}, "localizer.connectivity=6: must be 8 | 4"),
    ],
)
def test_an_option_out_of_its_range_is_refused_by_name(options: dict[str, object], says: str) -> None:
    with pytest.raises(UserError) as refusal:
        OpenBox("open_box", 1, **({"threshold": 0.15} | options))  # type: ignore[arg-type]
    assert str(refusal.value).startswith(says)
