"""A result says what was measured, on how many images, and under which conditions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.random_records import make
from helpers.small_scenes import cell, made, scene

from benchmark.core.protocols import Metric
from benchmark.core.types import OpenRow, Result
from benchmark.metrics.classification import Classification
from benchmark.metrics.gt_known import GtKnown
from benchmark.metrics.localization import Localization
from benchmark.tasks.boxes import comparison
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.records import STORE
from benchmark.tasks.boxes.result import counts, result

METRICS: dict[str, Metric] = {
    "classification": Classification(),
    "localization": Localization(),
    "gt_known": GtKnown(),
}


@pytest.fixture
def measured(tmp_path: Path) -> BoxCell:
    """Ten images, two of them blacklisted and one unreadable."""
    on = scene(tmp_path, unreadable="skip")
    (tmp_path / "image_004.png").write_bytes(b"")
    of = cell(on, tmp_path / "runs", "grad_cam", "max_box")
    made(on, [of])
    return of


def test_what_was_expected_done_skipped_and_blacklisted_is_counted(measured: BoxCell) -> None:
    on, of = measured.scene, measured
    on.dataset.skipped["image_x"] = "not wanted"  # type: ignore[index]
    found = result(of, METRICS)
    assert isinstance(found, Result)
    told = {key: found.counts[key] for key in ("expected", "done", "skipped", "blacklisted", "maps")}
    assert told == {"expected": 10, "done": 9, "skipped": 2, "blacklisted": 2, "maps": 18}
    assert {name: estimate.n for name, estimate in found.metrics.items()} == {
        "cls_top1": 9,
        "loc_top1": 7,
        "loc_top1_all": 9,
        "gt_known": 7,
    }


def test_empty_maps_are_counted_apart_for_predictions_and_label(tmp_path: Path) -> None:
    empty = np.zeros((3, 2), np.bool_)
    empty[0] = empty[2, 1] = True
    records = make(0, n=3, k=2, empty=empty, label_empty=np.array([True, False, True]))
    found = counts(scene(tmp_path, 3), records)
    assert (found["empty_maps"], found["empty_label_maps"]) == (3, 2)


def test_one_missing_shard_leaves_the_row_open(measured: BoxCell) -> None:
    of = measured
    STORE.file(of.folder, 2).unlink()
    found = result(of, METRICS)
    assert found == OpenRow(
        of.row, "googlenet_like", "grad_cam", "1 of 4 shards are not done yet", unfinished=True
    )


def test_every_maker_of_a_shard_is_told(measured: BoxCell, monkeypatch: pytest.MonkeyPatch) -> None:
    of = measured
    STORE.file(of.folder, 2).unlink()
    monkeypatch.setattr("benchmark.core.provenance.made_by", lambda device: {"commit": "another"})
    made(of.scene, [of])
    found = result(of, METRICS)
    assert isinstance(found, Result)
    assert len(found.conditions["made_by"]) == 2
    assert "another" in [by["commit"] for by in found.conditions["made_by"]]


def test_where_files_lie_is_no_condition_of_a_number(measured: BoxCell) -> None:
    of = measured
    config = {
        **of.config,
        "model": {"name": "m", "weights": "/home/me/net.caffemodel", "note": "a/b"},
        "dataset": {"root": "/home/me/ILSVRC", "limit": 3},
    }
    moved = replace(of, config=config)
    found = result(moved, METRICS)
    assert isinstance(found, Result)
    assert found.config["model"] == {"name": "m", "weights": "net.caffemodel", "note": "a/b"}
    assert found.config["dataset"] == {"root": "ILSVRC", "limit": 3}


def test_a_box_of_the_label_counts_among_those_compared() -> None:
    one = make(0, n=4, k=2)
    assert one.label_boxes is not None
    other = replace(one, label_boxes=np.add(one.label_boxes, [0, 0, 0, 1]))
    assert comparison.same_boxes(one, one) == (12, 12)
    assert comparison.same_boxes(one, other) == (8, 12)


@pytest.mark.parametrize(
    ("precision", "moved", "far_more", "boxes"),
    [  # moved: as measured with BVLC GoogLeNet and with the embedded nets, docs/precision.md
        ("float64", 0, 5, 1000),
        ("float32", 0, 5, 1000),
        ("float16", 4, 40, 1200),
        ("bfloat16", 7, 20, 96),
        ("bfloat16", 89, 200, 2400),
    ],
)
def test_twins_may_differ_in_as_many_boxes_as_the_precision_moves_and_in_no_more(
    measured: BoxCell, monkeypatch: pytest.MonkeyPatch, precision: Any, moved: int, far_more: int, boxes: int
) -> None:
    settings = replace(measured.scene.settings, precision=precision)
    of = replace(measured, scene=replace(measured.scene, settings=settings))
    monkeypatch.setattr(comparison, "files_of", lambda *_: [])
    monkeypatch.setattr(comparison, "read_records", lambda *_: None)
    for differing, fails in ((0, False), (moved, False), (far_more, True)):
        counts = (boxes - differing, boxes)
        monkeypatch.setattr(comparison, "same_boxes", lambda *_, counts=counts: counts)
        told = comparison.compare(comparison.Twins(of, of))
        assert f"{of.row} = {of.row}, box for box: {counts[0]} of {boxes} boxes equal" in told
        assert told.startswith("FAILED: ") == fails
