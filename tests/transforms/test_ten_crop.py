"""Ten crops and their merged map against loops, Pillow and the kernel that localizers use."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.heatmaps import cubic
from benchmark.core.protocols import SeveralViews
from benchmark.core.types import Box, ImageArray, View
from benchmark.transforms.ten_crop import TenCrop

PLACES = ((0, 0), (0, 32), (32, 0), (32, 32), (16, 16))
"""Top and left of the crops of 224 in 256, as prepare_image.m has them, less one."""


def noise(height: int, width: int, seed: int = 0) -> ImageArray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def random_maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def slow_merge(maps: Tensor, size: int) -> npt.NDArray[np.float64]:
    """Crop by crop and pixel by pixel in whole images, ``[N, K, 256, 256]``."""
    images, _, classes = maps.shape[:3]
    merged = np.zeros((images, classes, 256, 256))
    for n, k, view in np.ndindex(images, classes, 10):
        crop = cubic(maps[n, view, k].numpy(), size, size, -0.5).astype(np.float64)
        top, left = PLACES[view % 5]
        for x in range(size):
            column = crop[:, size - 1 - x] if view >= 5 else crop[:, x]
            merged[n, k, top : top + size, left + x] += np.abs(column)
    return merged


def test_the_crops_are_cut_from_the_image_warped_to_a_square_and_mirrored() -> None:
    image = noise(375, 500)
    pixels, view = TenCrop()(image, 224)
    assert pixels.shape == (10, 224, 224, 3)
    assert pixels.dtype == np.float32
    assert view == View(500, 375, Box(0, 0, 500, 375))
    square = np.asarray(Image.fromarray(image).resize((256, 256), Image.Resampling.BILINEAR), np.float32)
    for number, (top, left) in enumerate(PLACES):
        crop = square[top : top + 224, left : left + 224]
        np.testing.assert_allclose(pixels[number], crop, atol=1.5)  # Pillow rounds after each axis
        np.testing.assert_array_equal(pixels[number + 5], pixels[number][:, ::-1])


def test_the_centre_of_an_odd_rest_lies_as_in_the_authors_code() -> None:
    canvas = np.arange(256 * 256, dtype=np.float32).reshape(256, 256, 1).repeat(3, axis=2)
    centre = TenCrop().cut(canvas, 227)[4]
    assert centre[0, 0, 0] == 15 * 256 + 15  # floor((29 + 1) / 2) + 1 = 16, counted from one


@pytest.mark.parametrize(("height", "width"), [(14, 14), (7, 9), (224, 224), (1, 1)])
def test_the_merged_map_equals_loops_over_crops(height: int, width: int) -> None:
    maps = random_maps(2, 10, 1, height, width)
    merged = TenCrop().merge(maps, 224)
    np.testing.assert_allclose(merged.numpy(), slow_merge(maps, 224), rtol=1e-5, atol=1e-5)


def test_absolute_values_are_added_as_published_unless_asked_otherwise() -> None:
    maps = random_maps(1, 10, 2, 7, 7)
    assert (TenCrop().merge(maps, 224) >= 0).all()
    signed = TenCrop(absolute=False).merge(maps, 224)
    torch.testing.assert_close(TenCrop(absolute=False).merge(-maps, 224), -signed)
    torch.testing.assert_close(TenCrop().merge(-maps, 224), TenCrop().merge(maps, 224))
    ones = torch.ones(1, 10, 1, 5, 5)
    torch.testing.assert_close(TenCrop().merge(ones, 224), TenCrop(absolute=False).merge(ones, 224))


def test_constant_maps_merge_to_the_number_of_crops_that_show_a_place() -> None:
    merged = TenCrop().merge(torch.ones(1, 10, 1, 14, 14), 224)[0, 0]
    assert merged[0, 0] == merged[255, 0] == 2
    assert merged[128, 128] == 10
    assert merged[20, 20] == 4  # one corner and the centre
    assert merged[0, 128] == 4  # two corners


def test_crops_that_show_the_same_field_add_up_to_it_with_every_flip_undone() -> None:
    field = np.zeros((256, 256, 3), np.float32)
    field[40:90, 150:230] = 1  # off the middle: a flip not undone would put it at the left as well
    views = TenCrop().cut(field, 224)[..., 0]
    merged = TenCrop().merge(torch.from_numpy(views)[None, :, None], 224)[0, 0].numpy()
    assert ((merged > 0) == (field[..., 0] > 0)).all()


def test_a_maps_merging_does_not_depend_on_its_batch() -> None:
    maps = random_maps(5, 10, 3, 14, 13)
    merged = TenCrop().merge(maps, 227)
    for row in range(5):
        assert torch.equal(TenCrop().merge(maps[row : row + 1, :, 1:2], 227)[0, 0], merged[row, 1])


def test_it_declares_its_several_views() -> None:
    assert isinstance(TenCrop(), SeveralViews)


def test_a_canvas_smaller_than_the_input_or_other_than_the_mean_image_is_refused() -> None:
    with pytest.raises(UserError, match=r"transform\.canvas=200: .*224"):
        TenCrop(canvas=200)(noise(300, 300), 224)
    with pytest.raises(UserError, match=r"mean_image: 240 .* 256"):
        TenCrop().cut(np.zeros((240, 240, 3), np.float32), 224)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_merges_as_the_cpu_does() -> None:
    maps = random_maps(2, 10, 3, 14, 14)
    torch.testing.assert_close(TenCrop().merge(maps.cuda(), 224).cpu(), TenCrop().merge(maps, 224))
