"""Plain bilinear resampling against loops over pixels, OpenCV and torch."""

from math import floor

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core.types import Box, ImageArray, View
from benchmark.transforms.warp_bilinear import WarpBilinear

sides = st.integers(1, 40)


def noise(height: int, width: int, seed: int = 0) -> ImageArray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def slow(image: ImageArray, size: int) -> npt.NDArray[np.float64]:
    """Pixel by pixel, each from the four around its place."""
    height, width = image.shape[:2]
    out = np.zeros((size, size, 3))
    for i in range(size):
        y = min(max((i + 0.5) * height / size - 0.5, 0), height - 1)
        top = floor(y)
        for j in range(size):
            x = min(max((j + 0.5) * width / size - 0.5, 0), width - 1)
            left = floor(x)
            for row, down in ((top, 1 - (y - top)), (min(top + 1, height - 1), y - top)):
                for column, right in ((left, 1 - (x - left)), (min(left + 1, width - 1), x - left)):
                    out[i, j] += down * right * image[row, column]
    return out


@given(sides, sides, st.integers(1, 24), st.integers(0, 9))
def test_it_equals_loops_over_pixels_and_shows_the_whole_image(
    height: int, width: int, size: int, seed: int
) -> None:
    image = noise(height, width, seed)
    pixels, view = WarpBilinear()(image, size)
    assert pixels.dtype == np.float32
    assert pixels.flags.c_contiguous
    assert view == View(width, height, Box(0, 0, width, height))
    np.testing.assert_allclose(pixels, slow(image, size), atol=1e-3)


@given(sides, sides, st.integers(1, 24))
def test_it_equals_opencv_and_torch(height: int, width: int, size: int) -> None:
    image = noise(height, width)
    pixels, _ = WarpBilinear()(image, size)
    by_opencv = cv2.resize(image.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(pixels, by_opencv, atol=1e-2)
    channels = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    by_torch = F.interpolate(channels, (size, size), mode="bilinear", align_corners=False)
    np.testing.assert_allclose(pixels, by_torch[0].permute(1, 2, 0), atol=1e-3)


def test_a_large_image_is_thinned_out_where_the_areas_of_warp_would_be_averaged() -> None:
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::4] = 255  # one column of four, which the places 1.5, 5.5, … between others never touch
    assert (WarpBilinear()(stripes, 10)[0] == 0).all()
