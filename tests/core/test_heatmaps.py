import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch.nn.functional import interpolate

from benchmark.core.errors import UserError
from benchmark.core.heatmaps import cubic, peak, to_bytes, upsample, upsample_cubic
from benchmark.core.types import Box, FloatArray, View

SIDES = st.integers(1, 40)


def full(width: int, height: int) -> View:
    return View(width, height, Box(0, 0, width, height))


def random_map(height: int, width: int) -> FloatArray:
    return np.random.default_rng(height * 100 + width).standard_normal((height, width)).astype(np.float32)


@given(SIDES, SIDES, SIDES, SIDES)
def test_upsampling_is_torchs_bilinear_with_aligned_corners(h: int, w: int, height: int, width: int) -> None:
    heatmap = random_map(h, w)
    oracle = interpolate(
        torch.from_numpy(heatmap.astype(np.float64))[None, None],
        size=(height, width),
        mode="bilinear",
        align_corners=True,
    )[0, 0].numpy()
    pixels = upsample(heatmap, full(width, height))
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, oracle, rtol=0, atol=2e-6)  # float32 rounding of values up to 4


def test_a_hand_made_map_is_interpolated_as_drawn() -> None:
    heatmap = np.array([[0, 4], [8, 12]], np.float32)
    expected = [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8], [8, 9, 10, 11, 12]]
    assert upsample(heatmap, full(5, 3)).tolist() == expected


@given(SIDES, SIDES, st.integers(1, 6), st.integers(1, 6))
def test_cells_keep_their_values_where_pixels_lie_on_them(h: int, w: int, down: int, across: int) -> None:
    heatmap = random_map(h, w)
    pixels = upsample(heatmap, full((w - 1) * across + 1, (h - 1) * down + 1))
    assert (pixels[::down, ::across] == heatmap).all()


@given(SIDES, SIDES, SIDES, SIDES, st.floats(-1e6, 1e6, width=32))
def test_a_constant_map_stays_exactly_constant(h: int, w: int, height: int, width: int, value: float) -> None:
    pixels = upsample(np.full((h, w), value, np.float32), full(width, height))
    assert pixels.shape == (height, width)
    assert (pixels == np.float32(value)).all()


def test_one_cell_covers_every_pixel() -> None:
    assert upsample(np.array([[3]], np.float32), full(4, 2)).tolist() == [[3] * 4] * 2


def test_one_pixel_takes_the_first_cell() -> None:
    assert upsample(random_map(5, 5), full(1, 1))[0, 0] == random_map(5, 5)[0, 0]


def test_outside_the_region_lies_nothing_that_could_be_selected() -> None:
    heatmap = np.array([[-3, -1], [-2, -1]], np.float32)
    pixels = upsample(heatmap, View(6, 5, Box(2, 1, 4, 3)))
    assert pixels.shape == (5, 6)
    assert (pixels[1:3, 2:4] == heatmap).all()
    outside = np.ones((5, 6), np.bool_)
    outside[1:3, 2:4] = False
    assert (pixels[outside] == -np.inf).all()
    assert peak(pixels) == (3, 1)


def test_a_region_of_full_width_alone_is_still_pasted() -> None:
    pixels = upsample(np.ones((2, 2), np.float32), View(4, 6, Box(0, 1, 4, 5)))
    assert (pixels[1:5] == 1).all()
    assert (pixels[[0, 5]] == -np.inf).all()


def test_the_map_given_is_left_as_it_was() -> None:
    heatmap = random_map(4, 4)
    before = heatmap.copy()
    upsample(heatmap, full(4, 4))[:] = 0
    assert (heatmap == before).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_map_that_is_not_finite_is_refused(bad: float) -> None:
    heatmap = np.zeros((3, 3), np.float32)
    heatmap[1, 2] = bad
    with pytest.raises(UserError, match="NaN or infinity"):
        upsample(heatmap, full(9, 9))


def test_the_peak_is_x_then_y_and_the_first_in_raster_order() -> None:
    pixels = np.zeros((4, 6), np.float32)
    assert peak(pixels) == (0, 0)
    pixels[3, 0] = pixels[1, 5] = pixels[2, 1] = 7
    assert peak(pixels) == (5, 1)


@given(SIDES, SIDES, SIDES, SIDES)
def test_cubic_convolution_is_opencvs(h: int, w: int, height: int, width: int) -> None:
    heatmap = random_map(h, w)
    oracle = cv2.resize(heatmap.astype(np.float64), (width, height), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(cubic(heatmap, height, width, -0.75), oracle, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(7, 7, 50, 33), (5, 9, 20, 40)])
def test_enlarging_with_matlabs_kernel_is_pillows_bicubic_away_from_the_border(
    size: tuple[int, int, int, int],
) -> None:
    h, w, height, width = size
    heatmap = random_map(h, w)
    oracle = np.asarray(Image.fromarray(heatmap).resize((width, height), Image.Resampling.BICUBIC))
    inner = (slice(2 * height // h, -2 * height // h), slice(2 * width // w, -2 * width // w))
    np.testing.assert_allclose(
        upsample_cubic(heatmap, full(width, height))[inner], oracle[inner], rtol=0, atol=1e-5
    )


@given(SIDES, SIDES, SIDES, SIDES, st.floats(-1e6, 1e6, width=32))
def test_cubic_convolution_keeps_a_constant_map_exactly(
    h: int, w: int, height: int, width: int, value: float
) -> None:
    assert (cubic(np.full((h, w), value, np.float32), height, width, -0.5) == np.float32(value)).all()


def test_cubic_upsampling_too_leaves_what_was_not_seen_at_minus_infinity() -> None:
    pixels = upsample_cubic(random_map(3, 3), View(9, 7, Box(2, 1, 8, 7)))
    assert (np.isfinite(pixels) == (upsample(random_map(3, 3), View(9, 7, Box(2, 1, 8, 7))) > -np.inf)).all()
    with pytest.raises(UserError, match="NaN"):
        upsample_cubic(np.full((2, 2), np.nan, np.float32), full(4, 4))


def test_a_grey_picture_has_255_at_the_maximum_and_rounds_half_up() -> None:
    pixels = np.array([[2, 1, 0.48 / 127.5, 0.52 / 127.5, -3, -np.inf]], np.float32)
    assert to_bytes(pixels).tolist() == [[255, 128, 0, 1, 0, 0]]
    assert to_bytes(-pixels[:, :2]).tolist() == [[0, 0]]
