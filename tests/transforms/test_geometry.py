"""Resampling against loops over pixels, Torch7's rule word by word, and torchvision."""

from math import ceil, floor

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from benchmark.core.errors import UserError
from benchmark.core.protocols import Transform
from benchmark.core.types import Box, ImageArray, InputFormat, View
from benchmark.transforms import CenterCrop, Warp, to_input

sides = st.integers(1, 40)


def noise(height: int, width: int, seed: int = 0) -> ImageArray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def slow_axis(line: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """One line ``[n, 3]`` resampled pixel by pixel."""
    n, out = len(line), np.zeros((size, 3))
    for i in range(size):
        if size < n:  # average over [start, stop), with the shares of the pixels at both ends
            start, stop = i * n / size, (i + 1) * n / size
            shares = {j: min(stop, j + 1) - max(start, j) for j in range(floor(start), min(ceil(stop), n))}
            out[i] = sum(share * line[j] for j, share in shares.items()) / sum(shares.values())
        else:  # the first and last pixels lie on each other
            place = i * (n - 1) / (size - 1) if size > 1 else 0.0
            left = min(floor(place), n - 1)
            right = min(left + 1, n - 1)
            out[i] = (left + 1 - place) * line[left] + (place - left) * line[right]
    return out


def slow_warp(image: ImageArray, size: int) -> npt.NDArray[np.float64]:
    rows = np.stack([slow_axis(line, size) for line in image.astype(np.float64)])
    columns = [slow_axis(rows[:, x], size) for x in range(size)]
    return np.stack(columns, axis=1)


@given(sides, sides, st.integers(1, 24), st.integers(0, 9))
def test_warp_equals_loops_over_pixels(height: int, width: int, size: int, seed: int) -> None:
    image = noise(height, width, seed)
    pixels, view = Warp()(image, size)
    assert pixels.dtype == np.float32
    assert pixels.shape == (size, size, 3)
    assert view == View(width, height, Box(0, 0, width, height))
    np.testing.assert_allclose(pixels, slow_warp(image, size), atol=1e-3)


@given(sides, sides, st.integers(1, 24))
def test_warp_stays_in_the_range_of_the_image(height: int, width: int, size: int) -> None:
    image = noise(height, width)
    pixels, _ = Warp()(image, size)
    assert image.min() - 1e-3 < pixels.min() <= pixels.max() < image.max() + 1e-3


@given(st.integers(1, 8), st.integers(1, 5), st.integers(1, 5))
def test_warp_by_whole_factors_is_the_mean_of_blocks(size: int, down: int, right: int) -> None:
    image = noise(size * down, size * right)
    means = image.reshape(size, down, size, right, 3).astype(np.float64).mean((1, 3))
    np.testing.assert_allclose(Warp()(image, size)[0], means, atol=1e-3)


@given(sides, sides, st.integers(1, 24))
def test_warp_commutes_with_a_flip(height: int, width: int, size: int) -> None:
    image = noise(height, width)
    flipped, _ = Warp()(np.ascontiguousarray(image[:, ::-1]), size)
    np.testing.assert_allclose(flipped[:, ::-1], Warp()(image, size)[0], atol=1e-3)


def test_warp_that_enlarges_both_axes_equals_torch() -> None:
    image = noise(60, 45)
    channels = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    expected = F.interpolate(channels, (224, 224), mode="bilinear", align_corners=True)[0].permute(1, 2, 0)
    np.testing.assert_allclose(Warp()(image, 224)[0], expected, atol=1e-3)


def test_warp_at_the_same_size_changes_nothing() -> None:
    image = noise(32, 32)
    np.testing.assert_array_equal(Warp()(image, 32)[0], image)


@pytest.mark.parametrize(("height", "width"), [(375, 500), (500, 333), (256, 256), (120, 90), (301, 299)])
def test_center_crop_equals_torchvisions_within_its_rounding(height: int, width: int) -> None:
    image = noise(height, width)
    reference = v2.Compose([v2.Resize(256), v2.CenterCrop(224)])
    pixels, _ = CenterCrop()(image, 224)
    assert pixels.dtype == np.float32
    assert pixels.shape == (224, 224, 3)
    tensor = reference(torch.from_numpy(image).permute(2, 0, 1).float()).permute(1, 2, 0)
    np.testing.assert_allclose(pixels, tensor, atol=1e-3)
    whole = np.asarray(reference(Image.fromarray(image)), np.float32)  # Pillow rounds after each axis
    np.testing.assert_allclose(pixels, whole, atol=1.5)


@given(sides, sides, st.integers(1, 12), st.integers(0, 12))
def test_the_region_of_a_crop_is_centred_and_inside(height: int, width: int, size: int, more: int) -> None:
    pixels, view = CenterCrop(resize=size + more)(noise(height, width), size)
    x0, y0, x1, y1 = view.region
    assert pixels.shape == (size, size, 3)
    assert (view.width, view.height) == (width, height)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    scale = min(height, width) / (size + more)  # original pixels of one resized pixel
    assert abs(x0 - (width - x1)) <= 1 + 2 * scale + max(width, height) / min(width, height)
    assert abs(y0 - (height - y1)) <= 1 + 2 * scale + max(width, height) / min(width, height)


def test_the_region_of_a_crop_by_hand() -> None:
    _, view = CenterCrop(resize=256)(noise(512, 1024), 224)
    assert view.region == Box(288, 32, 736, 480)  # twice (144, 16, 368, 240) of the resized 512x256


def test_a_crop_larger_than_the_resized_image_is_refused() -> None:
    with pytest.raises(UserError, match=r"transform\.resize=200"):
        CenterCrop(resize=200)(noise(300, 300), 224)


def test_an_input_is_scaled_then_normalised_in_the_networks_order() -> None:
    pixels = np.array([[[255.0, 128.0, 0.0]]], np.float32)
    rgb = InputFormat(1, (0.5, 0.25, 0.0), (0.5, 0.5, 2.0), "rgb", 1 / 255)
    np.testing.assert_allclose(to_input(pixels, rgb).ravel(), [1.0, (128 / 255 - 0.25) / 0.5, 0.0], rtol=1e-6)
    bgr = InputFormat(1, (104.0, 117.0, 123.0), order="bgr")
    np.testing.assert_array_equal(to_input(pixels, bgr).ravel(), [-104, 11, 132])


def test_an_input_is_channels_first_and_contiguous() -> None:
    pixels = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    tensor = to_input(pixels, InputFormat(3, (0, 0, 0)))
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous()
    np.testing.assert_array_equal(tensor, pixels.transpose(2, 0, 1))


def test_an_unknown_channel_order_is_refused() -> None:
    with pytest.raises(UserError, match=r"order=grb"):
        to_input(np.zeros((1, 1, 3), np.float32), InputFormat(1, (0, 0, 0), order="grb"))


@pytest.mark.parametrize("transform", [Warp(), CenterCrop(resize=32)])
def test_the_image_is_left_as_it_was(transform: Transform) -> None:
    image = noise(50, 40)
    image.flags.writeable = False
    transform(image, 32)
