"""The records of pairs on disk.

Columns: ``image_id`` and those of :class:`benchmark.tasks.pairs.types.Pairs`; a column of arrays is a list of
one length, row by row. Metadata keys beside those of every store (:mod:`benchmark.pipeline.store`):
``shapes``, the shape of each column's arrays, and ``unknown``, how many chosen outputs are no class of the
dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmark.core.errors import UserError
from benchmark.pipeline.store import Shards, ShardStore
from benchmark.tasks.pairs.types import Column, Pairs

STORE = ShardStore("pairs", ("shapes", "unknown"))


def columns_of(pairs: Pairs) -> dict[str, pa.Array]:
    """Return pairs as columns; the schema stands at the top of this module."""
    packed = {name: _packed(column) for name, column in pairs.columns.items()}
    return {"image_id": pa.array(pairs.image_ids, pa.string()), **packed}


def _packed(column: Column) -> pa.Array:
    if column.ndim == 1:
        return pa.array(column)
    size = int(np.prod(column.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(pa.array(column.reshape(-1)), size)


def metadata_of(pairs: Pairs) -> dict[str, Any]:
    """Return what a shard says of all its pairs."""
    return {
        "shapes": {name: list(column.shape[1:]) for name, column in pairs.columns.items()},
        "done": pairs.done,
        "skipped": dict(pairs.skipped),
        "unknown": pairs.unknown,
    }


def pairs_in(shards: Shards, folder: Path) -> Pairs:
    """Return what some shards of a folder hold.

    Raises:
        UserError: If there is not one pair in them.
    """
    table, metadata = shards.table, shards.metadata
    if not len(table):
        raise UserError(
            f"classes: not one image has a class to ask about ({folder} holds none); choose another class "
            "policy (classes=), other options of it, or other images"
        )
    shapes = metadata["shapes"]
    return Pairs(
        image_ids=tuple(table["image_id"].to_pylist()),
        columns={name: _unpacked(table[name].combine_chunks(), shape) for name, shape in shapes.items()},
        done=metadata["done"],
        skipped=metadata["skipped"],
        unknown=metadata["unknown"],
    )


def _unpacked(values: pa.Array, shape: Sequence[int]) -> Column:
    array: Column = (values.flatten() if shape else values).to_numpy(zero_copy_only=False)
    return array.reshape(len(values), *shape)


def read_pairs(files: Sequence[Path]) -> Pairs:
    """Read shards of pairs, in the given order, as one.

    Raises:
        UserError: If a file is missing or damaged, or there is not one pair in all of them.
    """
    return pairs_in(STORE.read(files), files[0].parent)
