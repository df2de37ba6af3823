"""Mean images as Caffe ships them, and files that are none."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import hydra
import numpy as np
import pytest
from helpers.caffe_wire import Format

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError
from benchmark.core.types import FloatArray, InputFormat, MeanImage
from benchmark.models.assembly import read_mean_image, with_mean_image


def blue_green_red(side: int = 256) -> FloatArray:
    return np.random.default_rng(0).uniform(90, 140, (3, side, side)).astype(np.float32)


@pytest.mark.parametrize("v1", [True, False])
def test_binaryproto_and_npy_are_read_as_the_same_rgb_image(tmp_path: Path, v1: bool) -> None:
    planes = blue_green_red()
    (tmp_path / "mean.binaryproto").write_bytes(Format(v1=v1).blob(planes))
    np.save(tmp_path / "mean.npy", planes)
    (tmp_path / "copy.binaryproto").write_bytes((tmp_path / "mean.npy").read_bytes())
    for name in ("mean.binaryproto", "mean.npy", "copy.binaryproto"):
        image = read_mean_image(tmp_path / name, 227)
        assert image.shape == (256, 256, 3)
        for channel, plane in enumerate(planes[::-1]):
            np.testing.assert_array_equal(image[..., channel], plane)


def test_a_model_holds_the_image_and_its_hash_wherever_the_file_lies(tmp_path: Path) -> None:
    np.save(tmp_path / "mean.npy", blue_green_red())
    (tmp_path / "copy.npy").write_bytes((tmp_path / "mean.npy").read_bytes())
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("config", ["model=alexnet_bvlc"]).model
    small = {"weights": "random", "width": 0.05, "weights_dir": str(tmp_path)}
    forms = []
    for file in ("mean.npy", str(tmp_path / "copy.npy"), None):
        cfg.input.mean_image = file
        forms.append(build(cfg, **small).input)
    image = forms[0].mean_image
    assert isinstance(image, MeanImage)
    assert image.sha256 == sha256((tmp_path / "mean.npy").read_bytes()).hexdigest()
    assert forms[0].identity() == forms[1].identity() != forms[2].identity()
    assert forms[2].mean_image is None
    assert hash(forms[0])


def test_a_format_without_a_file_or_already_read_is_left_alone() -> None:
    plain = InputFormat(4, (1, 2, 3))
    assert with_mean_image(plain, None) is plain
    held = replace(plain, mean_image=MeanImage("x", "0", np.zeros((4, 4, 3), np.float32)))
    assert with_mean_image(held, None) is held


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("mean.binaryproto", b"", "no number in it"),
        ("mean.binaryproto", b"<!DOCTYPE html>", "web page"),
        ("mean.binaryproto", Format().blob(blue_green_red())[:999], "truncated"),
        ("mean.binaryproto", Format().blob(np.zeros(7, np.float32)), r"\[3, C, C\]"),
        ("mean.binaryproto", Format().blob(blue_green_red(200)), "at least 227"),
        ("mean.binaryproto", Format().blob(blue_green_red() * 2), "outside 0…255"),
        ("mean.binaryproto", Format().blob(blue_green_red() * np.float32("nan")), "outside 0…255"),
        ("mean.npy", b"", "it is empty"),
        ("mean.npy", b"not numpy", "not a BlobProto"),
        ("mean.npy", b"\x93NUMPY\x01", "cannot be read as .npy"),
    ],
)
def test_a_file_that_holds_no_mean_image_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=says) as refused:
        with_mean_image(InputFormat(227, (0, 0, 0), mean_image=name), str(tmp_path))
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_array_of_texts_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "mean.npy", np.array(["mean"]))
    with pytest.raises(UserError, match="no array of numbers"):
        read_mean_image(tmp_path / "mean.npy", 4)


def test_a_file_that_is_not_there_is_asked_for_by_its_own_option(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no mean image at .*give model\.input\.mean_image=PATH"):
        with_mean_image(InputFormat(4, (0, 0, 0), mean_image="mean.npy"), str(tmp_path))
