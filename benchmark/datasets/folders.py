"""What lies in a folder of images: the images, whatever their suffix, and what is left there by others.

File systems, network storage and desktops put files and folders of their own into every folder, where nobody
may be able to move them away. They are never taken for a part of a dataset, and they are counted.
"""

import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmark.core.errors import UserError

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
_LEFT = frozenset(
    {"lost+found", "__macosx", "__pycache__", "thumbs.db", "desktop.ini", "system volume information"}
)
_LEVELS, _FOLDERS = 4, 50


@dataclass(frozen=True)
class Listing:
    """The images of a folder.

    Attributes:
        folder: The folder.
        names: Names of the image files.
        ignored: Names of everything else that lies there.
    """

    folder: Path
    names: frozenset[str]
    ignored: tuple[str, ...]

    @cached_property
    def by_stem(self) -> dict[str, str]:
        """Return the name of each image by what stands before its suffix."""
        return {Path(name).stem: name for name in sorted(self.names)}

    def find(self, name: str) -> Path:
        """Return the path of an image: that name, or the same with another suffix that lies there instead."""
        return self.folder / (name if name in self.names else self.by_stem.get(Path(name).stem, name))


def list_images(folder: Path) -> Listing:
    """List a folder; one that does not exist has no images.

    Raises:
        UserError: If the folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            names = {entry.name for entry in entries}
    except FileNotFoundError:
        names = set()
    except OSError as error:
        raise UserError(f"{folder}: cannot be listed ({error.strerror}); check permissions") from error
    images = frozenset(filter(is_image, names))
    return Listing(folder, images, tuple(sorted(names - images)))


def is_image(name: str) -> bool:
    """Return whether a file name is that of an image: ``.jpg``, ``.jpeg`` or ``.png`` in any case."""
    return Path(name).suffix.lower() in _SUFFIXES and not is_clutter(name)


def is_clutter(name: str) -> bool:
    """Return whether a name is one that systems and programs leave behind, or hidden (``._a.JPEG``)."""
    return name.startswith((".", "@", "#", "$")) or name.casefold() in _LEFT


def nearby(place: Path, has: Callable[[Path], bool]) -> Path | None:
    """Return the nearest folder above or in a wrong place that has what is looked for, for error messages."""
    above = [folder for folder in place.absolute().parents if folder != folder.parent][:_LEVELS]
    with suppress(OSError):
        inside = sorted(path for path in place.iterdir() if path.is_dir() and not is_clutter(path.name))
        above += inside[:_FOLDERS]
    for folder in above:
        with suppress(OSError, UserError):
            if has(folder):
                return folder
    return None


def unpacking(archive: Path, into: Path) -> str:
    """Return the shell command that unpacks an archive into a folder."""
    source, target = shlex.quote(str(archive)), shlex.quote(str(into))
    return f"unzip -q {source} -d {target}" if archive.suffix == ".zip" else f"tar -xf {source} -C {target}"


def refuse_packed(root: Path, pattern: str) -> None:
    """Refuse to go on without a folder that an archive in ``root`` holds.

    Raises:
        UserError: With the command that unpacks the archive.
    """
    for archive in sorted(root.glob(pattern)):
        raise UserError(f"{archive}: still packed; unpack it: {unpacking(archive, root)}")


def ignored_lines(ignored: Sequence[str]) -> list[str]:
    """Return a report's line on what lies beside the images, if there is anything."""
    return [f"ignored     {len(ignored)} other files, such as {ignored[0]}"] if ignored else []
