"""Rows become scenes, cells, open rows and checks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.small_scenes import LOCALIZERS, METHODS, folder, made, records, scene

from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.pipeline.names import label, stem
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.rows import Row
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.comparison import Twins, compare, twins_of
from benchmark.tasks.boxes.plan import plan_of
from benchmark.transforms import Warp


def parts(on: Any, row: str, method: str, localizer: str, model: str = "m") -> Row:
    built: list[str] = []

    def build() -> Model:
        assert not built, "a model that rows share is built once"
        built.append(model)
        if model == "absent":
            raise UserError("absent.caffemodel: not found; put it into weights/")
        found: Model = on.model
        return found

    config = {name: {"name": name} for name in ("transform", "dataset", "run")}
    config |= {
        "model": {"_target_": "helpers.small_models.as_model", "name": model},
        "method": {"name": method},
        "localizer": {"name": localizer},
    }
    parts: dict[str, Callable[[], Any]] = {
        "model": build,
        "transform": Warp,
        "method": lambda: METHODS[method],
        "localizer": lambda: LOCALIZERS[localizer],
    }
    return Row(row, config, (), lambda group: parts[group]())


@pytest.fixture
def plan(tmp_path: Path) -> Plan[BoxCell]:
    on = scene(tmp_path)
    rows = [
        parts(on, "m/grad_cam", "grad_cam", "max_box"),
        parts(on, "m/cam", "cam", "strict"),
        parts(on, "absent/cam", "cam", "strict", model="absent"),
    ]
    return plan_of(on.dataset, on.settings, tmp_path / "runs", rows)


def test_rows_of_one_model_share_a_scene(plan: Plan[BoxCell]) -> None:
    assert len(plan.scenes) == 1
    assert len({id(cell.scene) for cell in plan.rows.values()}) == 1


def test_a_row_without_weights_is_open_with_the_reason_and_stops_no_other(plan: Plan[BoxCell]) -> None:
    assert plan.open["absent/cam"].reason == "absent.caffemodel: not found; put it into weights/"
    assert list(plan.rows) == ["m/grad_cam", "m/cam"]


@pytest.mark.parametrize("stored", [False, True])
def test_without_a_metric_that_asks_no_curve_is_drawn_unless_it_is_stored(
    tmp_path: Path, stored: bool
) -> None:
    on = scene(tmp_path)
    row = parts(on, "m/grad_cam", "grad_cam", "max_box")
    row = replace(row, config={**row.config, "localizer": {"name": "max_box", "grid": [0.2, 0.5]}})
    with_curve = plan_of(on.dataset, on.settings, tmp_path / "runs", [row]).rows[row.name]
    if stored:
        made(with_curve.scene, [with_curve])
    again = replace(row, build=parts(on, "m/grad_cam", "grad_cam", "max_box").build)
    bare = plan_of(on.dataset, on.settings, tmp_path / "runs", [again], {row.name}).rows[row.name]
    assert (bare.localizer.grid == (0.2, 0.5)) == (bare.folder == with_curve.folder) == stored
    made(bare.scene, [bare])
    assert (records(bare).curve is not None) == stored


def test_twins_are_compared_at_one_localizer(plan: Plan[BoxCell]) -> None:
    twins = twins_of(plan, "m/grad_cam", "m/cam")
    assert twins is not None
    assert compare(twins) == "m/grad_cam = m/cam, box for box: not yet checked, shards are missing"
    plan.measure([*plan.rows.values(), twins.second])
    assert compare(twins) == "m/grad_cam = m/cam, box for box: 30 of 30 boxes equal"
    assert compare(Twins(twins.first, plan.rows["m/cam"])).startswith("FAILED: ")


def test_twins_of_an_open_row_are_left_out_and_of_no_row_refused(plan: Plan[BoxCell]) -> None:
    assert twins_of(plan, "m/grad_cam", "absent/cam") is None
    with pytest.raises(UserError, match="m/cat is not a row"):
        twins_of(plan, "m/grad_cam", "m/cat")


def test_only_the_whole_set_goes_by_its_bare_name(tmp_path: Path) -> None:
    part = folder(tmp_path)
    assert label(replace(part, complete=True)) == "folder"
    assert label(part) == f"folder-10-{part.fingerprint[:8]}"
    assert label(replace(part, samples=part.samples[:3])) != label(part)


def test_a_changed_table_has_a_name_of_its_own_that_needs_no_quotes() -> None:
    assert stem("table1", []) == "table1"
    changes = ["localizer.threshold=0.25", "method.layer=[a/b, c]"]
    assert stem("table1", changes) == "table1+localizer.threshold-0.25+method.layer--a-b--c-"


def test_a_long_name_is_cut_and_still_tells_changes_apart() -> None:
    names = {stem("table1", [f"metric.gt_known.option_{n}=0.5" for n in range(9)] + [last]) for last in "ab"}
    assert len(names) == 2
    for name in names:
        assert name.startswith("table1+metric.gt_known.option_0-0.5+")
        assert len(name) == 129
    assert len(stem("ü" * 121, []).encode()) <= 129


def test_more_predicted_classes_than_outputs_and_outputs_that_fit_no_dataset_are_open_rows(
    tmp_path: Path,
) -> None:
    on = scene(tmp_path)
    plan = plan_of(on.dataset, replace(on.settings, top_k=8), tmp_path, [parts(on, "m/cam", "cam", "strict")])
    assert plan.open["m/cam"].reason.startswith("run.top_k=8: model googlenet_like has only 7 outputs")
    images = folder(tmp_path)
    fewer = replace(images, classes=images.classes[:5])
    plan = plan_of(fewer, on.settings, tmp_path, [parts(on, "m/cam", "cam", "strict")])
    assert "has 7 outputs and dataset folder 5 classes" in plan.open["m/cam"].reason
    assert not plan.rows
    assert not list(plan.scenes)
    with pytest.raises(UserError, match="has 7 outputs and dataset folder 5 classes"):
        plan.refuse_nothing_to_measure()
