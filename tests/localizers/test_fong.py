from typing import Any

import numpy as np
import pytest
from helpers.drawings import drawn, full, native, smooth

from benchmark.core.errors import UserError
from benchmark.core.types import Box, FloatArray, View
from benchmark.localizers.fong import FongEnergy, FongMean, FongValue

SCHEMES: tuple[Any, ...] = (FongValue, FongEnergy, FongMean)


def value(alpha: float) -> FongValue:
    return FongValue("fong_value", 1, alpha)


def energy(alpha: float) -> FongEnergy:
    return FongEnergy("fong_energy", 1, alpha)


def mean(alpha: float) -> FongMean:
    return FongMean("fong_mean", 1, alpha)


TWO_SPOTS = drawn("9.....", "......", "...44.", "...44.")  # sum 25, mean 25 / 24


@pytest.mark.parametrize(
    ("localizer", "heatmap", "box"),
    [
        (value(0.4), TWO_SPOTS, Box(0, 0, 5, 4)),  # both spots, apart as they are
        (value(0.5), TWO_SPOTS, Box(0, 0, 1, 1)),
        (value(0.0), TWO_SPOTS, Box(0, 0, 5, 4)),  # zeros survive and are still zeros
        (value(1.0), TWO_SPOTS, Box(0, 0, 1, 1)),  # >=, so the maximum itself survives
        (energy(0.4), TWO_SPOTS, Box(0, 0, 1, 1)),  # 9 < 10; with a 4 it is 13
        (energy(0.56), TWO_SPOTS, Box(0, 0, 5, 4)),  # 9 + 4 < 14, and of equal cells all are kept
        (energy(0.65), drawn(".....", ".333.", ".333.", "....."), Box(1, 1, 4, 3)),  # a plateau as a whole
        (energy(0.52), TWO_SPOTS, Box(0, 0, 1, 1)),  # 13 reaches 13: the cell that reaches it goes
        (energy(1.0), TWO_SPOTS, Box(0, 0, 5, 4)),  # 9 + 4 < 25
        (mean(3.0), TWO_SPOTS, Box(0, 0, 5, 4)),  # 3.125
        (mean(4.0), TWO_SPOTS, Box(0, 0, 1, 1)),  # 4.17
        (mean(0.0), TWO_SPOTS, Box(0, 0, 5, 4)),
    ],
)
def test_a_drawn_map_gives_the_box_beside_it(localizer: Any, heatmap: FloatArray, box: Box) -> None:
    found = localizer(heatmap, native(heatmap))
    assert (found.box, found.empty) == (box, False)


def test_one_cell_grows_almost_to_its_neighbours_centres() -> None:
    # Cells of 10 pixels: centres at 5, 15, 25. A byte of 255 falls to 0 over one cell and is rounded to 1
    # down to 0.5, 0.02 pixels before it is gone: pixels centred from 5.5 to 24.5 stay.
    heatmap = drawn("...", ".9.", "...")
    for localizer in (value(0.5), mean(1.0)):
        assert localizer(heatmap, full(30, 30)).box == Box(5, 5, 25, 25)


def test_the_threshold_acts_before_the_upsampling() -> None:
    heatmap = drawn("94")
    assert value(0.5)(heatmap, full(20, 1)).box == Box(0, 0, 15, 1)  # the 4 survives as 0, halfway to it
    assert value(0.0)(heatmap, full(20, 1)).box == Box(0, 0, 15, 1)  # nothing cut: stretched, the 4 is 0


@pytest.mark.parametrize(
    ("localizer", "heatmap"),
    [
        (value(0.5), np.full((3, 3), 2)),  # constant: the stretch makes it 0
        (mean(10.0), TWO_SPOTS),
        (energy(0.3), TWO_SPOTS),  # the highest cell alone reaches it
        (energy(0.3), np.zeros((3, 3))),
        (energy(0.3), np.full((3, 3), 2)),
        (energy(1.0), np.full((1, 1), 2)),
    ],
)
def test_where_nothing_is_left_the_whole_image_is_marked_empty(localizer: Any, heatmap: FloatArray) -> None:
    found = localizer(heatmap.astype(np.float32), full(31, 17))
    assert (found.box, found.empty) == (Box(0, 0, 31, 17), True)


def test_negative_cells_count_as_zero() -> None:
    heatmap = np.array([[-50, -50, -50], [-50, 4, 1], [-50, -50, -50]], np.float32)
    for scheme, alpha in zip(SCHEMES, (0.2, 0.9, 0.2), strict=True):
        localizer = scheme(scheme.__name__, 1, alpha)
        assert localizer(heatmap, full(30, 30)) == localizer(np.maximum(heatmap, 0), full(30, 30))


def test_adding_a_constant_changes_the_boxes_of_energy_and_mean() -> None:
    heatmap = drawn("......", ".93...", "......", "....2.")
    for localizer in (energy(0.99), mean(2.0)):
        one, other = (localizer(map_, native(heatmap)).box for map_ in (heatmap, heatmap + 8))
        assert one != other


def test_a_crop_is_resized_to_its_region_alone() -> None:
    heatmap = drawn("...", ".9.", "...")
    assert value(0.5)(heatmap, View(50, 40, Box(10, 0, 40, 30))).box == Box(15, 5, 35, 25)


def survivors(scheme: str, cells: list[list[float]], alpha: float) -> list[list[float]]:
    """The formulas of protocol §4.7, cell by cell."""
    flat = [cell for row in cells for cell in row]
    low, high, average = min(flat), max(flat), sum(flat) / len(flat)
    if scheme == "value":
        return [[c if c - low >= alpha * (high - low) else 0 for c in row] for row in cells]
    if scheme == "mean":
        return [[c if c >= alpha * average else 0 for c in row] for row in cells]
    kept, held = [0.0] * len(flat), 0.0
    for place in sorted(range(len(flat)), key=lambda place: -flat[place]):
        held += flat[place]
        if held >= alpha * sum(flat):
            break
        kept[place] = flat[place]
    width = len(cells[0])
    return [kept[start : start + width] for start in range(0, len(kept), width)]


def bilinear_bytes(row: list[int], size: int) -> list[int]:
    """One row of bytes, enlarged: half-pixel centres, the border repeated, rounded to bytes."""
    found = []
    for pixel in range(size):
        place = min(max((pixel + 0.5) * len(row) / size - 0.5, 0), len(row) - 1)
        below = min(int(place), len(row) - 2) if len(row) > 1 else 0
        above = min(below + 1, len(row) - 1)
        found.append(int(row[below] + (place - below) * (row[above] - row[below]) + 0.5))
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("scheme", "alpha"), [("value", 0.35), ("value", 0.1), ("energy", 0.65), ("mean", 1.5), ("mean", 0.2)]
)
def test_it_is_the_procedure_written_out_in_loops(seed: int, scheme: str, alpha: float) -> None:
    heatmap = smooth(seed, 7, 6, cells=4)
    width, height = 61, 47
    left = survivors(scheme, heatmap.astype(float).tolist(), alpha)
    low, high = min(map(min, left)), max(map(max, left))
    grey = [[int((cell - low) * 255 / (high - low) + 0.5) for cell in row] for row in left]
    wide = [bilinear_bytes(row, width) for row in grey]
    tall = np.array([bilinear_bytes([row[x] for row in wide], height) for x in range(width)]).T
    ys, xs = np.nonzero(tall)
    expected = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) if len(xs) else (0, 0, width, height)
    localizer = {"value": value, "energy": energy, "mean": mean}[scheme](alpha)
    assert localizer(heatmap, full(width, height)).box == expected


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_curve_holds_the_box_of_each_alpha(scheme: Any) -> None:
    heatmap, view = smooth(5, 7, 7), full(40, 30)
    grid = (0.1, 0.4, 0.9)
    boxes = scheme("any", 1, 0.5, grid=grid).curve(heatmap, view)
    assert boxes.tolist() == [list(scheme("any", 1, alpha)(heatmap, view).box) for alpha in grid]


@pytest.mark.parametrize(
    ("scheme", "options", "named"),
    [
        (FongValue, {"alpha": 1.1}, "alpha"),
        (FongValue, {"alpha": -0.1}, "alpha"),
        (FongEnergy, {"alpha": 0.0}, "alpha"),
        (FongEnergy, {"alpha": 1.1}, "alpha"),
        (FongMean, {"alpha": -1}, "alpha"),
        (FongMean, {"alpha": float("inf")}, "alpha"),
        (FongMean, {"alpha": None}, "alpha"),
        (FongValue, {"alpha": 0.5, "grid": (0.2, 0.1)}, "grid"),
        (FongEnergy, {"alpha": 0.5, "grid": (0.0, 0.1)}, "grid"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(scheme: Any, options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=rf"localizer\.{named}="):
        scheme("fong", 1, **options)
