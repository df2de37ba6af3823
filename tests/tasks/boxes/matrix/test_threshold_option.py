"""The option that a protocol's curve is over, held against the curve itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import hydra
import numpy as np
import pytest

from benchmark.cli.app.build import build, plain
from benchmark.cli.app.places import CONF
from benchmark.core.protocols import Localizer
from benchmark.core.types import Box, FloatArray, View
from benchmark.tasks.boxes.matrix.threshold import ThresholdOption, family, threshold_option

NAMES = sorted(path.stem for path in Path(CONF, "localizer").glob("*.yaml"))
VIEW = View(50, 36, Box(0, 0, 50, 36))


@pytest.fixture(autouse=True)
def composing() -> Iterator[None]:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def options(name: str) -> dict[str, Any]:
    needed = ["localizer.threshold=0.3"] if name == "max_box" else []
    found: dict[str, Any] = plain(hydra.compose("config", [f"localizer={name}", *needed]).localizer)
    return found


def heatmap(seed: int) -> FloatArray:
    noise = np.random.default_rng(seed).random((9, 9)).astype(np.float32)
    blurred: FloatArray = cv2.GaussianBlur(noise, (3, 3), 0).astype(np.float32)
    return blurred**4


@pytest.mark.parametrize("name", NAMES)
def test_a_box_at_a_threshold_of_the_curve_is_the_curves_box(name: str) -> None:
    """So what is chosen on a curve is what is then measured."""
    chosen = options(name)
    localizer: Localizer = build(chosen)
    grid = localizer.grid
    if not grid or len(set(grid)) < len(grid):
        pytest.skip("no curve, or several boxes at one threshold")
    found = threshold_option(chosen)
    assert found is not None
    for number in np.linspace(0, len(grid) - 1, 7).astype(int):
        at: Localizer = build({**chosen, found.option: found.at(grid[number])})
        for seed in range(3):
            curve = localizer.curve(heatmap(seed), VIEW)
            assert at(heatmap(seed), VIEW, None).box == tuple(curve[number]), (grid[number], seed)


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_has_a_threshold_if_and_only_if_it_has_a_curve(name: str) -> None:
    chosen = options(name)
    assert (threshold_option(chosen) is not None) == bool(build(chosen).grid or name == "whole_image")


def test_grey_levels_above_the_lowest_stay() -> None:
    found = threshold_option({"levels": [51, 100, 110]})
    assert found == ThresholdOption("levels", [51, 100, 110], 0.2)
    assert found.at(0.4) == [102, 110]


def test_protocols_are_of_one_family_where_only_the_threshold_differs() -> None:
    assert family(options("gradcam_15")) == family(options("cam_20"))
    different = ("gradcam_15", "cam_dtbox", "fong_value", "fong_energy", "fong_mean", "wsol_maxboxacc_v1")
    assert len({family(options(name)) for name in different}) == len(different)
    assert family(options("gradcam_15")) != family({**options("gradcam_15"), "connectivity": 4})
