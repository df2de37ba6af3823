"""Store what a run makes on disk, shard by shard, each whole or absent.

A shard is a fixed set of images, whatever the number of workers. It is written under a temporary name, synced
and renamed, so that it is complete when it is present. Below ``results/runs``, for the store ``records``::

    <model>-<method>-<fingerprint>/                            a method's heatmaps on a scene
        <what is made of them>-<fingerprint>/
            records-00007.parquet                              one shard

and below ``results/records``, for people and their tools, all shards of a cell in one file::

    <model>-<method>-<fingerprint>/<what is made of them>-<fingerprint>.records.parquet

Which columns there are, the task that stores them says. Metadata keys of every shard, each json: ``done``
(images that were read), ``skipped`` (image to reason), ``seconds``, ``by`` (commit, device and packages that
made the shard), and those of the task. The file of all shards has ``shards`` instead of the last two: the
sha256 of what it was made of.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically


@dataclass(frozen=True)
class Made:
    """When, where and by which software a shard was made.

    Attributes:
        by: Commit, device and package versions.
        seconds: Time that it took.
    """

    by: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True)
class Shards:
    """Shards that are read as one table.

    Attributes:
        table: All their rows, in order.
        metadata: Numbers are summed up, dictionaries united; of lists, the first one's stands.
        made: Where and when each was made.
    """

    table: pa.Table
    metadata: Mapping[str, Any]
    made: tuple[Made, ...]


@dataclass(frozen=True)
class ShardStore:
    """The shards of one kind of record.

    Attributes:
        name: Beginning of the names of its files.
        keys: Metadata that the task adds to each shard.
    """

    name: str
    keys: tuple[str, ...]

    @property
    def suffix(self) -> str:
        """Return the ending of the name of a file of all shards."""
        return f".{self.name}.parquet"

    def file(self, folder: Path, number: int) -> Path:
        """Return where a shard lies."""
        return folder / f"{self.name}-{number:05d}.parquet"

    def write(
        self,
        folder: Path,
        number: int,
        columns: Mapping[str, pa.Array],
        metadata: Mapping[str, Any],
        made: Made,
    ) -> None:
        """Store a shard; ``metadata`` holds ``done``, ``skipped`` and the store's own keys."""
        every = {**metadata, "seconds": made.seconds, "by": dict(made.by)}
        _write(self.file(folder, number), pa.table(dict(columns)), every)

    def read(self, files: Sequence[Path]) -> Shards:
        """Read shards, in the given order, as one; the file of all shards likewise, which has no makers.

        Raises:
            UserError: If a file is missing or damaged, or not one image could be read.
        """
        merged = len(files) == 1 and files[0].name.endswith(self.suffix)
        keys = ("done", "skipped", *(() if merged else ("seconds", "by")), *self.keys)
        shards = [_read(path, keys) for path in files]
        made = () if merged else tuple(Made(meta.pop("by"), meta.pop("seconds")) for _, meta in shards)
        metadata = _united([meta for _, meta in shards])
        if not metadata["done"]:
            raise UserError(f"{files[0].parent}: not one image could be read; ./scripts/doctor says why")
        filled = [table for table, _ in shards if len(table)]  # an empty one may not know its columns' types
        return Shards(pa.concat_tables(filled or [shards[0][0]]), metadata, made)

    def merge(self, files: Sequence[Path]) -> Path:
        """Write all shards of a cell as one file for people and their tools; anew only if one has changed.

        It lies in another tree than the shards, so that a tool which reads either reads each image once.

        Raises:
            UserError: If a shard is missing or damaged.
        """
        folder = files[0].parent
        tree = folder.parents[1].with_name("records")
        target, digest = tree / folder.parent.name / f"{folder.name}{self.suffix}", _digest(files)
        if not _is_made_of(target, digest):
            shards = self.read(files)
            _write(target, shards.table, {**shards.metadata, "shards": digest})
        return target


def _write(path: Path, table: pa.Table, metadata: Mapping[str, Any]) -> None:
    table = table.replace_schema_metadata({key: json.dumps(value) for key, value in metadata.items()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_atomically(path, sink.getvalue().to_pybytes())


def _read(path: Path, keys: Sequence[str]) -> tuple[pa.Table, dict[str, Any]]:
    try:
        table = pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: this shard is damaged ({error}); delete it and run again") from error
    metadata = {key.decode(): value for key, value in (table.schema.metadata or {}).items()}
    lacking = [key for key in keys if key not in metadata]
    if lacking:
        raise UserError(f"{path}: this shard is damaged (no {lacking[0]}); delete it and run again")
    return table.replace_schema_metadata(None), {key: json.loads(metadata[key]) for key in keys}


def _united(metadata: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    united: dict[str, Any] = dict(metadata[0])
    for one in metadata[1:]:
        for key, value in one.items():
            if isinstance(value, dict):
                united[key] = united[key] | value
            elif isinstance(value, int):
                united[key] += value
    return united


def _digest(files: Sequence[Path]) -> str:
    """Return the sha256 of what some shards hold, in the given order."""
    whole = hashlib.sha256()
    for path in files:
        try:
            whole.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"{path}: this shard is damaged ({reason}); delete it and run again") from error
    return whole.hexdigest()


def _is_made_of(merged: Path, digest: str) -> bool:
    """Return whether a file of all shards exists, is whole, and was made of those with this digest."""
    try:
        metadata = pq.read_schema(merged).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return bool(metadata.get(b"shards") == json.dumps(digest).encode())


def nested(array: npt.NDArray[Any], levels: int, offsets: npt.NDArray[np.int32] | None = None) -> pa.Array:
    """Return an array ``[n, …]`` as nested lists.

    Args:
        array: An array of at least ``levels + 1`` dimensions, or ``levels`` of them if offsets are given.
        levels: Depth of the nested lists.
        offsets: ``[n + 1]`` where the first level's lists begin and end, if their lengths vary.
    """
    if levels == 0:
        return pa.array(array)
    if offsets is None:
        offsets = np.arange(len(array) + 1, dtype=np.int32) * array.shape[1]
        array = array.reshape(-1, *array.shape[2:])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), nested(array, levels - 1))


def flat(table: pa.Table, column: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return all values of a column, of whatever nesting, as an array of one dimension."""
    values = table[column].combine_chunks()
    while pa.types.is_list(values.type):
        values = values.flatten()
    array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False).astype(dtype)
    return array
