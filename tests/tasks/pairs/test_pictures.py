"""The picture sheet of pairs shows what was read off the maps and kept of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.pair_scenes import OCCLUSION, Parts, counted, multi_scene, parts, planned, stored
from scipy.stats import spearmanr
from torch.nn.functional import interpolate

from benchmark.attribution.guided_grad_cam import GuidedGradCAM
from benchmark.attribution.occlusion import Occlusion
from benchmark.datasets.images import read_sample
from benchmark.models.forward import forward_pass
from benchmark.pipeline.exhibits import exhibit_files, read_exhibits
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.scene import Scene
from benchmark.reporting import sheet
from benchmark.reporting.sheet import Panel, PictureSheet
from benchmark.reporting.table import DatasetNote, Table
from benchmark.tasks.pairs.metrics.pointing_game import PointingGame
from benchmark.tasks.pairs.metrics.pointing_recall import PointingRecall
from benchmark.tasks.pairs.pictures import pair_sheet, verdict, where
from benchmark.tasks.pairs.plan import PairRow
from benchmark.tasks.pairs.result import Measured, Resampling, result
from benchmark.tasks.pairs.types import Answers, Pairs
from benchmark.transforms.normalize import to_input

NET = "googlenet_like"
OTHER = Occlusion(patch=3, stride=3)
Key = tuple[str, str]


def alone(on: Scene, row: str, method: str, policy: str = "labelled") -> Parts:
    """A row without a reference."""
    pointing = {"pointing_game": PointingGame("pointing_game", 1)}
    return replace(parts(on, row, method, None, policy), metrics=lambda: pointing)


def measured(on: Scene, folder: Path, *rows: Parts) -> Plan[PairRow]:
    plan = planned(on, folder / "runs", *rows)
    plan.measure()
    return plan


def table(plan: Plan[PairRow]) -> Table:
    found = [result(row, Resampling(resamples=10)) for row in plan.rows.values()]
    rows = tuple(one.result if isinstance(one, Measured) else one for one in found)
    note = DatasetNote("folder", len(plan.dataset.samples), False, plan.dataset.fingerprint)
    return Table("small", "Small", note, rows)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[PictureSheet]:
    """The sheets that are drawn, as what they show."""
    found: list[PictureSheet] = []

    def spy(content: PictureSheet, fingerprint: str) -> bytes:
        found.append(content)
        return fingerprint.encode()

    monkeypatch.setattr(sheet, "drawn", spy)
    return found


def lines(plan: Plan[PairRow], drawn: list[PictureSheet], folder: Path) -> dict[Key, Sequence[Panel]]:
    """Image and class to the panels of a sheet of all images."""
    assert pair_sheet(folder / "sheet.png", table(plan), plan.rows, 9) == [folder / "sheet.png"]
    return {(row[0].caption[1], row[0].caption[0]): row for row in drawn[-1].rows}


def test_rows_of_a_reference_stand_behind_it_and_are_compared_with_it(
    tmp_path: Path, drawn: list[PictureSheet]
) -> None:
    on = multi_scene(tmp_path)
    rows = (
        alone(on, f"{NET}/grad_cam", "grad_cam"),
        parts(on, f"{NET}/cam", "cam"),
        parts(on, f"{NET}/cam/patch=3", "cam", OTHER),
        parts(on, f"{NET}/backprop", "backprop"),
    )
    plan = measured(on, tmp_path, *rows)
    found = lines(plan, drawn, tmp_path)
    assert drawn[0].headings == (
        ("image and class", ""),
        ("grad_cam", NET),
        ("occlusion (reference)", NET),
        ("cam", NET),
        ("backprop", NET),
        ("occlusion (reference)", f"{NET}, patch=3"),
        ("cam", f"{NET}, patch=3"),
    )
    assert all(len(row[number].caption) == 1 for row in found.values() for number in (2, 5))
    for name, number in ((f"{NET}/cam", 3), (f"{NET}/backprop", 4), (f"{NET}/cam/patch=3", 6)):
        row = plan.rows[name]
        assert row.reference
        own, theirs = stored(row.cell), stored(row.reference)
        for place, image_id in enumerate(own.image_ids):
            grids = (pairs.columns["grid4"][place].ravel() for pairs in (own, theirs))
            said = found[image_id, f"thing {own.columns['label'][place]}"][number].caption[1]
            assert said.startswith("rank_correlation_4 ")
            assert float(said.split()[-1]) == pytest.approx(spearmanr(*grids).statistic, abs=6e-4)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_every_pair_is_shown_with_the_map_that_its_method_makes_of_it_alone(
    tmp_path: Path, drawn: list[PictureSheet], order: str
) -> None:
    on = multi_scene(tmp_path)
    on = replace(on, model=replace(on.model, input=replace(on.model.input, order=order)))
    guided = replace(alone(on, f"{NET}/guided_grad_cam", "cam"), method=GuidedGradCAM)
    plan = measured(on, tmp_path, alone(on, f"{NET}/occlusion", "occlusion"), guided)
    found = lines(plan, drawn, tmp_path)
    assert len(found) == 7
    by_id = {sample.image_id: sample for sample in on.dataset.samples}
    for (image_id, name), (_, *panels) in found.items():
        image = read_sample(by_id[image_id])
        inputs = to_input(on.transform(image, on.model.input.size)[0], on.model.input)[None]
        forward = forward_pass(on.model, inputs, ("input", "last_conv"))
        asked = torch.tensor([[int(name.removeprefix("thing "))]])
        grey = OCCLUSION(on.model, forward, asked)
        (colours,) = GuidedGradCAM().products(on.model, forward, asked)
        for panel, made in zip(panels, (grey, colours.flip(1) if order == "bgr" else colours), strict=True):
            large = interpolate(made, image.shape[:2], mode="bilinear", align_corners=True)[0]
            expected = large.permute(1, 2, 0).numpy() if len(large) == 3 else large[0].clamp(min=0).numpy()
            assert panel.heat is not None
            scale = (panel.heat * expected).sum() / max((expected**2).sum(), 1e-30)
            np.testing.assert_allclose(panel.heat, scale * expected, atol=4e-3 * np.abs(panel.heat).max())


def test_no_network_runs_for_a_sheet_and_a_map_that_is_not_there_is_said(
    tmp_path: Path, drawn: list[PictureSheet]
) -> None:
    on = multi_scene(tmp_path)
    plan = measured(on, tmp_path, *(alone(on, f"{NET}/{one}", one) for one in ("cam", "backprop")))
    seen = counted(on)
    for file in exhibit_files(plan.rows[f"{NET}/backprop"].cell.folder):
        file.unlink()
    found = lines(plan, drawn, tmp_path)
    assert all([panel.lost for panel in row] == [False, False, True] for row in found.values())
    assert seen == []


def test_a_run_keeps_the_maps_of_few_images_and_what_it_stores_beside_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = multi_scene(tmp_path)
    every = measured(on, tmp_path / "all", alone(on, f"{NET}/backprop", "backprop")).rows[f"{NET}/backprop"]
    monkeypatch.setattr("benchmark.tasks.pairs.recorder.exhibited", lambda *_: on.dataset.samples[1:2])
    few = measured(on, tmp_path / "few", alone(on, f"{NET}/backprop", "backprop")).rows[f"{NET}/backprop"]
    assert {image for image, _ in read_exhibits(few.cell.folder)} == {"image_001"}
    assert len({image for image, _ in read_exhibits(every.cell.folder)}) == 4
    assert stored(few.cell).columns.keys() == stored(every.cell).columns.keys()
    for name, column in stored(few.cell).columns.items():
        np.testing.assert_array_equal(column, stored(every.cell).columns[name])


def test_boxes_of_the_class_and_of_the_others_are_all_of_the_image_s(
    tmp_path: Path, drawn: list[PictureSheet]
) -> None:
    on = multi_scene(tmp_path)
    found = lines(measured(on, tmp_path, alone(on, f"{NET}/cam", "cam")), drawn, tmp_path)
    counts = {key: (len(row[0].truth), len(row[0].others)) for key, row in found.items()}
    assert counts["image_000", "thing 3"] == (2, 1), "difficult ones included"
    assert counts["image_000", "thing 1"] == (1, 2)
    assert counts["image_004", "thing 6"] == (2, 2)


def test_of_many_classes_labelled_ones_come_first_then_the_best(
    tmp_path: Path, drawn: list[PictureSheet]
) -> None:
    on = multi_scene(tmp_path)
    plan = measured(on, tmp_path, alone(on, f"{NET}/cam", "cam", "with_top5"))
    found = list(lines(plan, drawn, tmp_path))
    pairs = stored(plan.rows[f"{NET}/cam"].cell)
    for sample in on.dataset.samples:
        own = [row for row, image_id in enumerate(pairs.image_ids) if image_id == sample.image_id]
        own.sort(key=lambda row: (not pairs.columns["labelled"][row], pairs.columns["rank"][row]))
        wanted = [f"thing {pairs.columns['label'][row]}" for row in own[:3]]
        assert [name for image_id, name in found if image_id == sample.image_id] == wanted


def test_a_row_without_a_pair_has_an_empty_panel(tmp_path: Path, drawn: list[PictureSheet]) -> None:
    on = multi_scene(tmp_path)
    rows = (alone(on, f"{NET}/cam/{policy}", "cam", policy) for policy in ("labelled", "difficult"))
    found = lines(measured(on, tmp_path, *rows), drawn, tmp_path)
    assert [one.pixels is None for one in found["image_001", "thing 2"]] == [False, True, False]
    assert [one.pixels is None for one in found["image_001", "thing 0"]] == [False, False, False]
    assert found["image_001", "thing 2"][1].caption == ("class not chosen",)


def test_rows_that_are_not_finished_are_left_out_and_without_rows_or_pictures_there_is_no_sheet(
    tmp_path: Path, drawn: list[PictureSheet]
) -> None:
    on = multi_scene(tmp_path)
    path = tmp_path / "sheet.png"
    plan = planned(on, tmp_path / "runs", *(alone(on, f"{NET}/{one}", one) for one in ("cam", "grad_cam")))
    assert pair_sheet(path, table(plan), plan.rows, 9) == []
    plan.measure([plan.rows[f"{NET}/grad_cam"]])
    assert pair_sheet(path, table(plan), plan.rows, 0) == []
    lines(plan, drawn, tmp_path)
    assert [name for name, _ in drawn[0].headings] == ["image and class", "grad_cam"]


def of_one(**columns: object) -> Pairs:
    usual = {"own_distance": 0.0, "other_distance": np.inf, "constant": False, "labelled": True}
    usual |= {"difficult": False, "share": 0.1, "classes": 1, "label": 0}
    return Pairs(("a",), {name: np.array([value]) for name, value in {**usual, **columns}.items()}, 1)


def test_where_a_peak_lies_is_said() -> None:
    assert where(of_one()) == "peak on the class"
    assert where(of_one(other_distance=0.0)) == "peak on both"
    assert where(of_one(own_distance=7.2, other_distance=0.0)) == "peak on another class"
    assert where(of_one(own_distance=7.2)) == "peak 7 px beside"
    assert where(of_one(own_distance=np.inf)) == "no object of the class"
    assert where(of_one(constant=True)) == "constant map"
    assert where(Pairs(("a",), {"label": np.zeros(1)}, 1)) == ""


def test_a_pair_is_a_hit_or_a_miss_where_the_table_counts_those() -> None:
    metrics = {"pointing_game": PointingGame("pointing_game", 1)}
    assert verdict(metrics, Answers(of_one(own_distance=14.9))) == ("pointing: hit", True)
    assert verdict(metrics, Answers(of_one(own_distance=15.0))) == ("pointing: miss", False)
    assert verdict(metrics, Answers(of_one(labelled=False))) == ("", None)
    assert verdict({}, Answers(of_one())) == ("", None)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("best", [1, 5])
def test_a_pair_says_nothing_of_what_only_all_pairs_together_can_answer(best: int, labelled: bool) -> None:
    metrics = {"pointing_recall": PointingRecall("pointing_recall", 1, best=best)}
    one = of_one(labelled=labelled, rank=0, highest=1.0)
    assert verdict(metrics, Answers(one)) == ("", None)
