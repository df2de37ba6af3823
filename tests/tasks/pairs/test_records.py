"""Shards of pairs on disk: what is written comes back, to us and to others' tools."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from helpers.pair_scenes import assert_same, cells_of, made, multi_scene, question, stored

from benchmark.core.errors import UserError
from benchmark.pipeline.cell import ShardKey
from benchmark.pipeline.journal import Made
from benchmark.tasks.pairs.records import STORE, columns_of, metadata_of, read_pairs
from benchmark.tasks.pairs.types import Pairs

MADE = Made({"commit": "abc", "dirty": False}, 1.5)


def some(seed: int, *images: str, skipped: str = "") -> Pairs:
    """One column of each kind and shape that a reading may give."""
    rng, n = np.random.default_rng(seed), len(images)
    columns = {
        "label": rng.integers(0, 9, n).astype(np.int32),
        "labelled": rng.random(n) < 0.5,
        "logit": rng.standard_normal(n).astype(np.float32),
        "own_distance": np.where(rng.random(n) < 0.5, np.inf, rng.random(n)).astype(np.float32),
        "peak": rng.integers(0, 99, (n, 2)).astype(np.int32),
        "grid3": rng.standard_normal((n, 3, 3)).astype(np.float32),
        "seen": rng.random((n, 4)) < 0.5,
    }
    reasons = {skipped: f"{skipped}: truncated"} if skipped else {}
    return Pairs(images, columns, len(set(images)) + 1, reasons)


def nothing(done: int, skipped: str = "") -> Pairs:
    """A shard whose images hold no class that is asked."""
    return Pairs((), {}, done, {skipped: "no"} if skipped else {})


def written(folder: Path, *shards: Pairs) -> list[Path]:
    for number, shard in enumerate(shards):
        key = ShardKey(folder, "a run", number, dict.fromkeys(shard.image_ids))
        STORE.write(key, columns_of(shard), metadata_of(shard), MADE)
    return [STORE.file(folder, number) for number in range(len(shards))]


def test_one_shard_comes_back_bit_by_bit(tmp_path: Path) -> None:
    whole = some(0, "a", "a", "ü b", skipped="c")
    assert_same(read_pairs(written(tmp_path, whole)), whole)


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_shards_come_back_as_one_whichever_of_them_has_no_pair(tmp_path: Path, empty: int) -> None:
    shards = [some(1, "a", "b", "b"), some(2, "c", skipped="d")]
    shards.insert(empty, nothing(3, "e"))
    found = read_pairs(written(tmp_path, *shards))
    assert found.image_ids == ("a", "b", "b", "c")
    assert (found.done, dict(found.skipped)) == (8, {"d": "d: truncated", "e": "no"})
    filled = [shard for shard in shards if len(shard)]
    for name, column in found.columns.items():
        np.testing.assert_array_equal(
            column, np.concatenate([shard.columns[name] for shard in filled]), strict=True
        )


def test_infinite_distances_and_other_extremes_come_back(tmp_path: Path) -> None:
    values = np.array([np.inf, -np.inf, -0.0, 1e-45, 3e38], np.float32)
    whole = Pairs(tuple("abcde"), {"own_distance": values}, 5)
    back = read_pairs(written(tmp_path, whole)).columns["own_distance"]
    assert back.tobytes() == values.tobytes()


def test_the_file_of_all_pairs_is_read_by_pandas_alone(tmp_path: Path) -> None:
    shards = [some(1, "a", "b"), nothing(2), some(2, "b2")]
    path = STORE.merge(written(tmp_path / "runs/row/cell", *shards))
    frame = pd.read_parquet(path)
    assert frame["image_id"].tolist() == ["a", "b", "b2"]
    assert frame["labelled"].dtype == np.bool_
    assert frame["logit"].dtype == np.float32
    whole = read_pairs([path])
    assert_same(whole, read_pairs([STORE.file(tmp_path / "runs/row/cell", number) for number in range(3)]))
    for name, column in whole.columns.items():
        flat = np.stack([np.asarray(value).reshape(-1) for value in frame[name]])
        np.testing.assert_array_equal(flat, column.reshape(len(column), -1))
    metadata = pq.read_schema(path).metadata
    assert json.loads(metadata[b"shapes"])["grid3"] == [3, 3]


def test_who_made_a_shard_and_how_long_it_took_is_kept(tmp_path: Path) -> None:
    assert STORE.read(written(tmp_path, some(1, "a"), nothing(1))).made == (MADE, MADE)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def bare(path: Path) -> None:
    pd.DataFrame({"image_id": ["a"]}).to_parquet(path)


@pytest.mark.parametrize("damage", [cut, emptied, bare, Path.unlink])
def test_a_damaged_shard_is_named_in_one_line(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    paths = written(tmp_path, some(1, "a"), some(2, "b"))
    damage(paths[1])
    with pytest.raises(UserError, match=r"pairs-00001\.parquet: this shard is damaged.*run again") as caught:
        read_pairs(paths)
    assert "\n" not in str(caught.value)


def test_no_pair_at_all_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not one image has a class to ask about.*classes="):
        read_pairs(written(tmp_path / "asked", nothing(2), nothing(1)))
    with pytest.raises(UserError, match="not one image could be read"):
        read_pairs(written(tmp_path / "lost", nothing(0, "a")))


def test_a_run_leaves_shards_without_pairs_that_count_their_images(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    (cell,) = cells_of(on, tmp_path / "runs", "labelled", "cam")
    made(on, question(), [cell])
    assert len(on.shards) == 3
    assert (
        pq.read_table(STORE.file(cell.folder, 2)).num_rows == 0
    )  # the last image has a difficult object only
    assert stored(cell).done == 7
