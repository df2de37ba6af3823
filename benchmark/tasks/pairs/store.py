"""Shards of pairs on disk, each whole or absent.

Folder, under ``results/runs``::

    <model>-<method>-<fingerprint>/<class policy>-<fingerprint>/
        pairs-00007.parquet     one row a pair of image and class
        pairs.parquet           all shards in one file, once they are complete

Columns: ``image_id`` and those of :class:`benchmark.tasks.pairs.types.Pairs`. A column of arrays is a list
of one
length, row by row; metadata key ``shapes`` gives its shape. Other keys, each json: ``done`` (images read),
``skipped`` (image to reason), ``unknown`` (chosen outputs that are no class of the dataset), ``seconds``,
``by`` (commit, device and packages that made the shard). ``pairs.parquet`` has instead of the last two
``shards``, the sha256 of what it was made of.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.pipeline.store import Made, is_made_of, shards_digest
from benchmark.tasks.pairs.types import Column, Pairs


def pair_file(folder: Path, shard: int) -> Path:
    """Where a shard's pairs lie."""
    return folder / f"pairs-{shard:05d}.parquet"


def write_pairs(path: Path, pairs: Pairs, made: Made) -> None:
    """Store a shard."""
    columns = {"image_id": pa.array(pairs.image_ids, pa.string())}
    columns |= {name: _packed(column) for name, column in pairs.columns.items()}
    metadata = {
        "shapes": {name: list(column.shape[1:]) for name, column in pairs.columns.items()},
        "done": pairs.done,
        "skipped": dict(pairs.skipped),
        "unknown": pairs.unknown,
        "seconds": made.seconds,
        "by": dict(made.by),
    }
    _write(path, pa.table(columns), metadata)


def _packed(column: Column) -> pa.Array:
    if column.ndim == 1:
        return pa.array(column)
    size = int(np.prod(column.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(pa.array(column.reshape(-1)), size)


def _write(path: Path, table: pa.Table, metadata: Mapping[str, Any]) -> None:
    table = table.replace_schema_metadata({key: json.dumps(value) for key, value in metadata.items()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_atomically(path, sink.getvalue().to_pybytes())


def read_pairs(paths: Sequence[Path]) -> Pairs:
    """Read shards, in the given order, as one.

    Raises:
        UserError: If a file is missing or damaged, or there is not one pair in all of them.
    """
    shards = [_read(path) for path in paths]
    table = pa.concat_tables([table for table, _ in shards if len(table)] or [shards[0][0]])
    done = sum(meta["done"] for _, meta in shards)
    if not done:
        raise UserError(f"{paths[0].parent}: not one image could be read; ./scripts/doctor says why")
    if not len(table):
        raise UserError(
            f"{paths[0].parent}: not one image has a class to ask about; choose another class policy "
            "(classes=) or other images"
        )
    shapes = next(meta["shapes"] for one, meta in shards if len(one))
    columns = {name: _unpacked(table[name].combine_chunks(), shape) for name, shape in shapes.items()}
    return Pairs(
        image_ids=tuple(table["image_id"].to_pylist()),
        columns=columns,
        done=done,
        skipped={image: why for _, meta in shards for image, why in meta["skipped"].items()},
        unknown=sum(meta["unknown"] for _, meta in shards),
    )


def _unpacked(values: pa.Array, shape: Sequence[int]) -> Column:
    flat = values.flatten() if shape else values
    array: Column = flat.to_numpy(zero_copy_only=False)
    return array.reshape(len(values), *shape)


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: this shard is damaged ({error}); delete it and run again") from error
    metadata = {key.decode(): json.loads(value) for key, value in (table.schema.metadata or {}).items()}
    lacking = [key for key in ("shapes", "done", "skipped", "unknown") if key not in metadata]
    if lacking:
        raise UserError(f"{path}: this shard is damaged (no {lacking[0]}); delete it and run again")
    return table.replace_schema_metadata(None), metadata


def merge_pairs(folder: Path, files: Sequence[Path]) -> Path:
    """All shards of a finished cell as one file for people and their tools; made anew if one has changed.

    Raises:
        UserError: If a shard is missing or damaged.
    """
    target, digest = folder / "pairs.parquet", shards_digest(files)
    if not is_made_of(target, digest):
        shards = [_read(path) for path in files]
        filled = [(table, meta) for table, meta in shards if len(table)]
        skipped = {image: why for _, meta in shards for image, why in meta["skipped"].items()}
        metadata = {
            "shapes": filled[0][1]["shapes"],
            "done": sum(m["done"] for _, m in shards),
            "skipped": skipped,
            "unknown": sum(m["unknown"] for _, m in shards),
            "shards": digest,
        }
        _write(target, pa.concat_tables([table for table, _ in filled]), metadata)
    return target


def made_of(paths: Sequence[Path]) -> list[Made]:
    """How each of these shards came to be."""
    metadata = [pq.read_schema(path).metadata for path in paths]
    return [Made(json.loads(entry[b"by"]), json.loads(entry[b"seconds"])) for entry in metadata]
