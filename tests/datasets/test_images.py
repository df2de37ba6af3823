"""Decoding: as stored, whole, or refused."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from benchmark.core.errors import UserError
from benchmark.core.types import ImageArray, Sample
from benchmark.datasets.images import UnreadableImage, check_size, inspect, read_rgb, read_sample

SIZE = (48, 32)
ROTATED = 6


def photo(seed: int = 0, size: tuple[int, int] = SIZE) -> ImageArray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


def jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "ILSVRC2012_val_00000001.JPEG"
    path.write_bytes(content)
    return path


def test_a_png_comes_back_pixel_for_pixel(tmp_path: Path) -> None:
    path = tmp_path / "a.JPEG"  # as some files of ImageNet: a PNG by another name
    Image.fromarray(photo()).save(path, "PNG")
    pixels = read_rgb(path)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, photo())
    assert inspect(path).format == "PNG"


def test_exif_orientation_is_seen_and_not_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    image = Image.fromarray(photo())
    turned = read_rgb(written(tmp_path, jpeg(image, exif=exif)))
    facts = inspect(tmp_path / "ILSVRC2012_val_00000001.JPEG")
    assert (facts.width, facts.height, facts.exif_rotated) == (*SIZE, True)
    assert np.array_equal(turned, read_rgb(written(tmp_path, jpeg(image))))
    assert not inspect(tmp_path / "ILSVRC2012_val_00000001.JPEG").exif_rotated


def test_grey_is_replicated(tmp_path: Path) -> None:
    path = written(tmp_path, jpeg(Image.fromarray(photo()[..., 0])))
    pixels = read_rgb(path)
    assert inspect(path).mode == "L"
    assert pixels.shape == (*SIZE[::-1], 3)
    assert (pixels == pixels[..., :1]).all()


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    plain = Image.new("RGB", SIZE, (200, 30, 90))
    path = written(tmp_path, jpeg(plain.convert("CMYK")))
    assert inspect(path).mode == "CMYK"
    assert np.abs(read_rgb(path).astype(int) - [200, 30, 90]).max() <= 3


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_dropped_and_colour_kept(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(photo()).convert(mode)
    image.putalpha(0)
    path = tmp_path / "a.png"
    image.save(path)
    assert np.array_equal(read_rgb(path), np.asarray(image.convert("RGB")))


def test_a_palette_with_transparency_is_looked_up(tmp_path: Path) -> None:
    image = Image.new("P", SIZE, 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    path = tmp_path / "a.png"
    image.save(path, transparency=b"\x00\x80")
    assert (read_rgb(path) == [10, 20, 30]).all()


def test_sixteen_bits_a_channel_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(path)
    with pytest.raises(UnreadableImage, match="I;16"):
        read_rgb(path)


@given(share=st.floats(0, 0.98))
def test_a_jpeg_cut_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    content = jpeg(Image.fromarray(photo()))
    path = written(tmp_path_factory.getbasetemp(), content[: int(share * len(content))])
    with pytest.raises(UnreadableImage, match="ILSVRC2012_val_00000001"):
        read_rgb(path)


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_a_cut_jpeg_with_an_end_marker_is_no_grey_fill(tmp_path: Path, share: float) -> None:
    content = jpeg(Image.fromarray(photo(size=(160, 120))))
    path = written(tmp_path, content[: int(share * len(content))] + b"\xff\xd9")
    with pytest.raises(UnreadableImage, match="truncated"):
        read_rgb(path)


def test_a_cut_jpeg_is_refused_also_where_another_library_allowed_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(UnreadableImage):
        read_rgb(written(tmp_path, jpeg(Image.fromarray(photo()))[:-200]))


@pytest.mark.parametrize("colour", [0, 127, 255])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_flat_image_is_not_taken_for_a_grey_fill(tmp_path: Path, colour: int, progressive: bool) -> None:
    image = Image.new("RGB", (640, 480), (colour, colour, colour))
    assert (read_rgb(written(tmp_path, jpeg(image, progressive=progressive))) == colour).all()


def test_bytes_after_the_end_do_no_harm(tmp_path: Path) -> None:
    content = jpeg(Image.new("RGB", SIZE, (9, 9, 9)))
    assert (read_rgb(written(tmp_path, content + b"\0" * 100)) == 9).all()


@pytest.mark.parametrize("content", [b"", b"\0" * 500, b"<html>404</html>"])
def test_what_is_no_image_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    for look in (read_rgb, inspect):
        with pytest.raises(UnreadableImage, match="ILSVRC2012_val_00000001"):
            look(written(tmp_path, content))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="nowhere"):
        read_rgb(tmp_path / "nowhere.JPEG")


def test_a_header_alone_does_not_show_that_pixels_are_missing(tmp_path: Path) -> None:
    path = written(tmp_path, jpeg(Image.fromarray(photo()))[:-200])
    assert inspect(path, decode=False).width == SIZE[0]
    with pytest.raises(UnreadableImage):
        inspect(path, decode=True)


def sample(path: Path, size: tuple[int, int] | None, boxes: list[list[int]]) -> Sample:
    return Sample("ILSVRC2012_val_00000001", path, 0, np.array(boxes, np.int32).reshape(-1, 4), size=size)


def test_a_sample_of_its_annotated_size_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, jpeg(Image.fromarray(photo())))
    assert read_sample(sample(path, SIZE, [[0, 0, *SIZE]])).shape == (*SIZE[::-1], 3)
    assert read_sample(sample(path, None, [])).shape == (*SIZE[::-1], 3)


def test_another_size_than_annotated_is_refused_with_both(tmp_path: Path) -> None:
    path = written(tmp_path, jpeg(Image.fromarray(photo())))
    with pytest.raises(UnreadableImage, match="00000001 is 48x32, its annotation says 32x48"):
        read_sample(sample(path, SIZE[::-1], []))


def promising(width: int, height: int) -> bytes:
    """A PNG whose header promises a size, and whose pixels are cut off: decoding it would say so."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    header = b"IHDR" + struct.pack(">II", width, height) + buffer.getvalue()[24:29]
    return buffer.getvalue()[:12] + header + struct.pack(">I", zlib.crc32(header)) + buffer.getvalue()[33:50]


def test_a_header_of_more_pixels_than_the_limit_is_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, promising(13_000, 13_000))
    for look in (read_rgb, inspect, lambda path: inspect(path, decode=False)):
        with pytest.raises(
            UnreadableImage, match=r"promises 13000x13000 pixels.*BENCHMARK_MAX_PIXELS=169000000"
        ):
            look(path)
    monkeypatch.setenv("BENCHMARK_MAX_PIXELS", "169000000")
    assert inspect(path, decode=False).width == 13_000
    monkeypatch.setenv("BENCHMARK_MAX_PIXELS", "many")
    with pytest.raises(UserError, match="BENCHMARK_MAX_PIXELS=many: must be a whole number"):
        inspect(path, decode=False)


def test_a_header_of_more_pixels_than_annotated_is_refused_before_decoding(tmp_path: Path) -> None:
    path = written(tmp_path, promising(9_000, 9_000))
    with pytest.raises(UnreadableImage, match="00000001 is 9000x9000, its annotation says 48x32"):
        read_sample(sample(path, SIZE, []))


def test_a_file_for_which_pillow_would_start_a_program_is_no_image(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photo()).save(buffer, "EPS")
    with pytest.raises(UnreadableImage, match="not an image"):
        read_rgb(written(tmp_path, buffer.getvalue()))


@pytest.mark.parametrize("box", [[0, 0, 49, 32], [0, 0, 48, 33]])
def test_a_box_outside_the_image_is_refused(box: list[int]) -> None:
    with pytest.raises(UnreadableImage, match="48x32"):
        check_size(sample(Path("a.JPEG"), None, [[0, 0, 1, 1], box]), SIZE)


def test_boxes_alone_cannot_be_read_as_image() -> None:
    with pytest.raises(UserError, match=r"dataset\.root="):
        read_sample(Sample("ILSVRC2012_val_00000001", None, 0, np.zeros((0, 4), np.int32)))


def test_no_real_image_is_taken_for_truncated(shared: Path) -> None:
    for path in sorted((shared / "ilsvrc_originals/Data/CLS-LOC/val").iterdir())[::6]:
        assert inspect(path).format == "JPEG"


def test_every_cut_real_image_with_an_end_marker_is_refused(shared: Path, tmp_path: Path) -> None:
    for path in sorted((shared / "ilsvrc_originals/Data/CLS-LOC/val").iterdir())[::12]:
        content = path.read_bytes()
        with pytest.raises(UnreadableImage):
            read_rgb(written(tmp_path, content[: len(content) * 2 // 3] + b"\xff\xd9"))
