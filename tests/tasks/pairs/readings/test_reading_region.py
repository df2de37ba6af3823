"""A region's share of a map is that of the enlarged map's positive values; an unfit region is refused."""

from pathlib import Path

import numpy as np
import pytest
from helpers.small_models import googlenet_like, small
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.heatmaps import upsample
from benchmark.core.types import Box, Sample, View
from benchmark.tasks.pairs.readings.region import RegionReading
from benchmark.tasks.pairs.types import Pair

VIEW = View(12, 9, Box(2, 0, 11, 9))
PAIR = Pair(Sample("a", None, 0, np.zeros((0, 4), np.int32)), 0, VIEW)


def drawn(folder: Path, name: str = "a", size: tuple[int, int] = (12, 9)) -> RegionReading:
    region = np.zeros(size[::-1], np.uint8)
    region[1:4, 5:10] = 7
    Image.fromarray(region).save(folder / f"{name}.png")
    return RegionReading(str(folder))


def test_the_mass_is_the_sum_over_the_region_s_pixels(tmp_path: Path) -> None:
    heatmap = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)
    found = drawn(tmp_path).finish(PAIR, {"map": heatmap})
    pixels = upsample(heatmap, VIEW)
    inside = sum(max(float(pixels[y, x]), 0) for y in range(1, 4) for x in range(5, 10))
    total = sum(max(float(value), 0) for value in pixels.ravel())
    assert found["region_mass"] == pytest.approx(inside / total, rel=1e-5)
    assert found["region_share"] == pytest.approx(15 / 81)  # of the 9 x 9 pixels that are seen


def test_an_even_map_has_the_region_s_share_and_a_negative_one_nothing(tmp_path: Path) -> None:
    reading, whole = drawn(tmp_path), PAIR._replace(view=View(12, 9, Box(0, 0, 12, 9)))
    for pair in (whole, PAIR):
        found = reading.finish(pair, {"map": np.full((3, 3), 2, np.float32)})
        assert found["region_mass"] == pytest.approx(found["region_share"])
    assert reading.finish(whole, {"map": np.full((3, 3), -2, np.float32)})["region_mass"] == 0


def test_a_region_that_does_not_fit_is_refused_with_its_file(tmp_path: Path) -> None:
    heatmap = {"map": np.ones((3, 3), np.float32)}
    with pytest.raises(UserError, match=r"a\.png: .*; reading.region.folder holds ID.png"):
        RegionReading(str(tmp_path)).finish(PAIR, heatmap)
    with pytest.raises(UserError, match=r"a\.png: 9 x 12 pixels, its image 12 x 9; draw it in that size"):
        drawn(tmp_path, size=(9, 12)).finish(PAIR, heatmap)
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"a\.png"):
        RegionReading(str(tmp_path)).finish(PAIR, heatmap)
    model = small(googlenet_like)
    with pytest.raises(UserError, match=r"reading.region.folder=null: no folder is named"):
        RegionReading().check(model)
    with pytest.raises(UserError, match=r"reading.region.folder=.*gone: no such folder"):
        RegionReading(str(tmp_path / "gone")).check(model)


def test_what_the_folder_holds_and_not_where_it_is_counts(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "xyz"]
    for folder, name in zip(folders, "aab", strict=True):
        folder.mkdir()
        drawn(folder, name)
    told = [RegionReading(str(folder)).identity({"folder": str(folder)}) for folder in folders]
    assert told[0] == told[1] != told[2]
