"""Decoding of images as they are stored: a damaged file is refused, never silently repaired.

So is, before it is decoded, one whose header promises other pixels than its annotation says, or more than
``$BENCHMARK_MAX_PIXELS``: a file of a few kilobytes could fill the memory. Only raster formats are looked at;
for others Pillow would start programs.

Boxes are annotated in the frame in which the pixels are stored, so an EXIF orientation is **not** applied
(the sizes in ILSVRC's annotations are those of the stored frame). Pillow decodes; anything but RGB is
converted here and nowhere else: grey is replicated, alpha is dropped (as in the Grad-CAM authors' demo,
protocol §1.3), a palette is looked up, and CMYK becomes RGB by Pillow's rule. Colour profiles are ignored.
"""

import io
import os
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from benchmark.core.errors import UserError
from benchmark.core.reading import read_whole
from benchmark.core.types import ImageArray, Sample

# Exceptions that Pillow's decoders raise on damaged bytes.
_BROKEN: tuple[type[Exception], ...] = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError),
    *(struct.error, MemoryError),
)
# Other modes (16 or 32 bits a channel, L*a*b*) have no agreed conversion to 8-bit RGB.
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "PPM")
_MAX_PIXELS = 1024**3 // 4 // 3
"""Pillow's own limit, 89 million pixels, above which it warns; the largest image of ILSVRC2012 has fewer."""
_LIMIT = "BENCHMARK_MAX_PIXELS"
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes an image upright, by its EXIF orientation (EXIF 2.3, tag 0x0112)."""
_END_OF_IMAGE = b"\xff\xd9"
_PADDING = b"\x5a\xc3\x96\x3c" * 8


warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # damaged EXIF, which is not read


class UnreadableImage(UserError):  # noqa: N818 - it names a state of an image
    """An image file that is missing, truncated, corrupt, or not the image that was annotated."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Size and format of an image file.

    Attributes:
        width: Stored width in pixels.
        height: Stored height in pixels.
        mode: Pillow's name of the pixel layout: ``RGB``, ``L`` (grey), ``CMYK``, …
        format: ``JPEG``, ``PNG``, …, whatever the suffix says.
        exif_rotated: Whether an EXIF orientation asks viewers to rotate or mirror the stored pixels.
    """

    width: int
    height: int
    mode: str
    format: str
    exif_rotated: bool


def read_rgb(path: Path, accept: Callable[[tuple[int, int]], None] = lambda _: None) -> ImageArray:
    """Decode a whole image as it is stored.

    Args:
        path: The file.
        accept: Called with width and height as the header states them, before the pixels are decoded; raises
            what it refuses.

    Returns:
        ``[H, W, 3]`` uint8, RGB.

    Raises:
        UnreadableImage: If the file is missing, truncated or corrupt, has more pixels than the limit, or its
            mode has no agreed conversion.
    """
    return _rgb(path, _content(path), accept)


def _rgb(path: Path, content: bytes, accept: Callable[[tuple[int, int]], None]) -> ImageArray:
    pixels, format_ = _decode(path, content, accept)
    if format_ in ("JPEG", "MPO") and _tail_was_filled(content, pixels):
        raise UnreadableImage(f"{path}: truncated JPEG, its lower part is a grey fill; copy the file anew")
    return pixels


def read_upright(path: Path) -> ImageArray:
    """Decode a photograph as viewers show it: its EXIF orientation is applied.

    Nothing of a dataset is read so, since boxes are annotated in the stored frame.

    Returns:
        ``[H, W, 3]`` uint8, RGB.

    Raises:
        UnreadableImage: As :func:`read_rgb`, or if the file holds an animation.
    """
    pixels = read_rgb(path)
    with _opened(path, path) as image:
        # A telephone's JPEG often holds a preview or gain map beside the picture (MPO): no animation.
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        if frames > 1:
            raise UnreadableImage(f"{path}: an animation of {frames} frames; give one of them as PNG")
        try:
            orientation = image.getexif().get(_ORIENTATION, 1)
        except _BROKEN:
            orientation = 1
    turn = _UPRIGHT.get(orientation)
    return pixels if turn is None else np.array(Image.fromarray(pixels).transpose(turn))


def read_sample(sample: Sample) -> ImageArray:
    """Decode a dataset's image and compare it with its annotation.

    Returns:
        ``[H, W, 3]`` uint8, RGB.

    Raises:
        UserError: If the sample has no file (a dataset of boxes alone).
        UnreadableImage: As :func:`read_rgb`, or if the decoded size is not the annotated one, a box does not
            lie inside the image, or the file has been changed since the dataset was listed.
    """
    if sample.path is None:
        raise UserError(
            f"{sample.image_id}: only its boxes are known; say where the images are (dataset.root=)"
        )
    content = _content(sample.path)
    if sample.bytes not in (None, len(content)):
        changed = f"had {sample.bytes} bytes when the run began, and has {len(content)}"
        raise UnreadableImage(f"{sample.path}: {changed}; start the command again")
    return _rgb(sample.path, content, lambda size: check_size(sample, size))


def check_size(sample: Sample, size: tuple[int, int]) -> None:
    """Compare an image's ``(width, height)`` with its annotation.

    Raises:
        UnreadableImage: If the annotation states another size, or has a box that reaches outside.
    """
    width, height = size
    remedy = "use the images that the boxes were drawn on, as stored, not resized or rotated"
    if sample.size is not None and sample.size != size:
        stated = f"{sample.size[0]}x{sample.size[1]}"
        raise UnreadableImage(
            f"{sample.path}: {sample.image_id} is {width}x{height}, its annotation says {stated}; {remedy}"
        )
    if sample.boxes.size and (sample.boxes.max(axis=0)[2:] > size).any():
        raise UnreadableImage(
            f"{sample.path}: {sample.image_id} is {width}x{height}, but a box reaches outside; {remedy}"
        )


def inspect(path: Path, decode: bool = True) -> ImageFacts:
    """Return size and format of an image file; without ``decode`` from the header alone.

    Raises:
        UnreadableImage: If the file cannot be read, or its pixels cannot be decoded (only with ``decode``).
    """
    if decode:
        read_rgb(path)
    try:
        with _opened(path, path) as image:
            width, height = image.size
            return ImageFacts(width, height, image.mode, str(image.format), _is_rotated(image))
    except _BROKEN as error:
        raise _unreadable(path, error) from error


def _content(path: Path) -> bytes:
    try:
        return read_whole(path)
    except OSError as error:
        raise UnreadableImage(f"{path}: cannot be read ({error.strerror})") from error


def _opened(path: Path, source: Path | io.BytesIO) -> Image.Image:
    """Open an image without decoding it, if its header promises no more pixels than the limit."""
    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit warns on stderr, and names no remedy
    # Another library may have switched this on, and truncated images would be filled with grey.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    most = _most_pixels()
    image = Image.open(source, formats=_FORMATS)
    width, height = image.size
    if width * height > most:
        image.close()
        remedy = f"if it is no mistake, allow it with {_LIMIT}={width * height}"
        raise UnreadableImage(
            f"{path}: its header promises {width}x{height} pixels, more than {most:,}; {remedy}"
        )
    return image


def _most_pixels() -> int:
    given = os.environ.get(_LIMIT) or str(_MAX_PIXELS)
    if not given.isdecimal():
        raise UserError(f"{_LIMIT}={given}: must be a whole number of pixels")
    return int(given)


def _decode(path: Path, content: bytes, accept: Callable[[tuple[int, int]], None]) -> tuple[ImageArray, str]:
    try:
        with _opened(path, io.BytesIO(content)) as image:
            accept(image.size)
            if image.mode not in _MODES:
                raise UnreadableImage(f"{path}: pixels of mode {image.mode}; convert it to 8-bit RGB")
            # Through RGBA, since Pillow cannot drop a palette's transparency in one step.
            straight = image.convert("RGBA") if image.mode in ("P", "PA") else image
            rgb = straight if straight.mode == "RGB" else straight.convert("RGB")  # which copies in any case
            return np.array(rgb), str(image.format)
    except _BROKEN as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UnreadableImage:
    if isinstance(error, UnidentifiedImageError):
        return UnreadableImage(f"{path}: not an image, or its header is broken; copy the file anew")
    return UnreadableImage(f"{path}: truncated or corrupt image ({error}); copy the file anew")


def _tail_was_filled(content: bytes, pixels: ImageArray) -> bool:
    """Return whether libjpeg ran out of data before the end marker and filled the missing pixels.

    It then repeats the last block's mean, with a warning that Pillow does not pass on, so the last corner is
    flat. If it is, the image is decoded again with padding before the end marker, which changes the pixels
    only if some were missing.
    """
    if (pixels[-4:, -4:] != pixels[-1, -1]).any():
        return False
    end = content.rfind(_END_OF_IMAGE)
    try:
        with Image.open(io.BytesIO(content[:end] + _PADDING + content[end:]), formats=_FORMATS) as image:
            return not np.array_equal(np.array(image.convert("RGB")), pixels)
    except _BROKEN:
        return True


def _is_rotated(image: Image.Image) -> bool:
    try:
        return image.getexif().get(_ORIENTATION, 1) not in (0, 1)
    except _BROKEN:
        return False
