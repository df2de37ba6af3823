"""Reading of many small XML files, as PASCAL VOC and ILSVRC keep their annotations."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

from benchmark.core.errors import UserError

_T = TypeVar("_T")


def read_xml(paths: Mapping[str, Path], parse: Callable[[Path, bytes], _T]) -> dict[str, _T]:
    """Read files in threads, which hide the latency of network file systems, and parse each by image id.

    Raises:
        UserError: If a file cannot be read.
    """
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(paths, map(parse, paths.values(), pool.map(_content, paths.values())), strict=True))


def root_of(path: Path, content: bytes) -> ElementTree.Element:
    """Parse a file's content, and return its root element.

    Raises:
        UserError: If it is not well-formed XML, with its ``path``.
    """
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise UserError(f"{path}: not a whole XML file ({error}); unpack the annotations anew") from error


def texts(node: ElementTree.Element | None, names: tuple[str, ...]) -> list[str]:
    """Return the stripped texts of a node's direct children of these names; none without the node."""
    return [] if node is None else [(node.findtext(name) or "").strip() for name in names]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check permissions") from error
