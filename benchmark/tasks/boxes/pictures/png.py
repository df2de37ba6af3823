"""A picture's file: its text chunk ``fingerprint`` names all that it shows."""

import io
from pathlib import Path

from PIL import Image, PngImagePlugin

from benchmark.core.files import write_atomically

_KEY = "fingerprint"


def stored(path: Path) -> str | None:
    """The fingerprint of the picture at a path; ``None`` where there is none, so that it is made anew."""
    try:
        with Image.open(path) as image:
            return image.info.get(_KEY)
    except OSError:  # not there, or no image
        return None


def write(path: Path, page: Image.Image, fingerprint: str) -> None:
    """Write a picture as PNG; the same bytes for the same pixels and fingerprint.

    Raises:
        UserError: If it cannot be written.
    """
    told = PngImagePlugin.PngInfo()
    told.add_text(_KEY, fingerprint)
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True, pnginfo=told)
    write_atomically(path, buffer.getvalue())
