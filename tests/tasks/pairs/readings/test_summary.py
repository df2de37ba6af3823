"""The summary's columns against slower derivations, torch, scipy and the box localizers."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from helpers.small_models import googlenet_like, images, small
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from benchmark.core.errors import UserError
from benchmark.core.types import BoolArray, Box, FloatArray, Objects, Sample, View
from benchmark.localizers.max_box import MaxBox
from benchmark.models.forward import forward_pass
from benchmark.tasks.pairs.readings.summary import Summary, averages, distance, weights
from benchmark.tasks.pairs.types import Asked, Pair

SIDES = st.integers(1, 30)
VIEW = View(20, 10, Box(0, 0, 20, 10))

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # pycocotools' own


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_loop(size: int, grid: int) -> npt.NDArray[np.float64]:
    """Each area's share of each pixel, one sample at a time: both are cut into ``size * grid`` pieces."""
    found = np.zeros((grid, size))
    for piece in range(size * grid):
        found[piece // size, piece // grid] += 1 / size
    return found


@pytest.mark.parametrize(("size", "grid"), [(12, 5), (227, 14), (16, 16), (9, 1), (7, 6)])
def test_areas_that_cut_pixels_weigh_them_as_a_loop_over_pieces_does(size: int, grid: int) -> None:
    np.testing.assert_allclose(weights(size, size, grid), by_loop(size, grid), atol=1e-12)


def test_where_the_grid_divides_the_input_an_area_is_torchs_average() -> None:
    maps = noise(2, 3, 224, 224)
    for grid in (14, 28, 224):
        expected = adaptive_avg_pool2d(maps, grid).float()
        torch.testing.assert_close(averages(maps, 224, grid), expected, rtol=1e-6, atol=1e-7)


def test_where_it_does_not_an_area_is_the_average_of_the_map_repeated_to_a_common_multiple() -> None:
    maps, grid = noise(1, 2, 27, 27), 4
    repeated = torch.from_numpy(np.kron(maps.numpy(), np.ones((1, 1, grid, grid))))
    expected = adaptive_avg_pool2d(repeated, grid).float()
    torch.testing.assert_close(averages(maps, 27, grid), expected, rtol=1e-6, atol=1e-7)


@given(SIDES, SIDES, st.integers(30, 40))
def test_a_smaller_map_is_enlarged_as_torch_does_with_aligned_corners(h: int, w: int, size: int) -> None:
    maps = noise(1, 2, h, w, seed=h * 100 + w)
    expected = interpolate(maps, size=(size, size), mode="bilinear", align_corners=True)
    torch.testing.assert_close(averages(maps, size, size), expected.float(), rtol=1e-6, atol=1e-6)


def test_enlarging_and_averaging_at_once_is_one_after_the_other() -> None:
    maps = noise(2, 2, 13, 7)
    large = interpolate(maps, size=(224, 224), mode="bilinear", align_corners=True)
    expected = adaptive_avg_pool2d(large, 28).float()
    torch.testing.assert_close(averages(maps, 224, 28), expected, rtol=1e-6, atol=1e-7)


def test_a_map_larger_than_the_input_is_averaged_as_it_is() -> None:
    maps = noise(1, 2, 256, 256)  # ten crops merged, of a network of 224 pixels
    expected = adaptive_avg_pool2d(maps, 16).float()
    torch.testing.assert_close(averages(maps, 224, 16), expected, rtol=1e-6, atol=1e-7)


def reached_by_loop(cell: int, cells: int, size: int, grid: int) -> list[bool]:
    """Which areas hold part of a pixel that lies within one cell of the given one, in exact fractions."""
    found = [False] * grid
    for pixel in range(size):
        if abs(Fraction(pixel * (cells - 1), size - 1) - cell) < 1:
            first, last = Fraction(pixel * grid, size), Fraction((pixel + 1) * grid, size)
            for area in range(grid):
                found[area] |= first < area + 1 and last > area
    return found


@pytest.mark.parametrize("size", [224, 227, 299])
def test_what_no_positive_cell_reaches_is_exactly_zero(size: int) -> None:
    for cells, grid in itertools.product((5, 7, 14, size), (14, 28)):
        one = torch.zeros(1, 1, cells, cells)
        one[0, 0, 2, 1] = 1e30
        rows, columns = (np.array(reached_by_loop(cell, cells, size, grid)) for cell in (2, 1))
        assert np.array_equal(averages(one, size, grid)[0, 0].numpy() != 0, rows[:, None] & columns)


@given(st.floats(-1e3, 1e3, width=32), SIDES, SIDES)
def test_a_constant_map_has_constant_grids(value: float, cells: int, grid: int) -> None:
    made = averages(torch.full((1, 1, cells, cells), value), 37, grid)
    assert set(made.flatten().tolist()) == {value}


def test_proportional_maps_have_grids_of_the_same_order() -> None:
    maps = noise(1, 1, 7, 7).float()
    first, second = (averages(maps * factor, 224, 28).flatten() for factor in (1, 4))
    assert torch.equal(first.argsort(stable=True), second.argsort(stable=True))


@given(st.integers(1, 25), st.integers(1, 25), st.integers(0, 2**16), st.floats(0, 1))
def test_distances_are_those_of_the_euclidean_transform(h: int, w: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    pixels: BoolArray = rng.random((h, w)) < share**3
    expected = distance_transform_edt(~pixels) if pixels.any() else np.full((h, w), np.inf)
    for y, x in [(0, 0), (h - 1, w - 1), (int(rng.integers(h)), int(rng.integers(w)))]:
        assert distance(pixels, (x, y)) == pytest.approx(expected[y, x], rel=1e-12)


def sample(*objects: tuple[int, tuple[int, int, int, int], bool], masks: Any = None) -> Sample:
    boxes = np.array([box for _, box, _ in objects], np.int32).reshape(-1, 4)
    classes = np.array([label for label, _, _ in objects], np.int32)
    hard = np.array([difficult for _, _, difficult in objects], np.bool_)
    return Sample("a", None, 0, boxes, size=(20, 10), objects=Objects(classes, boxes, hard, masks))


def read(heatmap: FloatArray, pair: Pair, **options: Any) -> dict[str, Any]:
    """The way of one heatmap through both halves of the reading."""
    model, reading = small(googlenet_like, torch.float32), Summary(**options)
    forward = forward_pass(model, images(1, dtype=torch.float32), ())
    asked = Asked(
        model, forward, torch.zeros((1, 1), dtype=torch.int64), torch.from_numpy(heatmap)[None, None]
    )
    values = {name: value[0, 0].numpy() for name, value in reading.measure(asked).items()}
    return reading.finish(pair, values)


def spot(x: int, y: int, height: int = 10, width: int = 20) -> FloatArray:
    heatmap = np.zeros((height, width), np.float32)
    heatmap[y, x] = 1
    return heatmap


def test_columns_have_the_promised_names_types_and_shapes() -> None:
    made = read(spot(3, 4), Pair(sample((2, (0, 0, 5, 5), False)), 2, VIEW), grids=(3, 12))
    types = {name: (np.asarray(value).dtype.name, np.shape(value)) for name, value in made.items()}
    assert types == {
        "grid3": ("float32", (3, 3)),
        "grid12": ("float32", (12, 12)),
        "highest": ("float32", ()),
        "lowest": ("float32", ()),
        "constant": ("bool", ()),
        "peak": ("int32", (2,)),
        "own_distance": ("float32", ()),
        "other_distance": ("float32", ()),
    }


def test_the_peak_of_a_map_of_a_cell_a_pixel_is_that_cell_and_distances_start_there() -> None:
    two = sample((2, (0, 0, 5, 5), False), (4, (12, 8, 20, 10), False))
    made = read(spot(8, 8), Pair(two, 2, VIEW), grids=(3,))
    assert made["peak"].tolist() == [8, 8]
    assert made["own_distance"] == np.float32(np.hypot(8 - 4, 8 - 4))  # to the box's last pixel
    assert made["other_distance"] == 4
    inside = read(spot(4, 4), Pair(two, 2, VIEW), grids=(3,))
    assert (inside["own_distance"], inside["constant"]) == (0, False)
    assert (inside["highest"], inside["lowest"]) == (1, 0)


def test_difficult_objects_count_for_both_distances() -> None:
    hard = sample((2, (10, 0, 12, 10), True), (4, (0, 0, 2, 10), True))
    made = read(spot(5, 5), Pair(hard, 2, VIEW), grids=(3,))
    assert (made["own_distance"], made["other_distance"]) == (5, 4)


def test_a_class_that_the_image_lacks_is_infinitely_far_and_all_its_classes_are_others() -> None:
    made = read(spot(5, 5), Pair(sample((2, (10, 0, 12, 10), False)), 6, VIEW), grids=(3,))
    assert (made["own_distance"], made["other_distance"]) == (np.inf, 5)
    alone = read(spot(5, 5), Pair(sample((2, (10, 0, 12, 10), False)), 2, VIEW), grids=(3,))
    assert (alone["own_distance"], alone["other_distance"]) == (5, np.inf)


def test_where_there_is_a_mask_the_box_around_it_is_no_object() -> None:
    pixels = np.zeros((10, 20), np.uint8, order="F")
    pixels[0, 5:10] = pixels[0:9, 9] = 1
    masked = sample((2, (5, 0, 10, 9), False), masks=[mask.encode(pixels)])
    assert read(spot(6, 4), Pair(masked, 2, VIEW), grids=(3,))["own_distance"] == 3


def test_an_image_of_one_class_has_its_boxes_as_regions() -> None:
    plain = Sample("a", None, 3, np.array([[10, 0, 12, 10]], np.int32), size=(20, 10))
    assert read(spot(5, 5), Pair(plain, 3, VIEW), grids=(3,))["own_distance"] == 5


@given(SIDES, SIDES, st.integers(1, 50), st.integers(1, 50))
def test_the_peak_is_the_box_localizers(h: int, w: int, height: int, width: int) -> None:
    heatmap = np.maximum(noise(h, w, seed=h * 100 + w).float().numpy(), 0)  # they clip what is negative
    view = View(width, height, Box(0, 0, width, height))
    plain = Sample("a", None, 0, np.array([[0, 0, 1, 1]], np.int32))
    found = Summary().finish(Pair(plain, 0, view), {"map": heatmap, "constant": np.zeros((), np.float32)})
    assert tuple(found["peak"]) == MaxBox("max_box", 1, 0.15)(heatmap, view).peak


def test_the_peak_of_a_negative_map_is_its_maximum_all_the_same() -> None:
    made = read(spot(7, 3) - 2, Pair(sample((2, (0, 0, 5, 5), False)), 2, VIEW), grids=(3,))
    assert (made["peak"].tolist(), made["highest"], made["lowest"]) == ([7, 3], -1, -2)


def test_a_centre_crop_keeps_the_peak_inside_its_region() -> None:
    view = View(20, 10, Box(5, 0, 15, 10))
    made = read(-np.ones((10, 10), np.float32), Pair(sample((2, (0, 0, 5, 5), False)), 2, view), grids=(3,))
    assert (made["peak"].tolist(), made["constant"]) == ([5, 0], True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_map_that_is_not_finite_is_refused(bad: float) -> None:
    heatmap = spot(3, 4)
    heatmap[0, 0] = bad
    with pytest.raises(UserError, match="NaN or infinity"):
        read(heatmap, Pair(sample((2, (0, 0, 5, 5), False)), 2, VIEW), grids=(3,))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_and_half_maps_leave_grids_in_full_precision(dtype: torch.dtype) -> None:
    maps = noise(1, 1, 7, 7).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = averages(maps, 224, 14)
    assert torch.equal(made, averages(maps.double(), 224, 14))


def test_a_reading_leaves_no_graph_behind() -> None:
    model = small(googlenet_like, torch.float32)
    forward = forward_pass(model, images(2, dtype=torch.float32), ("last_conv",))
    maps = forward.activations["last_conv"][:, :2]
    assert maps.requires_grad
    made = Summary((3,)).measure(Asked(model, forward, torch.zeros((2, 2), dtype=torch.int64), maps))
    assert not any(value.requires_grad for value in made.values())


@pytest.mark.parametrize("grids", [(), (0,), (14, 13), 14])
def test_grids_that_do_not_fit_the_input_are_refused_by_name(grids: Any) -> None:
    model = small(googlenet_like)
    size = model.input.size
    grids = tuple(size + 1 if grid == 13 else grid for grid in grids) if isinstance(grids, tuple) else grids
    with pytest.raises(UserError, match=r"^reading\.summary\.grids="):
        Summary(grids).check(model)


def test_grids_up_to_the_inputs_size_pass() -> None:
    model = small(googlenet_like)
    Summary((1, model.input.size)).check(model)
