"""Search for a file of weights, and verification of its checksum."""

import hashlib
import re
import shlex
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from benchmark.core.errors import UserError
from benchmark.core.provenance import fingerprint
from benchmark.core.types import Weights

_PASSPORTS = Path(__file__).resolve().parents[1] / "passports"
_TRAINED = {  # files that nobody publishes to the experiment that makes them
    "alexnet_voc": "voc2007_alexnet",
    "caption_voc2007": "voc2007_captions",
    "googlenet_voc": "voc2007_probe",
    "vgg16_cam_voc": "voc2007_vgg16_cam",
    "vgg16_voc": "voc2007_vgg16",
    "vqa_daquar": "daquar",
    "vqa_easy": "easy_vqa",
}
_CHECKSUM = re.compile(r"(sha256|sha1|md5):([0-9a-f]{8,})", re.IGNORECASE)


def find(name: str, folder: str | None) -> Path:
    """Return the path of a file of weights: as given, or else below the folder of weights.

    Args:
        name: An absolute path, one relative to the working directory, or one relative to ``folder``.
        folder: The option ``weights_dir``, or ``None``.

    Raises:
        UserError: If there is no such file, with the places where it was looked for.
    """
    given = Path(name).expanduser()
    places = [given] if given.is_absolute() or folder is None else [given, Path(folder).expanduser() / given]
    for place in places:
        if is_file(place):
            return place
    looked = " and ".join(map(_shown, places))
    known = published(given.name)
    trained = _TRAINED.get(given.stem)
    made = f"make it by ./scripts/train experiment={trained} (docs/training.md), " if trained else ""
    first = fetching(known[0], folder) if known else f"{made}put the file there"
    remedy = f"{first}, or give model.weights=PATH or weights_dir=FOLDER (or $BENCHMARK_WEIGHTS)"
    raise UserError(f"no weights file at {looked}; {remedy}")


def published(file: str) -> tuple[str, str] | None:
    """Return whose weights a file's name is, and its address; ``None`` if no passport gives one."""
    return _addresses().get(file)


@lru_cache(maxsize=1)
def _addresses() -> dict[str, tuple[str, str]]:
    known = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in _PASSPORTS.glob("*.yaml")
    }
    return {one["file"]: (name, one["where"]) for name, one in known.items() if "://" in one["where"]}


def fetching(model: str, folder: str | None) -> str:
    """Return the remedy where a published file is missing, or cannot be had from here."""
    words = [f"model={model}", *([f"weights_dir={Path(folder).expanduser().absolute()}"] if folder else [])]
    command = f"./scripts/fetch {shlex.join(words)}"
    return f"{command} brings it where there is a network, such as on a login node"


def _shown(place: Path) -> str:
    """Return the path relative to the working directory if it is below, since tables of open rows show it."""
    whole = place.absolute()
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)


def is_file(path: Path) -> bool:
    """Return whether a file can be seen there; a folder without permission counts as having none."""
    try:
        return path.is_file()
    except OSError:
        return False


def verified(path: Path, checksums: Sequence[str], note: str) -> Weights:
    """Verify a file's checksum, and return the file's provenance.

    Args:
        path: An existing file.
        checksums: ``sha256:HEX``, ``sha1:HEX`` or ``md5:HEX`` with at least 8 leading hexadecimal digits, of
            which one must match; an empty list accepts every file.
        note: A remark kept in the provenance.

    Raises:
        UserError: If no checksum matches, or one is malformed.
    """
    if checksums and not matches(path, checksums):
        kinds = dict.fromkeys(_parse(checksum)[0] for checksum in checksums)
        found = ", ".join(f"{kind}:{digest(path, kind)}" for kind in kinds)
        raise UserError(
            f"{path}: wrong weights ({path.stat().st_size:,} bytes, {found}; expected "
            f"{' or '.join(checksums)}); get the right file, or accept this one with model.checksums=[]"
        )
    return Weights(path.name, digest(path, "sha256"), note)


def matches(path: Path, checksums: Sequence[str]) -> bool:
    """Return whether a file has one of the checksums.

    Raises:
        UserError: If the file cannot be read, or a checksum is malformed.
    """
    expected = [_parse(checksum) for checksum in checksums]  # all first, so that a misspelt one is refused
    return any(digest(path, kind).startswith(start) for kind, start in expected)


def digest(path: Path, kind: str) -> str:
    """Return the hexadecimal digest of a file, remembered as long as its size and time stay the same.

    Raises:
        UserError: If the file cannot be read.
    """
    try:
        status = path.stat()
        return _digest(path, kind, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); check its rights") from None


def digest_of(folder: Path, names: Sequence[str]) -> str:
    """Return a sha256 of what files of a folder hold, such as parameters and a tokenizer, of those there are.

    Raises:
        UserError: If one cannot be read.
    """
    there = [name for name in names if (folder / name).is_file()]
    return fingerprint([[name, digest(folder / name, "sha256")] for name in there])


@lru_cache(maxsize=64)
def _digest(path: Path, kind: str, _size: int, _time: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _parse(checksum: str) -> tuple[str, str]:
    match = _CHECKSUM.fullmatch(str(checksum))
    if match is None:
        raise UserError(f"model.checksums: {checksum!r} is not of the form sha256:HEX, sha1:HEX or md5:HEX")
    return match[1].lower(), match[2].lower()
