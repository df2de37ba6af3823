"""Names of files and numbers of images."""

import re
from collections.abc import Sequence

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.types import IntArray

OFFICIAL_COUNT = 50_000
OFFICIAL_TRAIN_COUNT = 1_281_167
NO_LAST = 99_999_999
"""The highest number that a file name has room for; a user's own collection may exceed the official count."""
_ID = re.compile(r"ILSVRC2012_val_(\d{8})")
_FILE = re.compile(r"(ILSVRC2012_val_\d{8})(?:_(n\d{8}))?\.(?:jpe?g|png)", re.IGNORECASE)


def parse_file_name(name: str) -> tuple[str, str | None] | None:
    """Return the image id in a validation image's file name, and the WNID that some collections append.

    Such names are ``ILSVRC2012_val_00000293.JPEG`` and ``ILSVRC2012_val_00000293_n02012849.JPEG``; the result
    is ``None`` for any other file.
    """
    match = _FILE.fullmatch(name)
    return (match[1], match[2]) if match else None


def is_annotation(name: str) -> bool:
    """Return whether a file name is that of a validation image's XML."""
    return name.startswith("ILSVRC2012_val_") and name.lower().endswith(".xml")


def image_id_of(number: int) -> str:
    """Return the id of the image with a number from 1, by which the devkit's lists refer to it."""
    return f"ILSVRC2012_val_{number:08d}"


def parse_id(text: str, where: str, last: int = OFFICIAL_COUNT) -> str:
    """Return the image id of an entry such as ``val/ILSVRC2012_val_00000001.JPEG``, numbered 1…``last``.

    Raises:
        UserError: If it is not a validation image; the message begins with ``where``.
    """
    stem = text.rpartition("/")[2].partition(".")[0]
    match = _ID.fullmatch(stem)
    if match is None or not 1 <= int(match[1]) <= last:
        raise UserError(f"{where}: {text!r} is not an image of ILSVRC2012 val; use the files of that set")
    return stem


def half_open(inclusive: Sequence[Sequence[int]]) -> IntArray:
    """Return half-open boxes ``[B, 4]`` from ILSVRC's 0-based inclusive ``xmin ymin xmax ymax``."""
    return np.array(inclusive, dtype=np.int32).reshape(-1, 4) + np.array([0, 0, 1, 1], dtype=np.int32)
