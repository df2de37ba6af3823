"""Whatever a file holds, its reader ends with the project's own error, in one line, or with what was read."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from helpers.caffe_wire import nested, tag, varint
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.core.errors import UserError
from crafted.mutations import mutated, random_bytes
from crafted.readers import Reader, readers

# As the package sets it where images are read; pytest takes it back for each test.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\."),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # pycocotools's
]

_SLOW = {"devkit's meta.mat": 2, "table json": 20}
"""Examples of readers that take long: the first starts a process, the second reads a whole table."""
_MANY = 1 << 22


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "crafted"  # heatmaps say in which folder they belong
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def known(scratch: Path) -> dict[str, Reader]:
    return readers(scratch.parent)


def refused(reader: Reader, folder: Path, content: bytes) -> str:
    """The message of the refusal; empty where the file was taken."""
    path = folder / reader.name
    path.write_bytes(content)
    try:
        reader.read(path)
    except UserError as error:
        return str(error)
    return ""


NAMES = (
    *("caffemodel", "weights", "mean image", "ILSVRC's xml", "VOC's xml", "Kaggle's csv", "localization.txt"),
    *("image_sizes.txt", "class_labels.txt", "devkit's labels", "devkit's blacklist", "devkit's meta.mat"),
    *("list of classes", "list of images", "submission", "COCO's json", "images", "parquet shards"),
    *("parquet of all shards", "heatmap shards", "journal", "result json", "table json", "published yaml"),
    "passport json",
)


def test_every_reader_is_tried(known: dict[str, Reader]) -> None:
    assert set(known) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_crafted_file_is_read_or_refused_in_one_line(
    name: str, known: dict[str, Reader], scratch: Path
) -> None:
    reader = known[name]
    for content in reader.whole:
        assert refused(reader, scratch, content) == ""

    @settings(max_examples=_SLOW.get(name, 60))
    @given(st.integers(0, 2**64 - 1))
    def each(seed: int) -> None:
        dice = Random(seed)
        make = random_bytes if dice.random() < 0.05 else mutated
        message = refused(reader, scratch, make(dice, reader.whole))
        assert message.isprintable()
        assert len(message) <= 2000

    each()


def _zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _npz(*shape: int, values: bytes = b"") -> bytes:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return _zipped("0.weight.npy", head.getvalue() + values)


def _png(width: int, height: int) -> bytes:
    """A PNG whose header promises that many pixels, of a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 999))
        + chunk(b"IEND", b"")
    )


def _deep_groups(depth: int) -> bytes:
    return tag(9, 3) * depth + tag(9, 4) * depth


def _deep_messages(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = nested(2, content)
    return content


def _laughs(entities: int) -> bytes:
    each = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, entities))
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{each}]><annotation>&a{entities - 1};</annotation>'.encode()


_ZEROS = b"\0" * ((1 << 26) + 1)
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "npz that unpacks to a thousand times its size": ("weights", lambda: _npz(1 << 24, values=_ZEROS)),
    "npz whose header promises a terabyte": ("weights", lambda: _npz(1 << 38)),
    "gzip of zeros": ("weights", lambda: gzip.compress(_ZEROS)),
    "npy whose header promises a terabyte": (
        "mean image",
        lambda: zipfile.ZipFile(io.BytesIO(_npz(1 << 38))).read("0.weight.npy"),
    ),
    "groups in groups": ("caffemodel", lambda: _deep_groups(100_000)),
    "messages in messages": ("caffemodel", lambda: _deep_messages(5_000)),
    "a shape of a million axes": (
        "caffemodel",
        lambda: nested(100, nested(1, b"conv") + nested(7, nested(7, nested(1, varint(1) * 1_000_000)))),
    ),
    "entities of entities": ("ILSVRC's xml", lambda: _laughs(12)),
    "elements in elements": ("VOC's xml", lambda: b"<a>" * 100_000 + b"</a>" * 100_000),
    "lists in lists": ("list of classes", lambda: b"[" * _MANY),
    "dictionaries in dictionaries": ("COCO's json", lambda: b'{"a":' * _MANY),
    "results in results": ("result json", lambda: b'{"a":' * _MANY),
    "yaml in yaml": ("published yaml", lambda: b"[" * 3_000),
    "PNG that promises four billion pixels": ("images", lambda: _png(65_500, 65_500)),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_file_made_to_fill_the_memory_is_refused(
    kind: str, known: dict[str, Reader], scratch: Path
) -> None:
    name, make = BOMBS[kind]
    message = refused(known[name], scratch, make())
    assert message.isprintable()
    assert known[name].name in message
