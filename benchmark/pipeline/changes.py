"""What differs between a file of all shards and the shards that it was made of, image by image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_LONGEST = 80


def changed(merged: Path, shards: Sequence[Path]) -> Iterator[str]:
    """Say of each image whose record is another in the two which columns differ, and how.

    Neither is verified: the point is to find what somebody changed.

    Args:
        merged: File of all shards.
        shards: The shards, in order.
    """
    try:
        whole = pq.ParquetFile(merged).read()
        parts = [part for path in shards if len(part := pq.ParquetFile(path).read())]
        made_of = pa.concat_tables(part.replace_schema_metadata(None) for part in parts)
    except (OSError, ValueError, pa.ArrowException) as error:
        yield f"cannot be read as Parquet ({str(error).partition(chr(10))[0]})"
        return
    if len(whole) != len(made_of) or whole.column_names != made_of.column_names:
        yield f"{len(whole)} images in the file of all shards, {len(made_of)} in the shards, or other columns"
        return
    names = [name for name in whole.column_names if not whole[name].equals(made_of[name])]
    here, there = ({name: one[name].to_pylist() for name in names} for one in (whole, made_of))
    key = whole.column_names[0]
    images = made_of[key].to_pylist() if names else []
    for number, image in enumerate(images):
        for name in names:
            a, b = here[name][number], there[name][number]
            if repr(a) != repr(b):  # so that NaN is itself
                yield f"{key} {image}: {name} is {_cut(a)}, its shard has {_cut(b)}"


def _cut(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
