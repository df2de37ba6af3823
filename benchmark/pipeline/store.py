"""What a run leaves on disk: shards of heatmaps and of records, each whole or absent.

Folder of a heatmap fingerprint, under ``results/runs``::

    <model>-<method>-<fingerprint>/
        heatmaps-00007.npz                      maps of at most 28 × 28, relative to their scale, fp16
        <localizer>-<fingerprint>/
            records-00007.parquet               one row an image
            records.parquet                     all shards in one file, once they are complete

A shard is a fixed set of images, whatever the number of workers; it is written under a temporary name, synced
and renamed, so that it is complete when it is present.

Schema of ``records-*.parquet`` (boxes are half-open ``x0 y0 x1 y1`` in original pixels):

=================  =====================  ==============================================================
column             type                   meaning
=================  =====================  ==============================================================
image_id           string                 file name without suffix
label              int32                  ground-truth class, index into the sorted identifiers
width, height      int32                  of the original image
blacklisted        bool                   left out of the localization average
truth              list<list<int32>[4]>   ground-truth boxes
classes            list<int32>            predicted classes, best first
scores             list<float>            their softmax probabilities
boxes              list<list<int32>[4]>   one box a predicted class
peaks              list<list<int32>[2]>   ``x y`` of each map's maximum
empty              list<bool>             no box followed from the map; it is the whole image
label_box          list<int32>[4]         box of the ground-truth class's own map
label_peak         list<int32>[2]         its maximum
label_empty        bool                   whether it was empty
curve              list<list<int32>[4]>   its boxes at the thresholds of metadata key ``grid``; may be absent
=================  =====================  ==============================================================

Metadata keys, each json: ``grid`` (list), ``skipped`` (image to reason), ``seconds``, ``by`` (commit, device
and packages that made the shard). ``records.parquet`` has instead of the last two ``shards``, the sha256 of
what it was made of.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.types import Box, FloatArray, IntArray, Records, View

KEPT_SIDE = 28
"""Heatmaps of at most this many cells a side are kept; larger ones are localized as they are made."""


@dataclass(frozen=True)
class Heatmaps:
    """The heatmaps of one shard, with what a localizer needs to turn them into boxes.

    Attributes:
        image_ids: ``[n]``.
        classes: ``[n, k]`` predicted classes, best first.
        scores: ``[n, k]`` their probabilities.
        maps: ``[n, k + 1, h, w]`` relative maps, the last one of the ground-truth class.
        scales: ``[n, k + 1]`` what to multiply a relative map by to get the method's own values.
        views: ``[n]`` how the network's input lay in each image.
        skipped: Images of the shard that could not be read, each with the reason.
    """

    image_ids: tuple[str, ...]
    classes: IntArray
    scores: FloatArray
    maps: npt.NDArray[np.floating[Any]]
    scales: FloatArray
    views: tuple[View, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """How a shard came to be.

    Attributes:
        by: Commit, device and package versions.
        seconds: That it took.
    """

    by: Mapping[str, Any]
    seconds: float


def heatmap_file(folder: Path, shard: int) -> Path:
    """Where a shard's heatmaps lie."""
    return folder / f"heatmaps-{shard:05d}.npz"


def record_file(folder: Path, shard: int) -> Path:
    """Where a shard's records lie."""
    return folder / f"records-{shard:05d}.parquet"


def write_heatmaps(path: Path, heatmaps: Heatmaps) -> None:
    """Store a shard's heatmaps; maps in half precision, everything else as it is."""
    views = [(view.width, view.height, *view.region) for view in heatmaps.views]
    buffer = io.BytesIO()
    np.savez(
        buffer,
        image_ids=np.array(heatmaps.image_ids, dtype=np.str_),
        classes=heatmaps.classes,
        scores=heatmaps.scores,
        maps=heatmaps.maps.astype(np.float16),
        scales=heatmaps.scales,
        views=np.array(views, np.int32).reshape(-1, 6),
        skipped=np.array(json.dumps(dict(heatmaps.skipped))),
    )
    write_atomically(path, buffer.getvalue())


def read_heatmaps(path: Path) -> Heatmaps:
    """Read a shard's heatmaps back.

    Raises:
        UserError: If the file is damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            views = tuple(View(w, h, Box(*region)) for w, h, *region in file["views"].tolist())
            return Heatmaps(
                image_ids=tuple(file["image_ids"].tolist()),
                classes=file["classes"],
                scores=file["scores"],
                maps=file["maps"],
                scales=file["scales"],
                views=views,
                skipped=json.loads(str(file["skipped"])),
            )
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise UserError(f"{path}: this shard is damaged ({error}); delete it and run again") from error


def _lists(array: npt.NDArray[Any], levels: int, offsets: IntArray | None = None) -> pa.Array:
    """An array ``[n, …]`` as nested lists; ``offsets`` gives lists of varying length at the first level."""
    if levels == 0:
        return pa.array(array)
    if offsets is None:
        offsets = np.arange(len(array) + 1, dtype=np.int32) * array.shape[1]
        array = array.reshape(-1, *array.shape[2:])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), _lists(array, levels - 1))


def write_records(path: Path, records: Records, made: Made) -> None:
    """Store a shard's records as parquet; the schema stands at the top of this module."""
    offsets = np.searchsorted(records.owner, np.arange(len(records) + 1)).astype(np.int32)
    columns = {
        "image_id": pa.array(records.image_ids, pa.string()),
        "label": pa.array(records.labels),
        "width": pa.array(records.sizes[:, 0]),
        "height": pa.array(records.sizes[:, 1]),
        "blacklisted": pa.array(records.blacklisted),
        "truth": _lists(records.truth, 2, offsets),
        "classes": _lists(records.classes, 1),
        "scores": _lists(records.scores, 1),
        "boxes": _lists(records.boxes, 2),
        "peaks": _lists(records.peaks, 2),
        "empty": _lists(records.empty, 1),
        "label_box": _lists(_made(records.label_boxes), 1),
        "label_peak": _lists(_made(records.label_peaks), 1),
        "label_empty": pa.array(_made(records.label_empty)),
    }
    if records.curve is not None:
        columns["curve"] = _lists(records.curve, 2)
    metadata = {
        "grid": list(records.grid),
        "skipped": dict(records.skipped),
        "seconds": made.seconds,
        "by": dict(made.by),
    }
    table = pa.table(columns).replace_schema_metadata({k: json.dumps(v) for k, v in metadata.items()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_atomically(path, sink.getvalue().to_pybytes())


def _made(array: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    if array is None:
        raise ValueError("records of a run always hold the ground-truth class's own map")
    return array


def read_records(paths: Sequence[Path]) -> Records:
    """Read shards of records, in the given order, as one.

    Raises:
        UserError: If a file is missing or damaged.
    """
    shards = [_read_shard(path) for path in paths]
    skipped = {image: why for _, meta in shards for image, why in json.loads(meta["skipped"]).items()}
    table = pa.concat_tables([table.replace_schema_metadata(None) for table, _ in shards])
    truth = table["truth"].combine_chunks()
    lengths = np.diff(truth.offsets.to_numpy()) if len(table) else np.zeros(0, np.int32)
    count = len(table)
    if not count:
        raise UserError(f"{paths[0].parent}: not one image could be read; ./scripts/doctor says why")
    return Records(
        image_ids=tuple(table["image_id"].to_pylist()),
        labels=_array(table, "label", np.int32),
        sizes=np.stack([_array(table, "width", np.int32), _array(table, "height", np.int32)], axis=1),
        blacklisted=_array(table, "blacklisted", np.bool_),
        truth=_array(table, "truth", np.int32).reshape(-1, 4),
        owner=np.repeat(np.arange(count, dtype=np.int32), lengths),
        classes=_array(table, "classes", np.int32).reshape(count, -1),
        scores=_array(table, "scores", np.float32).reshape(count, -1),
        boxes=_array(table, "boxes", np.int32).reshape(count, -1, 4),
        peaks=_array(table, "peaks", np.int32).reshape(count, -1, 2),
        empty=_array(table, "empty", np.bool_).reshape(count, -1),
        label_boxes=_array(table, "label_box", np.int32).reshape(count, 4),
        label_peaks=_array(table, "label_peak", np.int32).reshape(count, 2),
        label_empty=_array(table, "label_empty", np.bool_),
        curve=_array(table, "curve", np.int32).reshape(count, -1, 4)
        if "curve" in table.column_names
        else None,
        grid=tuple(json.loads(shards[0][1]["grid"])),
        skipped=skipped,
    )


def _read_shard(path: Path) -> tuple[pa.Table, dict[str, str]]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: this shard is damaged ({error}); delete it and run again") from error
    return table, {key.decode(): value.decode() for key, value in table.schema.metadata.items()}


def _array(table: pa.Table, column: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
    values = table[column].combine_chunks()
    while pa.types.is_list(values.type):
        values = values.flatten()
    array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False).astype(dtype)
    return array


def merge(folder: Path, files: Sequence[Path]) -> Path:
    """All shards of a finished cell as one file for people and their tools; made anew if one has changed.

    Raises:
        UserError: If a shard is missing or damaged.
    """
    target, made_of = folder / "records.parquet", shards_digest(files)
    if not is_made_of(target, made_of):
        shards = [_read_shard(path) for path in files]
        skipped = {image: why for _, meta in shards for image, why in json.loads(meta["skipped"]).items()}
        table = pa.concat_tables([table.replace_schema_metadata(None) for table, _ in shards])
        metadata = {
            "grid": shards[0][1]["grid"],
            "skipped": json.dumps(skipped),
            "shards": json.dumps(made_of),
        }
        sink = pa.BufferOutputStream()
        pq.write_table(table.replace_schema_metadata(metadata), sink)
        write_atomically(target, sink.getvalue().to_pybytes())
    return target


def shards_digest(files: Sequence[Path]) -> str:
    """sha256 of what some shards hold, in the given order.

    Raises:
        UserError: If one is missing.
    """
    whole = hashlib.sha256()
    for path in files:
        try:
            whole.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            raise UserError(
                f"{path}: this shard is damaged ({error.strerror or error}); delete it and run again"
            ) from error
    return whole.hexdigest()


def is_made_of(merged: Path, digest: str) -> bool:
    """Whether a file of all shards is there, whole, and was made of those with this digest."""
    try:
        metadata = pq.read_schema(merged).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    return bool(metadata.get(b"shards") == json.dumps(digest).encode())


def read_made(paths: Sequence[Path]) -> list[Made]:
    """How each of these shards of records came to be."""
    metadata = [pq.read_schema(path).metadata for path in paths]
    return [Made(json.loads(entry[b"by"]), json.loads(entry[b"seconds"])) for entry in metadata]
