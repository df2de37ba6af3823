from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.drawings import drawn, full
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core.boxes import hits
from benchmark.core.errors import UserError
from benchmark.core.types import Box, IntArray, View
from benchmark.localizers.center_box import CenterBox

MAP = drawn("12", "34")


def localizer(fraction: float = 0.8, **options: Any) -> CenterBox:
    return CenterBox("center_box", 1, fraction, **options)


@pytest.mark.parametrize(
    ("fraction", "width", "height", "box"),
    [
        (1.0, 50, 37, Box(0, 0, 50, 37)),
        (0.5, 8, 4, Box(2, 1, 7, 4)),  # from 2 to 6 inclusive
        (0.75, 16, 8, Box(2, 1, 15, 8)),
        (0.5, 6, 2, Box(1, 0, 5, 2)),  # 1.5 to 4.5, both down
        (0.8, 500, 375, Box(49, 37, 451, 338)),  # (1 - 0.8) / 2 is 0.09999999999999998
        (0.01, 100, 3, Box(49, 1, 51, 2)),
        (0.5, 1, 1, Box(0, 0, 1, 1)),
    ],
)
def test_its_corners_are_rounded_down_and_the_second_is_inside(
    fraction: float, width: int, height: int, box: Box
) -> None:
    found = localizer(fraction)(MAP, full(width, height))
    assert found == (box, (width - 1, height - 1), False)


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0.001, 1))
def test_it_is_within_two_pixels_of_its_fraction(width: int, height: int, fraction: float) -> None:
    box = localizer(fraction)(MAP, full(width, height)).box
    assert 0 <= box.x0 < box.x1 <= width
    assert 0 <= box.y0 < box.y1 <= height
    assert abs((box.x1 - box.x0) - fraction * width) <= 2
    assert abs((box.y1 - box.y0) - fraction * height) <= 2


def test_a_crop_and_the_map_do_not_matter() -> None:
    view = View(8, 4, Box(2, 0, 6, 4))
    assert localizer(0.5)(MAP, view).box == localizer(0.5)(-MAP, full(8, 4)).box == Box(2, 1, 7, 4)


def test_the_curve_is_over_the_fraction() -> None:
    boxes = localizer(grid=(0.25, 0.5, 1.0)).curve(MAP, full(8, 16))
    assert boxes.tolist() == [[3, 6, 6, 11], [2, 4, 7, 13], [0, 0, 8, 16]]


@pytest.fixture(scope="module")
def official(shared: Path) -> tuple[list[View], IntArray, IntArray]:
    """Views, boxes and owners of the 48,238 images that are not blacklisted."""
    folder = shared / "ground_truth"
    if not folder.is_dir():
        pytest.skip(f"the ground truth is not here ({folder})")
    out = {int(n) - 1 for n in (folder / "ILSVRC2014_clsloc_validation_blacklist.txt").read_text().split()}
    sizes = [line.split(",") for line in (folder / "image_sizes.txt").read_text().split()]
    kept = {name: row for row, (name, *_) in enumerate(s for n, s in enumerate(sizes) if n not in out)}
    lines = [line.split(",") for line in (folder / "localization.txt").read_text().split()]
    of_kept = [(kept[name], *map(int, box)) for name, *box in lines if name in kept]
    table = np.array(of_kept, np.int32)
    table = table[np.argsort(table[:, 0], kind="stable")]
    views = [full(int(w), int(h)) for n, (_, w, h) in enumerate(sizes) if n not in out]
    return views, table[:, 1:] + np.array([0, 0, 1, 1], np.int32), table[:, 0]


@pytest.mark.parametrize(
    ("fraction", "error", "half_a_digit"),
    # protocol §5.3: from another program, with the digits given there
    [(1.0, 58.53, 0.005), (0.8, 47.04, 0.005), (0.7, 48.90, 0.005), (0.6, 67.2, 0.05), (0.9, 51.9, 0.05)],
)
def test_the_baselines_have_their_known_errors_on_ilsvrc_val(
    official: tuple[list[View], IntArray, IntArray], fraction: float, error: float, half_a_digit: float
) -> None:
    views, truth, owner = official
    # A view whose region is one pixel: the box is the same, and no map is upsampled for it.
    of_size = {
        view: localizer(fraction)(MAP, replace(view, region=Box(0, 0, 1, 1))).box for view in set(views)
    }
    right = hits(np.array([of_size[view] for view in views], np.int32)[:, None], truth, owner)
    assert len(right) == 48_238
    if fraction == 1:
        assert f"{right.mean():.2%}" == "41.47%"
    assert 100 * (1 - right.mean()) == pytest.approx(error, abs=half_a_digit)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"fraction": 0}, "fraction"),
        ({"fraction": 1.01}, "fraction"),
        ({"fraction": float("nan")}, "fraction"),
        ({"fraction": "0.8"}, "fraction"),
        ({"fraction": True}, "fraction"),
        ({"grid": (0.0, 0.5)}, "grid"),
        ({"grid": (0.5, 0.5)}, "grid"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=rf"localizer\.{named}="):
        localizer(**options)
