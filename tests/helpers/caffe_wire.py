"""Writes caffemodels byte by byte, from protobuf's wire format alone: independent of the package's reader."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Blobs = Mapping[str, Sequence[npt.NDArray[Any]]]
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


def varint(value: int) -> bytes:
    head, value = bytearray(), value & (1 << 64) - 1
    while value > 0x7F:
        head.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*head, value])


def tag(field: int, kind: int) -> bytes:
    return varint(field << 3 | kind)


def nested(field: int, content: bytes) -> bytes:
    return tag(field, _BYTES) + varint(len(content)) + content


@dataclass(frozen=True)
class Format:
    """One way in which a caffemodel can be written."""

    v1: bool = False  # `layers` with 4-D blobs, or `layer` with BlobShape
    packed: bool = True
    double: bool = False

    def net(self, blobs: Blobs) -> bytes:
        data_layer = self.layer("data", ())
        return nested(1, b"net") + data_layer + b"".join(self.layer(name, blobs[name]) for name in blobs)

    def layer(self, name: str, blobs: Sequence[npt.NDArray[Any]]) -> bytes:
        wires = [self.blob(blob) for blob in blobs]
        if self.v1:
            parts = [
                nested(2, b"below"),
                nested(3, b"above"),
                nested(4, name.encode()),
                tag(5, 0) + varint(4),
            ]
            return nested(2, b"".join(parts + [nested(6, wire) for wire in wires]))
        parts = [nested(1, name.encode()), nested(2, b"Convolution"), nested(3, b"below")]
        return nested(100, b"".join(parts + [nested(7, wire) for wire in wires]))

    def blob(self, blob: npt.NDArray[Any]) -> bytes:
        if self.v1:
            sizes = (1,) * (4 - blob.ndim) + blob.shape
            shape = b"".join(tag(i, _VARINT) + varint(size) for i, size in enumerate(sizes, start=1))
        else:
            shape = nested(7, nested(1, b"".join(map(varint, blob.shape))))
        return shape + self.numbers(blob.ravel())

    def numbers(self, values: npt.NDArray[Any]) -> bytes:
        field, kind, code = (8, _EIGHT_BYTES, "d") if self.double else (5, _FOUR_BYTES, "f")
        if self.packed:
            return nested(field, values.astype(f"<{code}").tobytes())
        return b"".join(tag(field, kind) + struct.pack(f"<{code}", value) for value in values)


FORMATS = {
    "v1 packed": Format(v1=True),
    "v1 unpacked": Format(v1=True, packed=False),
    "new packed": Format(),
    "new unpacked": Format(packed=False),
    "new double": Format(double=True),
    "new double unpacked": Format(double=True, packed=False),
}


def random_blobs(shapes: Mapping[str, Sequence[tuple[int, ...]]], seed: int = 0) -> dict[str, list[Any]]:
    """Kaiming-scaled weights and small biases, so that a deep net keeps its scale."""
    rng = np.random.default_rng(seed)
    blobs: dict[str, list[Any]] = {}
    for name, layer in shapes.items():
        scales = [np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1 for shape in layer]
        blobs[name] = [
            (rng.standard_normal(shape) * scale).astype(np.float32)
            for shape, scale in zip(layer, scales, strict=True)
        ]
    return blobs
