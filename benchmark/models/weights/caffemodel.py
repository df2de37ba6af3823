"""Reading of the parameters in a ``.caffemodel``, or of a single blob, without Caffe or generated code.

The file is a binary protobuf ``NetParameter``. The few fields that hold parameters are described here in a
pool of their own, so that another ``caffe.proto`` in the same process does no harm. The field numbers are
those of Caffe's public ``caffe.proto``.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from benchmark.core.errors import UserError
from benchmark.core.types import FloatArray

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCHEMA: dict[str, list[tuple[int, str, int | str, bool]]] = {
    # Number, name, type or message, whether repeated. Floats are read packed and unpacked alike.
    "BlobShape": [(1, "dim", _FIELD.TYPE_INT64, True)],
    "BlobProto": [
        (1, "num", _FIELD.TYPE_INT32, False),
        (2, "channels", _FIELD.TYPE_INT32, False),
        (3, "height", _FIELD.TYPE_INT32, False),
        (4, "width", _FIELD.TYPE_INT32, False),
        (5, "data", _FIELD.TYPE_FLOAT, True),
        (7, "shape", "BlobShape", False),
        (8, "double_data", _FIELD.TYPE_DOUBLE, True),
    ],
    # Names are read as bytes, since a damaged file need not hold valid UTF-8.
    "V0LayerParameter": [(1, "name", _FIELD.TYPE_BYTES, False), (50, "blobs", "BlobProto", True)],
    "V1LayerParameter": [
        (1, "layer", "V0LayerParameter", False),
        (4, "name", _FIELD.TYPE_BYTES, False),
        (6, "blobs", "BlobProto", True),
    ],
    "LayerParameter": [(1, "name", _FIELD.TYPE_BYTES, False), (7, "blobs", "BlobProto", True)],
    "NetParameter": [(2, "layers", "V1LayerParameter", True), (100, "layer", "LayerParameter", True)],
}
_MOST_AXES, _MOST_SIZE = 32, 2**31  # kMaxBlobAxes, and the int of a size, in Caffe's blob.hpp


def read_caffemodel(path: Path) -> Mapping[str, tuple[FloatArray, ...]]:
    """Read every layer's parameters; see :func:`parse_caffemodel`.

    Args:
        path: A ``.caffemodel``. Reading takes about twice its size in memory for a moment.

    Raises:
        UserError: As :func:`parse_caffemodel`, or if the file cannot be read.
    """
    return parse_caffemodel(path, _content(path))


def parse_caffemodel(
    path: Path, content: bytes, kind: str = "caffemodel"
) -> Mapping[str, tuple[FloatArray, ...]]:
    """Parse ``layer`` of Caffe's present format, and ``layers`` of both older ones.

    Args:
        path: The file, to be named in messages.
        content: What it holds.
        kind: What the file should be, in the reader's words.

    Returns:
        The blobs of each layer, float32, in the file's order. A blob has the shape that the file states; in
        Caffe's older formats that is always four numbers, for a bias too (``1 x 1 x 1 x n``). Layers without
        parameters are left out.

    Raises:
        UserError: If the content is truncated, is not a caffemodel, or contradicts itself.
    """
    net = _parse(path, content, _NET(), kind)
    found: dict[str, tuple[FloatArray, ...]] = {}
    oldest = [layer.layer if layer.HasField("layer") else layer for layer in net.layers]
    for layer in (*oldest, *net.layer):
        if not layer.blobs:
            continue
        name = layer.name.decode(errors="replace")
        blobs = tuple(_array(blob, f"{path}: layer {name}, blob {i}") for i, blob in enumerate(layer.blobs))
        if name in found and not _equal(found[name], blobs):
            raise UserError(f"{path}: two layers named {name} with different parameters; get the file again")
        found[name] = blobs
    if not found:
        raise UserError(f"{path}: no layer with parameters in it, so not a {kind}{hint(content)}")
    return found


def read_blob(path: Path) -> FloatArray:
    """Read the array of a binary ``BlobProto``, the format of mean images, as float32 in the file's shape.

    Raises:
        UserError: If the file cannot be read, is truncated, is not a ``BlobProto``, or contradicts itself.
    """
    content = _content(path)
    array = _array(_parse(path, content, _BLOB(), "BlobProto"), str(path))
    if not array.size:
        raise UserError(f"{path}: no number in it, so not a BlobProto{hint(content)}")
    return array


def fits(blob: Sequence[int], parameter: Sequence[int]) -> bool:
    """Return whether two shapes are equal up to leading ones, which Caffe's first format adds."""
    return _without_leading_ones(blob) == _without_leading_ones(parameter)


def _without_leading_ones(shape: Sequence[int]) -> tuple[int, ...]:
    start = next((axis for axis, size in enumerate(shape) if size != 1), len(shape))
    return tuple(shape[start:])


def _message_classes(*names: str) -> list[Any]:
    """Build the classes of Caffe's messages, in a pool of their own."""
    file = _FILE_PROTO(name="benchmark/caffe.proto", package="benchmark.caffe", syntax="proto2")
    for name, fields in _SCHEMA.items():
        message = file.message_type.add(name=name)
        for number, field, kind, repeated in fields:
            label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _FIELD.TYPE_MESSAGE, f".benchmark.caffe.{kind}"
            else:
                added.type = kind  # type: ignore[assignment]
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    types = [pool.FindMessageTypeByName(f"benchmark.caffe.{name}") for name in names]
    return [message_factory.GetMessageClass(kind) for kind in types]


_FILE_PROTO = descriptor_pb2.FileDescriptorProto
_NET, _BLOB = _message_classes("NetParameter", "BlobProto")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); name another file") from None


def _parse(path: Path, content: bytes, message: Any, kind: str) -> Any:
    try:
        message.ParseFromString(content)
    except DecodeError:
        size = len(content)
        if needed := _needed(content, {field.number for field in message.DESCRIPTOR.fields}):
            text = f"{path}: truncated, a {kind} of {size:,} bytes, a part of which ends at {needed:,}"
            raise UserError(f"{text}; get the file again") from None
        raise UserError(f"{path}: {size:,} bytes, not a {kind}{hint(content)}") from None
    return message


def _needed(content: bytes, known: set[int]) -> int | None:
    """Return where a message's last part would end, if whole parts come before it and it runs over the end.

    The parts are walked by protobuf's wire format: a tag of field number and kind, then a number, 8 or 4
    bytes, or a length and as many bytes.
    """
    place = 0
    while place < len(content):
        start = place
        tag, place = _varint(content, place)
        if not place or tag >> 3 not in known | set(range(1, 9)):
            return None
        size = {1: 8, 5: 4}.get(tag & 7, 0)
        if tag & 7 in (0, 2):
            size, place = _varint(content, place)
            size = size if tag & 7 == 2 else 0
        if place + size > len(content) or not place:
            return place + size if start and place else None
        place += size
    return None


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """Return a number of protobuf and the place after it; 0 as that place if there is none."""
    value = 0
    for count, byte in enumerate(content[place : place + 10]):
        value |= (byte & 127) << 7 * count
        if byte < 128:
            return value, place + count + 1
    return 0, 0


def hint(content: bytes) -> str:
    """Return what content seems to be instead, judged by its first bytes, and the remedy."""
    start = content[:64].lstrip().lower()
    kinds: Iterable[tuple[bytes, str]] = (
        (b"<", " (a web page was saved in its place); get the file again"),
        (b"version https://git-lfs", " (a Git LFS pointer); run git lfs pull"),
        (b"pk\x03\x04", " (a zip file, as torch.save writes); name another file"),
        (b"\x80", " (a pickle, as torch.save writes); name another file"),
        (b"name:", " (a prototxt); the parameters are in the .caffemodel beside it"),
    )
    other = ", or damaged; get the file again" if start else " (it is empty); get the file again"
    return next((words for magic, words in kinds if start.startswith(magic)), other)


def _array(blob: Any, where: str) -> FloatArray:
    """Return a blob as float32 in its stated shape."""
    with np.errstate(over="ignore"):  # what is too large becomes infinity, which no model takes
        values = np.array(blob.data or blob.double_data, dtype=np.float32)
    legacy = (blob.num, blob.channels, blob.height, blob.width)
    shape = tuple(blob.shape.dim) if blob.HasField("shape") else legacy
    if len(shape) > _MOST_AXES:
        raise UserError(
            f"{where}: a shape of {len(shape):,} axes, of which Caffe has {_MOST_AXES}; get the file again"
        )
    if not all(0 <= size < _MOST_SIZE for size in shape) or prod(shape) != values.size:
        raise UserError(f"{where}: {values.size:,} numbers for shape {list(shape)}; get the file again")
    return values.reshape(shape)


def _equal(first: tuple[FloatArray, ...], second: tuple[FloatArray, ...]) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))
