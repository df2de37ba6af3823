"""The part of an image that a net is shown, held against pictures whose pixels tell where they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core.types import ImageArray
from benchmark.training.augment import augmented
from benchmark.training.options import Augmentation
from benchmark.transforms import Warp

STILL = Augmentation(crop=(1, 1), ratio=1, flip=False)


def ramp(height: int = 100, width: int = 200) -> ImageArray:
    """Red tells the column, green the row, both as a share of 250."""
    red = np.broadcast_to(np.linspace(0, 250, width), (height, width))
    green = np.broadcast_to(np.linspace(0, 250, height)[:, None], (height, width))
    return np.stack([red, green, np.zeros_like(red)], 2).round().astype(np.uint8)


def test_without_chance_it_is_the_whole_image_warped() -> None:
    shown = augmented(ramp(), 50, STILL, np.random.default_rng(0))
    expected, _ = Warp()(ramp(), 50)
    assert shown.dtype == np.float32
    np.testing.assert_allclose(shown, expected, atol=1)  # OpenCV rounds to whole grey levels


@given(seed=st.integers(0, 10_000), least=st.floats(0.1, 1.0), ratio=st.floats(1, 2))
def test_the_part_has_the_area_and_the_ratio_that_were_asked_for(
    seed: int, least: float, ratio: float
) -> None:
    options = Augmentation(crop=(least, 1), ratio=ratio, flip=False)
    shown = augmented(ramp(), 40, options, np.random.default_rng(seed))
    wide = (shown[:, -1, 0].mean() - shown[:, 0, 0].mean()) / 250
    high = (shown[-1, :, 1].mean() - shown[0, :, 1].mean()) / 250
    assert wide * high > least / ratio - 0.08  # a side that would stick out is cut
    assert wide / high < ratio * 1.1
    assert high / wide < ratio * 1.1


def test_half_of_the_images_are_mirrored() -> None:
    options = Augmentation(crop=(1, 1), ratio=1, flip=True)
    mirrored = [
        bool(shown[0, 0, 0] > shown[0, -1, 0])
        for shown in (augmented(ramp(), 20, options, np.random.default_rng(seed)) for seed in range(200))
    ]
    assert 70 < sum(mirrored) < 130


def test_colour_changes_pixels_but_no_place_and_stays_in_range() -> None:
    tinted = Augmentation(crop=(0.5, 1), colour=0.4)
    plain = Augmentation(crop=(0.5, 1), colour=0)
    for seed in range(5):
        first, second = (augmented(ramp(), 30, o, np.random.default_rng(seed)) for o in (plain, tinted))
        assert second.dtype == np.float32
        assert second.min() >= 0
        assert second.max() <= 255
        assert not np.allclose(first, second, atol=1)
        for channel, axis in ((0, 1), (1, 0)):  # columns still rise (or fall) as they did
            a, b = (np.diff(shown[..., channel].mean(1 - axis)) for shown in (first, second))
            assert np.sign(a.sum()) == np.sign(b.sum())


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2)])
def test_the_smallest_images_are_no_special_case(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 7, np.uint8)
    for seed in range(20):
        shown = augmented(image, 8, Augmentation(crop=(0.1, 1)), np.random.default_rng(seed))
        assert (shown == 7).all()
