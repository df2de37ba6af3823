"""The records of boxes on disk.

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
overlaps           list<double>           greatest overlap at each threshold, where the localizer counts it
=================  =====================  ==============================================================

Metadata key beside those of every store (:mod:`benchmark.pipeline.store`): ``grid``, a list.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmark.core.types import Records
from benchmark.pipeline.store import Shards, ShardStore, flat, nested

STORE = ShardStore("records", ("grid",))


def columns_of(records: Records) -> dict[str, pa.Array]:
    """Return records as columns; the schema stands at the top of this module."""
    offsets = np.searchsorted(records.owner, np.arange(len(records) + 1)).astype(np.int32)
    columns = {
        "image_id": pa.array(records.image_ids, pa.string()),
        "label": pa.array(records.labels),
        "width": pa.array(records.sizes[:, 0]),
        "height": pa.array(records.sizes[:, 1]),
        "blacklisted": pa.array(records.blacklisted),
        "truth": nested(records.truth, 2, offsets),
        "classes": nested(records.classes, 1),
        "scores": nested(records.scores, 1),
        "boxes": nested(records.boxes, 2),
        "peaks": nested(records.peaks, 2),
        "empty": nested(records.empty, 1),
        "label_box": nested(_present(records.label_boxes), 1),
        "label_peak": nested(_present(records.label_peaks), 1),
        "label_empty": pa.array(_present(records.label_empty)),
    }
    if records.curve is not None:
        columns["curve"] = nested(records.curve, 2)
    if records.overlaps is not None:
        columns["overlaps"] = nested(records.overlaps, 1)
    return columns


def _present(array: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    if array is None:
        raise ValueError("records of a run always hold the ground-truth class's own map")
    return array


def metadata_of(records: Records) -> dict[str, Any]:
    """Return what a shard says of all its records."""
    return {"grid": list(records.grid), "done": len(records), "skipped": dict(records.skipped)}


def records_in(shards: Shards) -> Records:
    """Return what some shards hold."""
    table, count = shards.table, len(shards.table)
    lengths = np.diff(table["truth"].combine_chunks().offsets.to_numpy())

    def column(name: str, dtype: type[np.generic], *shape: int) -> npt.NDArray[Any]:
        return flat(table, name, dtype).reshape(count, *shape)

    return Records(
        image_ids=tuple(table["image_id"].to_pylist()),
        labels=column("label", np.int32),
        sizes=np.stack([column("width", np.int32), column("height", np.int32)], axis=1),
        blacklisted=column("blacklisted", np.bool_),
        truth=flat(table, "truth", np.int32).reshape(-1, 4),
        owner=np.repeat(np.arange(count, dtype=np.int32), lengths),
        classes=column("classes", np.int32, -1),
        scores=column("scores", np.float32, -1),
        boxes=column("boxes", np.int32, -1, 4),
        peaks=column("peaks", np.int32, -1, 2),
        empty=column("empty", np.bool_, -1),
        label_boxes=column("label_box", np.int32, 4),
        label_peaks=column("label_peak", np.int32, 2),
        label_empty=column("label_empty", np.bool_),
        curve=column("curve", np.int32, -1, 4) if "curve" in table.column_names else None,
        grid=tuple(shards.metadata["grid"]),
        overlaps=column("overlaps", np.float64, -1) if "overlaps" in table.column_names else None,
        skipped=dict(shards.metadata["skipped"]),
    )


def read_records(files: Sequence[Path]) -> Records:
    """Read shards of records, in the given order, as one.

    Raises:
        UserError: If a file is missing or damaged, or not one image could be read.
    """
    return records_in(STORE.read(files))
