from typing import Any

import cv2
import numpy as np
import pytest
from helpers.drawings import drawn, full, native, picture
from omegaconf import OmegaConf

from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError
from benchmark.core.heatmaps import upsample_cubic
from benchmark.core.types import Box
from benchmark.localizers.zhou_grabcut import ZhouGrabCut


def localizer(**options: Any) -> ZhouGrabCut:
    return ZhouGrabCut("zhou_grabcut", 1, **options)


def test_opencv_is_given_the_seeds_of_the_two_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[int], int]] = []

    def watched(image: Any, mask: Any, rect: Any, back: Any, fore: Any, iterations: int, mode: int) -> None:
        assert mode == cv2.GC_INIT_WITH_MASK
        asked.append((mask.ravel().tolist(), iterations))

    monkeypatch.setattr(cv2, "grabCut", watched)
    levels = np.array([[0, -7, 10, 11, 40, 41, 255]], np.float32)
    localizer()(levels, native(levels), picture(0, 7, 1))
    back, likely, fore = cv2.GC_BGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD
    assert asked == [([back, back, back, likely, likely, fore, fore], 1)]


def cut_to(monkeypatch: pytest.MonkeyPatch, *rows: str) -> None:
    """As if GrabCut found this."""
    found = drawn(*rows) > 0

    def painted(image: Any, mask: Any, *rest: Any) -> None:
        mask[...] = np.where(found, cv2.GC_PR_FGD, cv2.GC_BGD)

    monkeypatch.setattr(cv2, "grabCut", painted)


MAP = drawn("9.......", "........", "........", "........", "........")


def test_the_largest_rectangle_is_taken_not_the_most_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_to(monkeypatch, "9....999", ".9...999", "..9..999", "...9.999", "........")
    found = localizer(border=0)(MAP, native(MAP), picture(0, 8, 5))
    assert found == (Box(0, 0, 4, 4), (0, 0), False)


def test_as_under_opencv_2_a_pixel_at_each_edge_belongs_to_no_segment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut_to(monkeypatch, "999999..", "999999..", "999999..", "999999..", "999999..")
    assert localizer()(MAP, native(MAP), picture(0, 8, 5)).box == Box(1, 1, 6, 4)


@pytest.mark.parametrize(("least", "empty"), [(11, False), (12, True)])
def test_a_rectangle_must_exceed_the_least_area(
    monkeypatch: pytest.MonkeyPatch, least: int, empty: bool
) -> None:
    cut_to(monkeypatch, "........", ".9999...", ".9..9...", ".9999...", "........")
    found = localizer(least_area=least)(MAP, native(MAP), picture(0, 8, 5))
    assert found == (Box(0, 0, 8, 5) if empty else Box(1, 1, 5, 4), (0, 0), empty)


@pytest.mark.parametrize("value", [0.0, -1.0, 3.0])
def test_seeds_of_one_kind_start_nothing(value: float) -> None:
    found = localizer()(np.full((7, 7), value, np.float32), full(40, 30), picture(0, 40, 30))
    assert (found.box, found.empty) == (Box(0, 0, 40, 30), True)


def test_it_is_opencvs_grabcut_and_its_contours_on_the_enlarged_map() -> None:
    heatmap, view, image = np.zeros((7, 7), np.float32), full(64, 48), picture(1, 64, 48) // 8
    heatmap[2:5, 2:5] = drawn("353", "596", "242")
    image[17:31, 22:42] += np.array([180, 60, 0], np.uint8)
    pixels = np.maximum(upsample_cubic(heatmap, view), 0)
    grey = (pixels / pixels.max() * 255 + 0.5).astype(np.uint8)
    mask = np.zeros(grey.shape, np.uint8)
    mask[grey > 10], mask[grey > 40] = cv2.GC_PR_BGD, cv2.GC_PR_FGD
    cv2.setRNGSeed(0)
    cv2.grabCut(image, mask, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 1, cv2.GC_INIT_WITH_MASK)
    outlines = cv2.findContours((mask % 2).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0]
    x, y, width, height = max(map(cv2.boundingRect, outlines), key=lambda rect: rect[2] * rect[3])
    assert localizer()(heatmap, view, image).box == (x, y, x + width, y + height)


@pytest.mark.parametrize("max_side", [8, 31, 64, None])
def test_a_smaller_copy_gives_a_box_in_original_pixels(max_side: int | None) -> None:
    image = np.full((48, 64, 3), (20, 40, 160), np.uint8)
    image[10:40, 20:50] = (200, 90, 30)
    hill = np.zeros((6, 8), np.float32)
    hill[1:5, 2:6] = 1
    found = localizer(max_side=max_side)(hill, full(64, 48), image)
    assert not found.empty
    assert 0 <= found.box.x0 < found.box.x1 <= 64
    assert 0 <= found.box.y0 < found.box.y1 <= 48


def test_there_is_no_curve() -> None:
    assert localizer().grid == ()
    assert localizer().curve(MAP, native(MAP)).shape == (0, 4)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"background": -1}, "background"),
        ({"background": 40, "foreground": 40}, "background"),
        ({"foreground": 255}, "foreground"),
        ({"iterations": 0}, "iterations"),
        ({"least_area": -1}, "least_area"),
        ({"max_side": 0}, "max_side"),
        ({"max_side": "big"}, "max_side"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=rf"localizer\.{named}="):
        localizer(**options)


def test_the_three_yamls_of_grabcut_differ_in_what_they_say_alone() -> None:
    short, long, first = (
        OmegaConf.load(CONF / "localizer" / f"{name}.yaml")
        for name in ("grabcut", "simonyan_grabcut", "grabcut_500")
    )
    assert {**short, "name": "simonyan_grabcut"} == dict(long)
    before = {"name": "grabcut_500", "version": 1, "max_side": 500, "iterations": 5, "early": False}
    assert {**short, **before} == dict(first)
