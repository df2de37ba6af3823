"""What holds for every protocol: each yaml is built as a run builds it."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from helpers.drawings import drawn, full, noise, picture, smooth
from omegaconf import OmegaConf

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.boxes import iou
from benchmark.core.errors import UserError
from benchmark.core.protocols import Localizer
from benchmark.core.types import Box, FloatArray, LocatedBox, View

NAMES = sorted(path.stem for path in (CONF / "localizer").glob("*.yaml"))
NEEDED = {"max_box": {"threshold": 0.3}}
BLIND = {"whole_image", "center_box"}
"""They look at no map, so that none is empty and no region matters."""
SIZES = [(1, 1), (2, 1), (1, 3), (5, 9), (40, 30)]
MAPS = {
    "hills": smooth(1, 7, 7),
    "signed": np.random.default_rng(2).standard_normal((14, 14)).astype(np.float32),
    "noise": noise(3, 28, 28),
    "one cell": drawn("......", "...9..", "......"),
    "a corner": drawn("9..", "...", "..."),
    "a ring": drawn(".....", ".999.", ".9.9.", ".999.", "....."),
    "full": drawn("56", "78"),
    "zero": np.zeros((3, 3), np.float32),
    "constant": np.full((3, 3), 2, np.float32),
    "negative": -drawn("123", "456"),
    "tiny": np.full((2, 2), 1e-45, np.float32) * drawn("1.", ".."),
}


@cache
def built(name: str) -> Any:
    options = OmegaConf.load(CONF / "localizer" / f"{name}.yaml")
    return build(OmegaConf.merge(options, NEEDED.get(name, {})))


@pytest.fixture(params=NAMES)
def localizer(request: pytest.FixtureRequest) -> Any:
    return built(request.param)


def located(localizer: Localizer, heatmap: FloatArray, view: View) -> LocatedBox:
    return localizer(heatmap, view, picture(0, view.width, view.height) if localizer.needs_image else None)


def inside(box: Box, outer: Box) -> bool:
    return outer.x0 <= box.x0 < box.x1 <= outer.x1 and outer.y0 <= box.y0 < box.y1 <= outer.y1


def test_boxes_and_peaks_lie_inside_the_image(localizer: Localizer) -> None:
    for width, height in SIZES:
        for heatmap in MAPS.values():
            found = located(localizer, heatmap, full(width, height))
            assert all(isinstance(value, int) for value in (*found.box, *found.peak))
            assert inside(found.box, Box(0, 0, width, height))
            assert 0 <= found.peak[0] < width
            assert 0 <= found.peak[1] < height
            assert not found.empty or found.box == (0, 0, width, height)


def test_a_curve_has_one_box_inside_the_image_for_each_entry_of_the_grid(localizer: Localizer) -> None:
    assert (np.diff(localizer.grid) >= 0).all()
    for kind in ("signed", "a ring", "constant", "negative"):
        boxes = localizer.curve(MAPS[kind], full(40, 30))
        assert boxes.dtype == np.int32
        assert boxes.shape == (len(localizer.grid), 4)
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, :2] < boxes[:, 2:]).all()
        assert (boxes[:, 2:] <= [40, 30]).all()


def test_what_is_made_twice_is_made_alike(localizer: Localizer) -> None:
    view = full(40, 30)
    for kind in ("signed", "noise"):
        assert located(localizer, MAPS[kind], view) == located(localizer, MAPS[kind], view)
    assert (localizer.curve(MAPS["noise"], view) == localizer.curve(MAPS["noise"], view)).all()


def test_maps_and_images_are_left_as_they_were(localizer: Localizer) -> None:
    heatmap, image = MAPS["signed"].copy(), picture(0, 40, 30)
    localizer(heatmap, full(40, 30), image)
    localizer.curve(heatmap, full(40, 30))
    assert (heatmap == MAPS["signed"]).all()
    assert (image == picture(0, 40, 30)).all()


def test_a_positive_factor_changes_nothing(localizer: Localizer) -> None:
    for kind, factor in (("hills", 2.0**-12), ("signed", 2.0**9), ("noise", 0.25)):
        view, heatmap = full(40, 30), MAPS[kind]
        scaled = heatmap * np.float32(factor)
        assert located(localizer, scaled, view) == located(localizer, heatmap, view)
        assert (localizer.curve(scaled, view) == localizer.curve(heatmap, view)).all()


SCENE = picture(0, 140, 140) // 8
SCENE[56:98, 28:98] += np.array([180, 60, 0], np.uint8)
CELLS = drawn(
    "..........",
    "..........",
    "..........",
    "...1......",
    "..36742...",
    "..29853...",
    "...561....",
    *[".........."] * 3,
)
"""Whole numbers, which float32 holds times any power of two from its smallest to its greatest number."""
PEAKED = {
    "a square": CELLS,
    "signed": CELLS - 1,
    "1xN": CELLS[4:5],
    "Nx1": CELLS[:, 3:4],
}
FLAT = {
    "1x1": np.ones((1, 1), np.float32),
    "constant": np.full((7, 7), 3, np.float32),
    "zero": np.zeros((7, 7), np.float32),
}
FILLED = {"gradcam_15", "cam_20", "max_box_0.3", "open_box", "cam_dtbox", *BLIND}
"""Those to which a constant positive map is a segment as large as the image, and no map without a box."""


def with_curve(localizer: Localizer, heatmap: FloatArray) -> tuple[LocatedBox, list[list[int]]]:
    view = full(140, 140)
    found = localizer(heatmap, view, SCENE if localizer.needs_image else None)
    return found, localizer.curve(heatmap, view).tolist()


def test_no_map_is_too_large_or_too_small_for_a_box(localizer: Localizer) -> None:
    """2^-149 is the smallest number above 0, 9 * 2^124 is 1.9e38."""
    for heatmap in PEAKED.values():
        expected = with_curve(localizer, heatmap)
        if min(heatmap.shape) > 1:  # of a line, fong_energy leaves nothing
            assert not expected[0].empty
        for exponent in (-149, -61, 124):
            assert with_curve(localizer, np.ldexp(heatmap, exponent)) == expected
    greatest = np.finfo(np.float32).max
    assert not with_curve(localizer, np.where(CELLS > 0, greatest, -greatest))[0].empty


def test_a_map_without_a_peak_is_empty_by_rule_whatever_its_value(localizer: Localizer) -> None:
    for heatmap in FLAT.values():
        for factor in (1, -1, 2.0**-149, 2.0**126, -(2.0**126)):
            flat = heatmap * np.float32(factor)
            filled = flat.max() > 0 and localizer.name in FILLED
            found, boxes = with_curve(localizer, flat)
            assert found.empty == (not filled and localizer.name not in BLIND)
            assert len(boxes) == len(localizer.grid)


def test_of_a_crop_only_what_was_seen_is_in_the_box(localizer: Localizer) -> None:
    view = View(60, 40, Box(10, 0, 50, 40))
    for kind in ("hills", "one cell", "a corner", "noise"):
        found = located(localizer, MAPS[kind], view)
        assert 10 <= found.peak[0] < 50
        if localizer.name not in BLIND and not found.empty:
            assert inside(found.box, view.region)
    if localizer.name not in BLIND:
        boxes = localizer.curve(MAPS["one cell"], view).tolist()
        assert all(inside(Box(*box), view.region) for box in boxes if box != [0, 0, 60, 40])


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_a_map_without_a_positive_value_is_empty(localizer: Localizer, value: float) -> None:
    found = located(localizer, np.full((7, 7), value, np.float32), full(40, 30))
    assert found.empty == (localizer.name not in BLIND)


def test_a_map_that_is_not_finite_never_becomes_a_box(localizer: Localizer) -> None:
    for bad in (np.nan, np.inf):
        heatmap = np.array([[1, bad]], np.float32)
        with pytest.raises(UserError, match="NaN"):
            located(localizer, heatmap, full(4, 4))


def test_pixels_are_asked_for_only_where_they_are_needed(localizer: Localizer) -> None:
    if localizer.needs_image:
        with pytest.raises(UserError, match=f"{localizer.name} needs the images' pixels"):
            localizer(MAPS["hills"], full(40, 30), None)
    else:
        assert localizer(MAPS["hills"], full(40, 30), None) == localizer(
            MAPS["hills"], full(40, 30), picture(5, 40, 30)
        )


def test_one_hill_in_a_corner_is_found_there_by_all_that_look(localizer: Localizer) -> None:
    rows, columns = np.mgrid[:14, :14]
    hill = np.exp(-(((rows - 3) / 2) ** 2) - ((columns - 3) / 2) ** 2).astype(np.float32)
    view = full(140, 140)
    image = np.full((140, 140, 3), (20, 40, 160), np.uint8)
    image[10:60, 10:60] = (200, 90, 30)
    found = localizer(hill, view, image)
    overlap = float(iou(np.array(found.box), np.array([10, 10, 60, 60])))
    assert overlap < 0.3 if localizer.name in BLIND else overlap > 0.3


def test_the_first_line_of_a_protocol_says_what_it_does_in_one_sentence(localizer: Localizer) -> None:
    first, _, rest = (type(localizer).__doc__ or "").partition("\n")
    assert first.endswith(".")
    assert len(first) > 40
    assert "protocol" in rest or "_FongBox" in rest  # where it is from
