"""The reader of caffemodels against files written byte by byte."""

from pathlib import Path

import numpy as np
import pytest
from helpers import caffe_wire
from helpers.caffe_wire import FORMATS, Format
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core.errors import UserError
from benchmark.models.weights.caffemodel import read_caffemodel

BLOBS = caffe_wire.random_blobs({"conv1/7x7": [(4, 3, 2, 2), (4,)], "fc": [(5, 6)], "naïve": [(1, 1, 1, 1)]})
GARBAGE = {
    "a web page": (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
    "an LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
    "a zip of torch.save": (b"PK\x03\x04\x00\x00archive/data.pkl", "torch.save"),
    "a pickle of torch.save": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "torch.save"),
    "a prototxt": (b'name: "GoogleNet"\nlayer {\n  name: "data"\n}\n', "prototxt"),
    "nothing": (b"", "it is empty"),
    "random bytes": (
        bytes(np.random.default_rng(3).integers(0, 256, 500, dtype=np.uint8)),
        "not a caffemodel",
    ),
    "a net without parameters": (Format().net({}), "no layer with parameters"),
}


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_every_variant_of_the_format_gives_the_same_numbers(kind: str, tmp_path: Path) -> None:
    found = read_caffemodel(write(tmp_path / "net.caffemodel", FORMATS[kind].net(BLOBS)))
    assert list(found) == list(BLOBS)  # also: the layer without blobs is left out
    for name, blobs in BLOBS.items():
        for blob, expected in zip(found[name], blobs, strict=True):
            shape = (1,) * (4 - expected.ndim) + expected.shape if FORMATS[kind].v1 else expected.shape
            assert blob.dtype == np.float32
            assert blob.shape == shape
            np.testing.assert_array_equal(blob.reshape(expected.shape), expected)


def test_packed_floats_in_several_chunks_are_joined(tmp_path: Path) -> None:
    form = Format()
    shape = caffe_wire.nested(7, caffe_wire.nested(1, b"\x03"))
    chunks = form.numbers(np.array([1.0, 2.0])) + Format(packed=False).numbers(np.array([3.0]))
    layer = caffe_wire.nested(1, b"fc") + caffe_wire.nested(7, shape + chunks)
    found = read_caffemodel(write(tmp_path / "net", caffe_wire.nested(100, layer)))
    np.testing.assert_array_equal(found["fc"][0], [1, 2, 3])


@given(cut=st.integers(1, 10_000))
def test_a_truncated_file_is_refused_or_lacks_whole_layers(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = FORMATS["v1 packed"].net(BLOBS)
    path = write(tmp_path_factory.mktemp("cut") / "net.caffemodel", content[: cut % len(content)])
    try:
        found = read_caffemodel(path)
    except UserError as error:
        found, message = {}, str(error)
    if not found:
        assert message.startswith(str(path))
    assert len(found) < len(BLOBS)  # then the net misses a layer, and says so
    for name, blobs in found.items():
        assert all(np.array_equal(b.ravel(), e.ravel()) for b, e in zip(blobs, BLOBS[name], strict=True))


@pytest.mark.parametrize("kind", GARBAGE)
def test_another_file_is_refused_with_what_it_is(kind: str, tmp_path: Path) -> None:
    content, words = GARBAGE[kind]
    path = write(tmp_path / "net.caffemodel", content)
    with pytest.raises(UserError, match=words) as refused:
        read_caffemodel(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["absent.caffemodel", "."])
def test_a_path_that_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_caffemodel(tmp_path / name)


def test_a_blob_that_contradicts_its_shape_is_refused_by_layer(tmp_path: Path) -> None:
    shape = caffe_wire.nested(7, caffe_wire.nested(1, b"\x04"))
    blob = shape + Format().numbers(np.ones(3))
    layer = caffe_wire.nested(1, b"conv1") + caffe_wire.nested(7, blob)
    path = write(tmp_path / "net", caffe_wire.nested(100, layer))
    with pytest.raises(UserError, match=r"layer conv1, blob 0: 3 numbers for shape \[4\]"):
        read_caffemodel(path)


@pytest.mark.parametrize(
    ("sizes", "numbers", "fault"),
    [
        ([1] * 200, 1, "a shape of 200 axes"),
        ([0, 2**62], 0, r"0 numbers for shape \[0, 4611686018427387904\]"),
        ([2**32, 2**32], 0, "0 numbers for shape"),  # their product is 0 in 64 bits
        ([-1, -3], 3, r"3 numbers for shape \[-1, -3\]"),
    ],
)
def test_impossible_sizes_are_refused_by_layer(
    sizes: list[int], numbers: int, fault: str, tmp_path: Path
) -> None:
    shape = caffe_wire.nested(7, caffe_wire.nested(1, b"".join(map(caffe_wire.varint, sizes))))
    blob = shape + Format().numbers(np.ones(numbers))
    layer = caffe_wire.nested(1, b"conv1") + caffe_wire.nested(7, blob)
    path = write(tmp_path / "net", caffe_wire.nested(100, layer))
    with pytest.raises(UserError, match=f"layer conv1, blob 0: {fault}"):
        read_caffemodel(path)


def test_a_layer_given_twice_is_taken_once_if_equal_and_refused_if_not(tmp_path: Path) -> None:
    once = Format().net({"fc": [np.ones(3)]})
    assert list(read_caffemodel(write(tmp_path / "same", once + once))) == ["fc"]
    other = Format(v1=True).net({"fc": [np.zeros(3)]})
    with pytest.raises(UserError, match="two layers named fc"):
        read_caffemodel(write(tmp_path / "differ", once + other))
