"""Shards come back as they were written, and are whole or absent."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.types import Box, Records, View
from benchmark.pipeline.cell import ShardKey
from benchmark.pipeline.heatmap_store import Heatmaps, read_heatmaps, write_heatmaps
from benchmark.pipeline.journal import Made
from benchmark.tasks.boxes.records import STORE, columns_of, metadata_of, read_records


def make_records(count: int, start: int = 0, seed: int = 0, top: int = 3) -> Records:
    rng = np.random.default_rng(seed)
    per_image = rng.integers(0, 4, count)

    def boxes(*shape: int) -> np.ndarray:
        return rng.integers(0, 100, (*shape, 4)).astype(np.int32)

    return Records(
        image_ids=tuple(f"image_{start + i:05d}" for i in range(count)),
        labels=rng.integers(0, 10, count).astype(np.int32),
        sizes=rng.integers(1, 500, (count, 2)).astype(np.int32),
        blacklisted=rng.random(count) < 0.5,
        truth=boxes(int(per_image.sum())),
        owner=np.repeat(np.arange(count, dtype=np.int32), per_image),
        classes=rng.integers(0, 10, (count, top)).astype(np.int32),
        scores=rng.random((count, top)).astype(np.float32),
        boxes=boxes(count, top),
        peaks=rng.integers(0, 100, (count, top, 2)).astype(np.int32),
        empty=rng.random((count, top)) < 0.5,
        label_boxes=boxes(count),
        label_peaks=rng.integers(0, 100, (count, 2)).astype(np.int32),
        label_empty=rng.random(count) < 0.5,
        curve=boxes(count, 2),
        grid=(0.25, 0.5),
        skipped={f"lost_{start}": "truncated"},
    )


def written(folder: Path, number: int, records: Records, made: Made | None = None) -> Path:
    """Where a shard was stored."""
    images = (*records.image_ids, *records.skipped)
    key = ShardKey(folder, "a run", number, dict.fromkeys(images))
    STORE.write(key, columns_of(records), metadata_of(records), made or Made({}, 0.0))
    return STORE.file(folder, number)


def assert_equal(left: Records, right: Records) -> None:
    for field in dataclasses.fields(Records):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
            assert a.dtype == b.dtype, field.name
        else:
            assert a == b, field.name


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    records = make_records(7)
    assert_equal(read_records([written(tmp_path, 0, records)]), records)
    counted = dataclasses.replace(records, overlaps=np.random.default_rng(0).random((7, 2)))
    assert_equal(read_records([written(tmp_path, 1, counted)]), counted)


def test_shards_of_records_are_joined_in_the_given_order(tmp_path: Path) -> None:
    parts = [make_records(4, 0, seed=1), make_records(3, 4, seed=2)]
    files = [written(tmp_path, number, part) for number, part in enumerate(parts)]
    joined = read_records(files)
    assert joined.image_ids == parts[0].image_ids + parts[1].image_ids
    assert joined.skipped == {"lost_0": "truncated", "lost_4": "truncated"}
    for row in range(7):
        part, local = (parts[0], row) if row < 4 else (parts[1], row - 4)
        np.testing.assert_array_equal(joined.truth[joined.owner == row], part.truth[part.owner == local])


def test_a_shard_without_a_readable_image_joins_with_others(tmp_path: Path) -> None:
    files = [written(tmp_path, number, make_records(count)) for number, count in enumerate((0, 2))]
    assert len(read_records(files)) == 2
    with pytest.raises(UserError, match="not one image"):
        read_records(files[:1])


def test_pandas_reads_the_documented_columns_without_us(tmp_path: Path) -> None:
    records = make_records(3)
    path = written(tmp_path, 0, records)
    frame = pd.read_parquet(path)
    assert list(frame["image_id"]) == list(records.image_ids)
    assert [list(box) for box in frame["boxes"][1]] == records.boxes[1].tolist()
    assert list(frame["label_box"][2]) == records.label_boxes[2].tolist()  # type: ignore[index]


LINES = re.findall(
    r"^(?:pandas|duckdb|polars)\..*$",
    (Path(__file__).parents[2] / "docs/results.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_three_tools_are_shown() -> None:
    assert [line.partition(".")[0] for line in LINES] == ["pandas", "duckdb", "polars"]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.partition(".")[0])
def test_a_line_of_the_documentation_reads_a_row(line: str, tmp_path: Path) -> None:
    labels = np.array([3, 1, 4, 1, 5], np.int32)
    classes = np.array([[3, 0, 1], [0, 1, 2], [4, 1, 0], [1, 4, 5], [0, 5, 1]], np.int32)
    records = dataclasses.replace(make_records(5), labels=labels, classes=classes)
    row = str(STORE.merge([written(tmp_path / "runs/row/cell", 0, records)]))
    tool = line.partition(".")[0]
    assert eval(line, {tool: pytest.importorskip(tool), "row": row}) == 0.6


def test_how_a_shard_was_made_is_kept_beside_it(tmp_path: Path) -> None:
    made = Made({"commit": "abc", "dirty": False}, 2.25)
    assert STORE.read([written(tmp_path, 0, make_records(1), made)]).made == (made,)


def test_heatmaps_come_back_as_they_were_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    heatmaps = Heatmaps(
        image_ids=("a", "b"),
        classes=np.array([[1, 2], [3, 4]], np.int32),
        scores=rng.random((2, 2)).astype(np.float32),
        maps=rng.random((2, 3, 7, 7)).astype(np.float16),
        scales=rng.random((2, 3)).astype(np.float32),
        views=(View(500, 375, Box(0, 0, 500, 375)), View(10, 20, Box(1, 2, 3, 4))),
        skipped={"c": "cannot be read: \u201ctruncated\u201d"},
    )
    write_heatmaps(tmp_path / "h.npz", heatmaps, Made({}, 0.0))
    back = read_heatmaps(tmp_path / "h.npz")
    for field in ("image_ids", "views", "skipped"):
        assert getattr(back, field) == getattr(heatmaps, field)
    for field in ("classes", "scores", "maps", "scales"):
        np.testing.assert_array_equal(getattr(back, field), getattr(heatmaps, field))


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_damaged_shard_is_named(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, 0, make_records(3))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"records-00000\.parquet: this shard is damaged"):
        read_records([path])
    broken = tmp_path / "h.npz"
    broken.write_bytes(b"PK\x03\x04 no archive"[:cut])
    with pytest.raises(UserError, match=r"h\.npz: this shard is damaged"):
        read_heatmaps(broken)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "inside").write_text("old")
    with pytest.raises(UserError, match="cannot be written"):
        write_atomically(target, b"new")  # a folder cannot be replaced by a file
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder"]
    assert (target / "inside").read_text() == "old"


def test_a_name_as_long_as_there_can_be_is_written(tmp_path: Path) -> None:
    target = tmp_path / f"{'x' * 251}.csv"
    write_atomically(target, "new")
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_the_file_of_all_records_is_made_once_and_anew_when_a_shard_was(tmp_path: Path) -> None:
    cell = tmp_path / "runs/row/cell"
    files = [written(cell, number, make_records(2, 2 * number)) for number in range(2)]
    merged = STORE.merge(files)
    assert merged == tmp_path / "records/row/cell.records.parquet"
    for folder in (cell, cell.parent, tmp_path / "runs", merged.parent, tmp_path / "records"):
        assert len(pd.read_parquet(folder)) == 4, "each image once, whatever is read as a data set"
    stamp = merged.stat().st_mtime_ns
    assert STORE.merge(files).stat().st_mtime_ns == stamp
    assert pd.read_parquet(merged).image_id.tolist() == [f"image_{number:05d}" for number in range(4)]
    written(cell, 1, make_records(5, 2, seed=9))
    assert len(pd.read_parquet(STORE.merge(files))) == 7
    merged.write_bytes(merged.read_bytes()[:50])
    assert len(pd.read_parquet(STORE.merge(files))) == 7
    files[0].unlink()
    with pytest.raises(UserError, match=r"records-00000\.parquet: this shard is damaged .*run again"):
        STORE.merge(files)


def test_a_wrong_byte_in_the_file_of_all_records_changes_no_record_unseen(tmp_path: Path) -> None:
    records = make_records(40)
    merged = STORE.merge([written(tmp_path / "runs/row/cell", 0, records)])
    whole, told = merged.read_bytes(), 0
    for place in range(4, len(whole) // 2, 7):
        data = bytearray(whole)
        data[place] ^= 1
        merged.write_bytes(data)
        try:
            found = read_records([merged])
        except UserError:
            told += 1
        else:
            assert_equal(found, records)
    assert told > 100
