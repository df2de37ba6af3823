"""Segmentations as PNG files of one number a pixel: where they lie, how they are read and written."""

from collections.abc import Mapping
from os import SEEK_END
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from benchmark.core.errors import UserError
from benchmark.core.types import Box, ImageArray

VOID = 255
"""The number of a pixel that nobody decided on (VOC's white outlines); it counts nowhere."""

FOLDERS = {"classes": "SegmentationClass", "parts": "SegmentationParts"}
"""Folder of each kind of pixel labels beside the images' folders, as VOC names the first of them."""


def beside(root: Path, below: Path) -> dict[str, Path]:
    """Return the folder of each kind that a dataset has: ``root / SegmentationClass / below``, …."""
    folders = {kind: root / name / below for kind, name in FOLDERS.items()}
    return {kind: folder for kind, folder in folders.items() if folder.is_dir()}


def of_image(folders: Mapping[str, Path], stem: str) -> dict[str, Path]:
    """Return the file of each kind for an image that is called ``stem`` without its suffix."""
    return {kind: folder / f"{stem}.png" for kind, folder in folders.items()}


def line_of_masks(name: str, files: Mapping[str, Path]) -> str:
    """Return what an image's masks add to its line of the fingerprint; nothing where it has none.

    It is kind, size in bytes and the file's last 20 bytes of each: a PNG ends in the checksums of its pixels,
    so that no more of it is read. The embedded images' masks are left out: they are a function of the image's
    number, as the image is.

    Args:
        name: The dataset's.
        files: The image's masks by kind; they need not exist.
    """
    line = ""
    for kind, path in sorted(files.items()) if not name.startswith("embedded") else ():
        if path.is_file():
            with path.open("rb") as file:
                size = file.seek(0, SEEK_END)
                file.seek(max(size - 20, 0))
                line += f" {kind} {size} {file.read().hex()}"
    return line


def read_pixel_labels(path: Path, size: tuple[int, int] | None, largest: int) -> ImageArray:
    """Read the number of each pixel, ``[H, W]`` uint8.

    Args:
        path: A palette or 8-bit grey PNG.
        size: ``(width, height)`` that it must have, that of its image; ``None`` for any.
        largest: Largest number that is allowed besides 255 (void), such as the number of classes.

    Raises:
        UserError: If the file cannot be read, has colours instead of numbers, is of another size, or holds a
            number that is not allowed.
    """
    try:
        with Image.open(path) as image:
            mode, labels = image.mode, np.asarray(image)
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise UserError(f"{path}: cannot be read as PNG ({error}); restore the file") from error
    if mode not in ("P", "L"):
        raise UserError(
            f"{path}: has mode {mode}; store one class number a pixel (modes P or L), not colours"
        )
    height, width = labels.shape
    if size is not None and (width, height) != size:
        raise UserError(
            f"{path}: {width} x {height} pixels, but its image has {size[0]} x {size[1]}; "
            "restore the mask of this image"
        )
    unknown = labels[(labels > largest) & (labels != VOID)]
    if unknown.size:
        raise UserError(
            f"{path}: class {unknown[0]} in {unknown.size} pixels, but classes end at {largest} and void is "
            f"{VOID}; restore the file, or use masks of this dataset"
        )
    return labels.astype(np.uint8)


def middle_cells(labels: ImageArray, region: Box, side: int) -> ImageArray:
    """Return the number of the pixel in the middle of each of ``side x side`` equal cells of a region."""
    rows, columns = (
        start + ((np.arange(side) + 0.5) * (end - start) / side).astype(np.int64)
        for start, end in ((region.y0, region.y1), (region.x0, region.x1))
    )
    return labels[np.ix_(rows, columns)]


def averaged_cells(image: ImageArray, region: Box, side: int) -> ImageArray:
    """Return the mean colour ``[side, side, 3]`` of each of ``side x side`` equal cells of a region."""
    box = (region.x0, region.y0, region.x1, region.y1)
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BOX, box=box))


def write_pixel_labels(path: Path, labels: ImageArray) -> None:
    """Write ``[H, W]`` numbers as a palette PNG in VOC's colours, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels).convert("P")
    image.putpalette(_palette().ravel().tolist())
    image.save(path)


def _palette() -> ImageArray:
    """Return VOC's colours ``[256, 3]``: three bits of the number at a time go to red, green and blue."""
    numbers = np.arange(256)
    bits = (numbers[:, None] >> np.arange(8)) & 1
    colours = [
        sum(bits[:, 3 * place + channel] << (7 - place) for place in range(3) if 3 * place + channel < 8)
        for channel in range(3)
    ]
    return np.stack(colours, axis=1).astype(np.uint8)
