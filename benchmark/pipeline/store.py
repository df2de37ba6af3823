"""Store what a run makes on disk, shard by shard, each whole or absent.

A shard is a fixed set of images, whatever the number of workers. It is written under a temporary name, synced
and renamed, so that it is complete when it is present. Below ``results/runs``, for the store ``records``::

    <model>-<method>-<fingerprint>/                            a method's heatmaps on a scene
        <what is made of them>-<fingerprint>/
            records-00007.parquet                              one shard

and below ``results/records``, for people and their tools, all shards of a cell in one file::

    <model>-<method>-<fingerprint>/<what is made of them>-<fingerprint>.records.parquet

        _journal/records-00007.json                            by whom the shard was made, and when

Which columns there are, the task that stores them says. Metadata keys of every shard, each json: ``run`` (the
sha256 of all that can change its numbers but the image files), ``number``, ``images`` (identifiers of all its
images, each with the size of its file in bytes), ``done``
(how many of them were read), ``skipped`` (image to reason), those of the task, and ``checksum`` over all of
it and the columns. So a shard that is damaged or lies in the wrong place is known, and is made again. Who
made it, on which device, is no part of it (:mod:`benchmark.pipeline.journal`). The file of all shards has
``shards`` instead of ``run``, ``number`` and ``images``: the sha256 of what it was made of.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.core.errors import UserError
from benchmark.core.files import damaged, write_atomically
from benchmark.core.reading import read_whole
from benchmark.pipeline.journal import Made, made_of, note_file

if TYPE_CHECKING:
    from benchmark.pipeline.cell import ShardKey

_told: set[Path] = set()
"""Files of no use of which this process has spoken."""


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
        self, key: ShardKey, columns: Mapping[str, pa.Array], metadata: Mapping[str, Any], made: Made
    ) -> None:
        """Store a shard and who made it; ``metadata`` holds ``done``, ``skipped`` and the store's own."""
        path = self.file(key.folder, key.number)
        write_atomically(note_file(path), made.note())
        table = pa.table(dict(columns))
        every = {**metadata, "run": key.run, "number": key.number, "images": dict(key.images)}
        _write(path, table, {**every, "checksum": _checksum(table, every)})

    def holds(self, key: ShardKey, *, complete: bool = False) -> bool:
        """Return whether a shard is there, whole and the one that it should be; if it is another, say so.

        Args:
            key: The shard.
            complete: Whether one without some of its images, which could not be read, is to be made again.
        """
        path = self.file(key.folder, key.number)
        if not path.exists():
            return False
        try:
            _, metadata = self._shard(path)
            if metadata["run"] != key.run:
                raise damaged(path, "it is the shard of another run")
            refuse_others(path, metadata["images"], key.images)
        except UserError as error:
            tell(path, error)
            return False
        return not (complete and metadata["skipped"])

    def read(self, files: Sequence[Path]) -> Shards:
        """Read shards, in the given order, as one; the file of all shards likewise, which has no makers.

        Raises:
            UserError: If a file is missing, damaged or of another run, or not one image could be read.
        """
        merged = len(files) == 1 and files[0].name.endswith(self.suffix)
        shards = [self._whole(path, "shards") if merged else self._shard(path) for path in files]
        for path, (_, metadata) in zip(files, shards, strict=True):
            if metadata.get("run") != shards[0][1].get("run"):
                raise damaged(path, f"it is of another run than {files[0].name}")
        kept = [{key: metadata[key] for key in self._common} for _, metadata in shards]
        metadata = _united(kept)
        if not metadata["done"]:
            raise UserError(f"{files[0].parent}: not one image could be read; ./scripts/doctor says why")
        filled = [table for table, _ in shards if len(table)]  # an empty one may not know its columns' types
        made = () if merged else tuple(map(made_of, files))
        return Shards(pa.concat_tables(filled or [shards[0][0]]), metadata, made)

    def unverified(self, path: Path) -> Shards:
        """Read the file of all shards though it may not be what was written, to see what became of it.

        Raises:
            UserError: If it cannot be read at all.
        """
        return Shards(*_read(path, self._common), ())

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
            every = {**shards.metadata, "shards": digest}
            _write(target, shards.table, {**every, "checksum": _checksum(shards.table, every)})
        return target

    @property
    def _common(self) -> tuple[str, ...]:
        return ("done", "skipped", *self.keys)

    def _shard(self, path: Path) -> tuple[pa.Table, dict[str, Any]]:
        """Read a shard whose content is what was written, and whose number is that of its name."""
        table, metadata = self._whole(path, "run", "number", "images")
        if path.name != self.file(path.parent, metadata["number"]).name:
            raise damaged(path, f"it is shard {metadata['number']}")
        return table, metadata

    def _whole(self, path: Path, *keys: str) -> tuple[pa.Table, dict[str, Any]]:
        """Read a file whose content is what was written, with metadata of these keys and every store's."""
        table, metadata = _read(path, (*self._common, *keys, "checksum"))
        if metadata.pop("checksum") != _checksum(table, metadata):
            raise damaged(path, "its checksum is another")
        return table, metadata


def shards_of(results: Path, merged: Path) -> list[Path]:
    """Return the shards, in order, that a file of all shards was made of; none where they are not there."""
    folder = results / "runs" / merged.parent.name / merged.name.rsplit(".", 2)[0]
    return sorted(folder.glob(f"{merged.name.rsplit('.', 2)[1]}-*.parquet"))


def refuse_others(path: Path, of: object, wanted: Mapping[str, int | None]) -> None:
    """Refuse a shard of other images than it should be of, or of the same before their files were changed.

    Args:
        path: The shard.
        of: Identifiers of its images, each with the size of its file in bytes.
        wanted: Those that it should have.

    Raises:
        UserError: If they differ.
    """
    if not isinstance(of, dict) or list(of) != list(wanted):
        raise damaged(path, "it is of other images")
    for image, size in wanted.items():
        if of[image] != size:
            raise UserError(f"{path}: {image} had {of[image]} bytes when this shard was made, and has {size}")


def tell(path: Path, error: UserError) -> None:
    """Say once that a file, for the reason of an error, is made again."""
    if path not in _told:
        _told.add(path)
        print(f"{str(error).partition(';')[0]}; it is made again", file=sys.stderr)


def _write(path: Path, table: pa.Table, metadata: Mapping[str, Any]) -> None:
    table = table.replace_schema_metadata({key: json.dumps(value) for key, value in metadata.items()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_page_checksum=True)
    write_atomically(path, sink.getvalue().to_pybytes())


def _read(path: Path, keys: Sequence[str]) -> tuple[pa.Table, dict[str, Any]]:
    try:
        table = pq.ParquetFile(pa.BufferReader(read_whole(path)), page_checksum_verification=True).read()
        table.validate(full=True)  # such as text that is not UTF-8
        metadata = {key.decode(): value for key, value in (table.schema.metadata or {}).items()}
        found = {key: json.loads(metadata[key]) for key in keys if key in metadata}
    except (OSError, ValueError, pa.ArrowException) as error:
        raise damaged(path, str(error).partition("\n")[0]) from error
    lacking = [key for key in keys if key not in found]
    if lacking:
        raise damaged(path, f"no {lacking[0]}")
    return table.replace_schema_metadata(None), found


def _checksum(table: pa.Table, metadata: Mapping[str, Any]) -> str:
    """Return the sha256 of the values of some columns and metadata, however they are laid out in memory."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in table.column_names:
        values = table[name].combine_chunks()
        while pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
            if pa.types.is_list(values.type):
                digest.update(values.value_lengths().to_numpy(zero_copy_only=False).tobytes())
            values = values.flatten()
        digest.update(f"{name} {values.type}".encode())
        if pa.types.is_string(values.type):
            digest.update(json.dumps(values.to_pylist()).encode())
        else:
            digest.update(values.to_numpy(zero_copy_only=False).tobytes())
    return digest.hexdigest()


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
            whole.update(hashlib.sha256(read_whole(path)).digest())
        except OSError as error:
            raise damaged(path, error.strerror or error) from error
    return whole.hexdigest()


def _is_made_of(merged: Path, digest: str) -> bool:
    """Return whether a file of all shards exists, is whole, and was made of those with this digest."""
    try:
        metadata = pq.read_schema(merged).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return b"checksum" in metadata and bool(metadata.get(b"shards") == json.dumps(digest).encode())


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
