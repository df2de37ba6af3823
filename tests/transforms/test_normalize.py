"""What a network is fed: the mean image where it is cut, and several views side by side."""

import numpy as np
import pytest
import torch

from benchmark.core.errors import UserError
from benchmark.core.types import FloatArray, InputFormat, MeanImage
from benchmark.transforms.normalize import averaged, by_image, side_by_side, to_input
from benchmark.transforms.ten_crop import TenCrop


def form(side: int = 256, size: int = 227, order: str = "bgr", scale: float = 1.0) -> InputFormat:
    pixels = np.random.default_rng(0).uniform(80, 150, (side, side, 3)).astype(np.float32)
    mean = MeanImage("mean.npy", "0" * 64, pixels)
    return InputFormat(size, (104, 117, 123), (1, 1, 2), order, scale, mean)


def image_of(given: InputFormat) -> FloatArray:
    assert isinstance(given.mean_image, MeanImage)
    return given.mean_image.pixels


@pytest.mark.parametrize(("order", "channels"), [("rgb", (0, 1, 2)), ("bgr", (2, 1, 0))])
def test_the_centre_of_the_mean_image_is_subtracted_colour_by_colour(
    order: str, channels: tuple[int, ...]
) -> None:
    given = form(order=order, scale=0.5)
    pixels = np.random.default_rng(1).uniform(0, 255, (227, 227, 3)).astype(np.float32)
    fed = to_input(pixels, given).numpy()
    for place, channel in enumerate(channels):
        for y, x in ((0, 0), (226, 226), (3, 200)):
            mean = image_of(given)[14 + y, 14 + x, channel]  # (256 - 227) // 2, as Caffe's test crop
            expected = 0.5 * (pixels[y, x, channel] - mean) / given.std[place]
            assert fed[place, y, x] == pytest.approx(expected, abs=1e-3)


def test_ten_crops_of_the_mean_image_itself_become_zero() -> None:
    given, crops = form(), TenCrop()
    views = crops.cut(image_of(given), 227)
    assert views.shape == (10, 227, 227, 3)
    assert not to_input(views, given, crops.cut).any()
    assert to_input(views, given).any()  # its centre fits one crop of ten


def test_several_views_are_fed_as_each_alone() -> None:
    views = np.random.default_rng(2).uniform(0, 255, (4, 12, 12, 3)).astype(np.float32)
    plain = InputFormat(12, (104, 117, 123), order="bgr")
    together = to_input(views, plain)
    assert together.shape == (4, 3, 12, 12)
    for view, fed in zip(views, together, strict=True):
        assert torch.equal(fed, to_input(view, plain))


def test_a_mean_image_smaller_than_the_input_or_never_read_is_refused() -> None:
    pixels = np.zeros((227, 227, 3), np.float32)
    with pytest.raises(UserError, match=r"mean_image: 200 pixels wide, the input 227"):
        to_input(pixels, form(side=200))
    with pytest.raises(TypeError, match="assembled"):
        to_input(pixels, InputFormat(227, (0, 0, 0), mean_image="mean.npy"))


def test_the_identity_holds_a_mean_images_hash_and_is_otherwise_the_fields() -> None:
    assert form().identity()["mean_image"] == "0" * 64
    assert InputFormat(4, (1, 2, 3)).identity() == {
        "size": 4,
        "mean": (1, 2, 3),
        "std": (1.0, 1.0, 1.0),
        "order": "rgb",
        "scale": 1.0,
    }


def test_views_lie_side_by_side_and_come_back_by_image() -> None:
    inputs = torch.arange(2 * 3 * 3 * 4.0).reshape(2, 3, 3, 2, 2)
    flat, views = side_by_side(inputs)
    assert (flat.shape, views) == ((6, 3, 2, 2), 3)
    assert torch.equal(flat[4], inputs[1, 1])
    assert torch.equal(by_image(flat, views), inputs)
    alone, one = side_by_side(inputs[:, 0])
    assert (alone.shape, one) == ((2, 3, 2, 2), 1)


def test_probabilities_are_averaged_over_the_views_of_each_image() -> None:
    values = torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.0, 1.0]])
    torch.testing.assert_close(averaged(values, 2), torch.tensor([[0.7, 0.3], [0.1, 0.9]]))
    assert averaged(values, 1) is values
