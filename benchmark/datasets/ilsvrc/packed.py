"""Archives of ILSVRC2012 that are still packed, and the commands that unpack them."""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmark.core.errors import UserError
from benchmark.datasets.folders import unpacking


class _Archive(NamedTuple):
    """A kind of archive.

    Attributes:
        pattern: Of its name.
        holds: Parts of the dataset that are in it.
        into: The folder below ``root`` that its content belongs to.
        option: The option that names what was unpacked elsewhere.
    """

    pattern: str
    holds: frozenset[str]
    into: str
    option: str


_TREE = frozenset({"images", "boxes", "labels", "train"})
_ARCHIVES = (
    _Archive("ILSVRC2012_img_val*.tar", frozenset({"images"}), "val", "images={}"),
    _Archive("ILSVRC2012_bbox_val*.t*gz", frozenset({"boxes", "labels"}), "bbox", "boxes={}/val"),
    _Archive("ILSVRC20??_devkit*.t*gz", frozenset({"labels"}), "", "devkit={}"),
    _Archive("ILSVRC2012_img_train*.tar", frozenset({"train"}), "train", "images={}"),
    _Archive("imagenet*object*localization*.zip", _TREE, "", "root={}"),
    _Archive("imagenet*object*localization*.t*gz", _TREE, "", "root={}"),
)
# Each class's images are an archive in the archive of the training images.
_CLASSES = 'for each in {}/*.tar; do mkdir -p "${{each%.tar}}" && tar -xf "$each" -C "${{each%.tar}}"; done'


def packed(places: Iterable[Path | None], *parts: str) -> list[Path]:
    """Return the archives in folders that hold ``images``, ``boxes``, ``labels`` or ``train``."""
    patterns = [archive.pattern for archive in _ARCHIVES if archive.holds.intersection(parts)]
    found = {path for place in places if place for pattern in patterns for path in place.glob(pattern)}
    return sorted(path for path in found if path.is_file())


def refuse_packed(places: Iterable[Path | None], *parts: str) -> None:
    """Refuse to go on where parts are missing that archives in these folders hold.

    Raises:
        UserError: With the commands that unpack the archives.
    """
    archives = packed(places, *parts)
    if archives:
        names = " and ".join(map(str, archives))
        raise UserError(f"{names}: still packed; unpack: {' && '.join(map(commands, archives))}")


def commands(archive: Path) -> str:
    """Return the shell commands that unpack an archive beside itself, or here if that cannot be written.

    A file that is no archive of ILSVRC2012's has none.
    """
    kind = next((each for each in _ARCHIVES if archive.match(each.pattern)), None)
    if kind is None:
        return ""
    writable = os.access(archive.parent, os.W_OK)
    place = archive.parent if writable else Path("ILSVRC")
    into = place / kind.into
    quoted = shlex.quote(str(into))
    classes = f" && {_CLASSES.format(quoted)}" if kind.into == "train" else ""
    then = "" if writable else f" (then dataset.{kind.option.format(into)})"
    return f"mkdir -p {quoted} && {unpacking(archive, into)}{classes}{then}"
