"""What one file or folder states about the images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.core.types import IntArray


@dataclass(frozen=True)
class Source:
    """Labels, boxes and sizes as one source states them.

    Attributes:
        path: The file or folder.
        labels: Image id to label.
        boxes: Image id to ``[B, 4]`` int32 half-open boxes, ``B > 0``, in the source's order.
        sizes: Image id to ``(width, height)`` in pixels.
        mentioned: Every image that it has an entry for, selected or not.
    """

    path: Path
    labels: Mapping[str, int] = field(default_factory=dict)
    boxes: Mapping[str, IntArray] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()
