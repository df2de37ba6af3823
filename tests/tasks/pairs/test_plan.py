"""Rows with references become scenes and cells; what cannot be measured is open."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.pair_scenes import MADE, OCCLUSION, Parts, absent, counted, multi_scene, parts, planned, question

from benchmark.attribution.occlusion import Occlusion
from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.pipeline.scene import Scene
from benchmark.tasks.pairs.ask import Question
from benchmark.tasks.pairs.metrics.deletion_insertion import DeletionInsertion
from benchmark.tasks.pairs.metrics.pointing_recall import PointingRecall
from benchmark.tasks.pairs.metrics.rank_correlation import RankCorrelation
from benchmark.tasks.pairs.readings.summary import Summary
from benchmark.tasks.pairs.recorder import PairRecorder
from benchmark.transforms.ten_crop import TenCrop

NET = "googlenet_like"


def other(patch: int) -> Occlusion:
    return replace(OCCLUSION, patch=patch)


def test_a_row_without_weights_is_open_and_the_others_go_on(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    lost = parts(on, "absent/cam", "cam", model=absent)
    plan = planned(on, tmp_path / "runs", lost, parts(on, f"{NET}/cam", "cam"))
    assert list(plan.rows) == [f"{NET}/cam"]
    assert plan.open["absent/cam"].reason == "absent.caffemodel: not found; put it into weights/"
    assert (plan.open["absent/cam"].model, plan.open["absent/cam"].method) == ("absent", "cam")
    plan.measure()


def refused(message: str) -> Any:
    def part() -> Any:
        raise UserError(message)

    return part


@pytest.mark.parametrize("part", ["transform", "method", "reference", "question", "metrics"])
def test_a_row_of_which_any_part_is_refused_is_open_with_its_reason(tmp_path: Path, part: str) -> None:
    on = multi_scene(tmp_path)
    row = replace(parts(on, f"{NET}/cam", "cam"), **{part: refused(f"{part}: no")})
    plan = planned(on, tmp_path / "runs", row)
    assert (list(plan.rows), plan.open[f"{NET}/cam"].reason) == ([], f"{part}: no")


def test_ten_crops_are_refused_by_name(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    row = replace(parts(on, f"{NET}/cam", "cam"), transform=TenCrop)
    reason = planned(on, tmp_path / "runs", row).open[f"{NET}/cam"].reason
    assert reason == "transform=ten_crop: pairs are asked of one view; choose transform=warp"


def test_method_reference_and_reading_are_checked_before_anything_is_asked(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    deep = Question(question().policy, {"summary": Summary((13,))}, {})
    plan = planned(
        on,
        tmp_path / "runs",
        parts(on, f"{NET}/cam/large", "cam", other(13)),
        replace(parts(on, f"{NET}/cam/deep", "cam"), question=lambda: deep),
    )
    assert plan.open[f"{NET}/cam/large"].reason.startswith("reference.patch=13: must be at most 12")
    assert "reading.summary.grids=[13]" in plan.open[f"{NET}/cam/deep"].reason


def test_the_reference_of_rows_of_a_scene_is_made_once(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    names = ("grad_cam", "cam", "backprop", "occlusion")
    plan = planned(on, tmp_path / "runs", *(parts(on, f"{NET}/{name}", name) for name in names))
    (_, cells), (_, costly) = plan.work()
    assert [cell.method.name for cell in costly] == ["occlusion"], "in small shards of its own"
    references = {row.reference and row.reference.folder for row in plan.rows.values()}
    assert len(references) == 1
    assert sorted(cell.method.name for cell in cells) == ["backprop", "cam", "grad_cam"]
    calls = counted(on)
    plan.measure()
    # A forward pass of each of the seven images for all methods; one more and one a patch for occlusion.
    assert sum(calls) == 7 + 7 + 7 * OCCLUSION.positions(on.model.input.size)
    assert OCCLUSION.positions(on.model.input.size) == 9


def test_another_patch_leaves_the_methods_cells_and_other_classes_move_them(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    rows = [
        parts(on, f"{NET}/cam/a", "cam"),
        parts(on, f"{NET}/cam/b", "cam", other(8)),
        replace(parts(on, f"{NET}/cam/c", "cam", None), metrics=dict),
        parts(on, f"{NET}/cam/d", "cam", policy="predicted"),
    ]
    plan = planned(on, tmp_path / "runs", *rows)
    a, b, c, d = plan.rows.values()
    assert a.cell == b.cell == c.cell
    assert c.reference is None
    assert a.reference is not None
    assert b.reference is not None
    assert d.reference is not None
    assert a.reference.folder.parent != b.reference.folder.parent, "other heatmaps"
    assert d.cell.folder.parent == a.cell.folder.parent, "the same heatmaps, asked of other classes"
    assert d.cell.folder != a.cell.folder
    assert d.reference.folder != a.reference.folder
    recorders = [recorder for recorder, _ in plan.work() if isinstance(recorder, PairRecorder)]
    asked = [(recorder.question.policy.name, recorder.scene.costly) for recorder in recorders]
    assert sorted(asked) == [(policy, costly) for policy in ("labelled", "predicted") for costly in (0, 1)]
    assert sorted(len(cells) for _, cells in plan.work()) == [1, 1, 1, 2]


def test_what_a_metric_needs_is_missed_before_anything_is_measured(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    curves = DeletionInsertion("deletion_insertion", 1)
    rows = [
        parts(on, f"{NET}/cam/a", "cam", None),
        replace(parts(on, f"{NET}/cam/b", "cam"), metrics=lambda: {"deletion_insertion": curves}),
    ]
    plan = planned(on, tmp_path / "runs", *rows)
    first, second = (row.reason for row in plan.open.values())
    assert first.endswith("needs maps to compare with; add method@reference=occlusion")
    assert second.endswith("needs the reading deletion_insertion; add reading=[summary,deletion_insertion]")


def test_every_part_that_can_change_a_pair_changes_its_address(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    moved = replace(on, settings=replace(on.settings, precision="float64"))
    coarse = Question(question().policy, {"summary": Summary((4,))}, {"readings": {"grids": [4]}})
    finer = {**parts(on, f"{NET}/cam", "cam").config, "reading": {"summary": {"grids": [4]}}}
    rows: list[tuple[Scene, Parts]] = [
        *((on, parts(on, f"{NET}/{name}", name)) for name in MADE),
        (on, parts(on, f"{NET}/cam", "cam", policy="difficult")),
        (on, replace(parts(on, f"{NET}/cam", "cam"), question=lambda: coarse, metrics=dict, config=finer)),
        (moved, parts(on, f"{NET}/cam", "cam")),
    ]
    plans = [planned(scene, tmp_path / "runs", row) for scene, row in rows]
    folders = [row.cell.folder for plan in plans for row in plan.rows.values()]
    assert len(set(folders)) == len(folders) == len(rows)
    again = planned(
        replace(on, settings=replace(on.settings, threads=1, workers=3)), tmp_path / "runs", rows[1][1]
    )
    assert [row.cell.folder for row in again.rows.values()] == folders[1:2]


def test_rows_of_one_network_have_it_built_once(tmp_path: Path) -> None:
    on, built = multi_scene(tmp_path), []

    def model() -> Any:
        built.append(on.model)
        return on.model

    rows = [parts(on, f"{NET}/{name}", name, model=model) for name in ("cam", "grad_cam")]
    plan = planned(on, tmp_path / "runs", *rows)
    assert len(built) == 1
    assert len({id(row.scene) for row in plan.rows.values()}) == 1


def test_a_method_of_the_reference_alone_need_not_be_a_row(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    backprop: Method = MADE["backprop"]
    row = replace(parts(on, f"{NET}/cam", "cam"), reference=lambda: backprop)
    ((_, cells),) = planned(on, tmp_path / "runs", row).work()
    assert [cell.method.name for cell in cells] == ["cam", "backprop"]


def test_a_grid_that_the_reading_does_not_store_is_missed_before_anything_is_measured(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    finer = RankCorrelation("rank_correlation", 1, grids=(4, 6))
    row = replace(parts(on, f"{NET}/cam", "cam"), metrics=lambda: {"rank_correlation": finer})
    plan = planned(on, tmp_path / "runs", row)
    assert plan.rows == {}
    assert plan.open[f"{NET}/cam"].reason == (
        "pair_metric.rank_correlation.grids=[4,6]: the reading summary stores no grid of 6; choose of 4,5, "
        "or add reading.summary.grids=[4,5,6]"
    )


def test_classes_that_a_metric_cannot_use_are_missed_before_anything_is_measured(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    recall = PointingRecall("pointing_recall", 1, best=2)
    rows = [
        replace(
            parts(on, f"{NET}/cam/{policy}", "cam", None, policy), metrics=lambda: {"pointing_recall": recall}
        )
        for policy in ("labelled", "with_top5", "predicted")
    ]
    plan = planned(on, tmp_path / "runs", *rows)
    assert list(plan.rows) == [f"{NET}/cam/with_top5", f"{NET}/cam/predicted"]
    assert plan.open[f"{NET}/cam/labelled"].reason.startswith(
        "classes=labelled: pointing_recall needs the maps of each image's 2 best classes"
    )
