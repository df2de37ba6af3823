"""Thresholds come from the held-out images alone, numbers from all others alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_scenes import METHODS, scene

from benchmark.core.protocols import Metric
from benchmark.core.types import OpenRow, Records, Result
from benchmark.localizers.max_box import MaxBox
from benchmark.metrics.gt_known import GtKnown
from benchmark.metrics.oracle_per_image import OraclePerImage
from benchmark.pipeline.journal import Made
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.scene import Scene
from benchmark.tasks.boxes.cell import BoxCell, box_cell
from benchmark.tasks.boxes.matrix.evaluate import Evaluated, choose, evaluate
from benchmark.tasks.boxes.matrix.split import Split
from benchmark.tasks.boxes.recorder import BoxRecorder
from benchmark.tasks.boxes.records import STORE, columns_of, metadata_of

GRID = (0.2, 0.5, 0.8)
HELDOUT = frozenset(["image_001", "image_002", "image_003"])
METRICS: dict[str, Metric] = {"gt_known": GtKnown(), "oracle_per_image": OraclePerImage()}
NOWHERE = (0, 0, 1, 1)


def make(options: Any) -> MaxBox:
    return MaxBox(**{key: value for key, value in options.items() if key != "_target_"})


def cell(on: Scene, runs: Path, name: str, **options: Any) -> BoxCell:
    config = {
        "model": {"_target_": "helpers.small_models.as_model", "name": on.model.name},
        "transform": {"name": "warp"},
        "method": {"name": "cam"},
        "localizer": {"name": name, "version": 1, "threshold": 0.2, "grid": list(GRID), **options},
        "dataset": {},
    }
    localizer = make(config["localizer"])
    return box_cell(on, f"cam/{name}", METHODS["cam"], localizer, config, runs, ("threshold=0.2",))


def by_hand(on: Scene, numbers: range) -> Records:
    """Held-out images are right at 0.5 and at 0.8, all others at 0.2 alone; the box itself is as at 0.2."""
    samples = [on.dataset.samples[number] for number in numbers]
    truth = np.concatenate([sample.boxes for sample in samples])
    first = np.array([sample.boxes[0] for sample in samples], np.int32)
    held = np.array([sample.image_id in HELDOUT for sample in samples])
    columns = [np.where((held == late)[:, None], first, NOWHERE) for late in (False, True, True)]
    count, guesses = len(samples), np.zeros((len(samples), 2), np.int32)
    return Records(
        image_ids=tuple(sample.image_id for sample in samples),
        labels=np.zeros(count, np.int32),
        sizes=np.array([sample.size for sample in samples], np.int32),
        blacklisted=np.array([sample.blacklisted for sample in samples]),
        truth=truth.astype(np.int32),
        owner=np.repeat(np.arange(count, dtype=np.int32), [len(sample.boxes) for sample in samples]),
        classes=guesses,
        scores=guesses.astype(np.float32),
        boxes=np.zeros((count, 2, 4), np.int32),
        peaks=np.zeros((count, 2, 2), np.int32),
        empty=guesses.astype(np.bool_),
        label_boxes=columns[0].astype(np.int32),
        label_peaks=guesses,
        label_empty=np.zeros(count, np.bool_),
        curve=np.stack(columns, axis=1).astype(np.int32),
        grid=GRID,
    )


@pytest.fixture
def plan(tmp_path: Path) -> Plan[BoxCell]:
    """Two protocols that differ in the threshold alone, their records written by hand."""
    on, runs = scene(tmp_path, 10), tmp_path / "runs"
    cells = {f"cam/{name}": cell(on, runs, name) for name in ("max_box", "alike")}
    for made in cells.values():
        for number, images in enumerate(on.shards):
            found = by_hand(on, images)
            STORE.write(made.shard(number), columns_of(found), metadata_of(found), Made({}, 0.0))
    return Plan(on.dataset, on.settings, runs, lambda _, cell: BoxRecorder(cell.scene), rows=cells)


def test_the_threshold_is_the_best_of_the_held_out_images_not_of_the_evaluated_ones(
    plan: Plan[BoxCell],
) -> None:
    split = Split(plan.dataset, "list.txt", HELDOUT)
    ((row, chosen),) = choose(plan, split, 0.5, make).items()
    assert row == chosen.row == "cam/max_box+heldout", "one for both protocols: they share their curve"
    assert isinstance(chosen.localizer, MaxBox)
    assert chosen.localizer.threshold == 0.5, "0.2 is right for most images, but for none that is held out"
    assert chosen.protocol == "max_box v1, threshold=0.5 chosen on list.txt, 3 images"
    assert chosen.config["localizer"]["threshold"] == 0.5
    assert chosen.heatmap_folder == plan.rows["cam/max_box"].heatmap_folder
    others = Split(plan.dataset, "rest.txt", frozenset(s.image_id for s in plan.dataset.samples) - HELDOUT)
    ((_, opposite),) = choose(plan, others, 0.5, make).items()
    assert isinstance(opposite.localizer, MaxBox)
    assert opposite.localizer.threshold == 0.2


def test_without_held_out_images_nothing_is_chosen(plan: Plan[BoxCell]) -> None:
    assert choose(plan, Split(plan.dataset), 0.5, make) == {}


def test_nothing_is_chosen_from_a_cell_that_lacks_a_shard(plan: Plan[BoxCell]) -> None:
    for name, keep in (("cam/max_box", False), ("cam/alike", True)):
        made = plan.rows[name]
        if not keep:
            STORE.file(made.folder, 1).unlink()
    split = Split(plan.dataset, "list.txt", HELDOUT)
    assert set(choose(plan, split, 0.5, make)) == {"cam/alike+heldout"}
    assert isinstance(evaluate(plan.rows["cam/max_box"], split, METRICS, 0.5).row, OpenRow)


def numbers(found: Evaluated) -> Result:
    assert isinstance(found.row, Result)
    return found.row


def test_the_numbers_are_of_the_other_images(plan: Plan[BoxCell]) -> None:
    """Of ten images two are on the blacklist and three held out, none of which is both."""
    every = evaluate(plan.rows["cam/max_box"], Split(plan.dataset), METRICS, 0.5)
    split = Split(plan.dataset, "list.txt", HELDOUT)
    rest = evaluate(plan.rows["cam/max_box"], split, METRICS, 0.5)
    assert numbers(every).metrics["gt_known"][::3] == (3 / 8, 8)
    assert numbers(rest).metrics["gt_known"][::3] == (0, 5)
    assert numbers(rest).counts["done"] == numbers(rest).counts["expected"] == 7
    assert numbers(rest).conditions["dataset"]["fingerprint"] == split.rest.fingerprint
    assert numbers(rest).fingerprint != numbers(every).fingerprint
    assert every.curve is not None
    assert rest.curve is not None
    assert every.curve.errors.tolist() == [3 / 8, 5 / 8, 5 / 8]
    assert rest.curve.errors.tolist() == [0, 1, 1]
