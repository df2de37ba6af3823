"""The sheets beside a table of pairs show what is stored, and are made again only when something changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import hydra
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
import torch
from benchmark.tasks.pairs.store import made_of, pair_file, read_pairs, write_pairs
from helpers.pair_scenes import GRIDS, OCCLUSION, counted, multi_scene, parts, stored
from helpers.picture_scenes import NET, alone, exhibit, planned
from omegaconf import OmegaConf
from PIL import Image
from scipy.stats import spearmanr
from torch.nn.functional import interpolate

from benchmark.attribution.occlusion import Occlusion
from benchmark.cli.app.config import CONF, build
from benchmark.core.types import Box, View
from benchmark.pipeline.scene import Scene
from benchmark.tasks.boxes.pictures.tile import SIDE
from benchmark.tasks.pairs.metrics.pointing_game import PointingGame
from benchmark.tasks.pairs.metrics.pointing_recall import PointingRecall
from benchmark.tasks.pairs.metrics.rank_correlation import RankCorrelation
from benchmark.tasks.pairs.pictures import ROWS, draw, gather, pair_sheet
from benchmark.tasks.pairs.pictures.columns import columns_of, part
from benchmark.tasks.pairs.pictures.counterfactual_gather import counterfactual_sheet
from benchmark.tasks.pairs.pictures.page import Page
from benchmark.tasks.pairs.plan import PairParts, PairPlan
from benchmark.tasks.pairs.types import Answers, Column, Pairs

OTHER = Occlusion(patch=3, stride=3)
Rows = tuple[PairParts, ...]


Columns = Mapping[str, Column]


def rewrite(on: Scene, plan: PairPlan, method: str, change: Callable[[Columns], Columns]) -> None:
    """Other columns in a row's shards."""
    folder = plan.rows[f"{NET}/{method}"].cell.folder
    for file in (pair_file(folder, number) for number in range(len(on.shards))):
        if pq.read_metadata(file).num_rows:
            pairs = read_pairs([file])
            write_pairs(file, replace(pairs, columns=change(pairs.columns)), made_of([file])[0])


def of_two_references(on: Scene) -> Rows:
    """Of two references, which the rows come back to."""
    return (
        parts(on, f"{NET}/cam", "cam"),
        parts(on, f"{NET}/cam/patch=3", "cam", OTHER),
        parts(on, f"{NET}/backprop", "backprop"),
    )


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Page]:
    """What was last drawn."""
    pages: list[Page] = []
    plain = draw.draw

    def spy(page: Page) -> Image.Image:
        pages.append(page)
        return plain(page)

    monkeypatch.setattr(draw, "draw", spy)
    return lambda: pages[-1]


def pixels(path: Path) -> npt.NDArray[np.int64]:
    with Image.open(path) as image:
        return np.asarray(image, np.int64)


def test_rows_of_a_reference_stand_behind_it_and_are_held_against_it(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    single = alone(on, f"{NET}/grad_cam", "grad_cam")
    plan = planned(on, tmp_path, single, *of_two_references(on), run=False)
    columns = columns_of(plan.rows)
    assert [(one.model, one.method, one.reference) for one in columns] == [
        (NET, "grad_cam", None),
        (NET, "occlusion (reference)", None),
        (NET, "cam", 1),
        (NET, "backprop", 1),
        (f"{NET}, patch=3", "occlusion (reference)", None),
        (f"{NET}, patch=3", "cam", 4),
    ]
    assert [one.cell.method for one in columns[1::3]] == [OCCLUSION, OTHER]


def test_every_pair_is_shown_with_its_stored_map_peak_and_own_correlation(
    tmp_path: Path, page: Callable[[], Page]
) -> None:
    on = multi_scene(tmp_path)
    plan = planned(on, tmp_path, *of_two_references(on))
    seen = counted(on)
    pair_sheet(tmp_path / "sheet.png", exhibit(plan, 9))
    assert seen == [], "nothing is asked of the network"
    columns = columns_of(plan.rows)
    pairs = [stored(on, one.cell) for one in columns]
    asked = list(zip(pairs[0].image_ids, pairs[0].columns["label"].tolist(), strict=True))
    lines = {(line.image_id, int(line.name.removeprefix("thing "))): line for line in page().lines}
    assert sorted(lines) == sorted(asked)
    assert f"maps as {GRIDS[-1]} x {GRIDS[-1]} averages" in page().title
    for row, key in enumerate(asked):
        for column, answer, own in zip(columns, lines[key].answers, pairs, strict=True):
            assert answer is not None
            grid = torch.tensor(own.columns["grid5"][row]).clamp(min=0)
            shape = lines[key].pixels.shape[:2]
            large = interpolate((grid / grid.max().clamp(min=1e-30))[None, None], shape, mode="bilinear")[
                0, 0
            ]
            np.testing.assert_allclose(answer.heat, large, atol=1e-5)
            assert answer.peak == tuple(own.columns["peak"][row])
            if column.reference is None:
                assert answer.value == ""
                continue
            theirs = pairs[column.reference].columns["grid4"][row]
            found = spearmanr(own.columns["grid4"][row].ravel(), theirs.ravel()).statistic
            assert answer.value.startswith("rank_correlation_4 ")
            assert float(answer.value.split()[-1]) == pytest.approx(found, abs=6e-4)


def test_boxes_of_the_class_and_of_the_others_are_all_of_the_image_s(
    tmp_path: Path, page: Callable[[], Page]
) -> None:
    on = multi_scene(tmp_path)
    pair_sheet(tmp_path / "sheet.png", exhibit(planned(on, tmp_path, alone(on, f"{NET}/cam", "cam")), 9))
    counts = {(line.image_id, line.name): (len(line.boxes), len(line.others)) for line in page().lines}
    assert counts["image_000", "thing 3"] == (2, 1), "difficult ones included"
    assert counts["image_000", "thing 1"] == (1, 2)
    assert counts["image_004", "thing 6"] == (2, 2)


def test_of_many_classes_labelled_ones_come_first_then_the_best(
    tmp_path: Path, page: Callable[[], Page]
) -> None:
    on = multi_scene(tmp_path)
    plan = planned(on, tmp_path, alone(on, f"{NET}/cam", "cam", "with_top5"))
    pair_sheet(tmp_path / "sheet.png", exhibit(plan, 9))
    pairs = stored(on, plan.rows[f"{NET}/cam"].cell).columns
    ids = stored(on, plan.rows[f"{NET}/cam"].cell).image_ids
    for sample in on.dataset.samples:
        own = [row for row, image_id in enumerate(ids) if image_id == sample.image_id]
        own.sort(key=lambda row: (not pairs["labelled"][row], pairs["rank"][row]))
        wanted = [f"thing {pairs['label'][row]}" for row in own[:3]]
        assert [line.name for line in page().lines if line.image_id == sample.image_id] == wanted


def test_a_row_that_was_not_asked_has_an_empty_tile(tmp_path: Path, page: Callable[[], Page]) -> None:
    on = multi_scene(tmp_path)
    some, more = (alone(on, f"{NET}/cam/{p}", "cam", p) for p in ("labelled", "difficult"))
    pair_sheet(tmp_path / "sheet.png", exhibit(planned(on, tmp_path, some, more), 9))
    lines = {(line.image_id, line.name): line for line in page().lines}
    assert [one is None for one in lines["image_001", "thing 2"].answers] == [True, False]
    assert [one is None for one in lines["image_001", "thing 0"].answers] == [False, False]


def test_the_sheet_has_a_tile_for_every_column_and_pair(tmp_path: Path, page: Callable[[], Page]) -> None:
    on = multi_scene(tmp_path)
    path = tmp_path / "sheet.png"
    pair_sheet(path, exhibit(planned(on, tmp_path, *of_two_references(on)), 2))
    whole = page()
    assert len(whole.columns) == 5
    assert [line.image_id for line in whole.lines] == ["image_001"] + ["image_004"] * 3
    height, width, _ = pixels(path).shape

    def size(columns: int, lines: slice) -> tuple[int, int]:
        fewer = [replace(line, answers=line.answers[:columns]) for line in whole.lines[lines]]
        return draw.draw(Page(whole.title, whole.columns[:columns], tuple(fewer))).size

    assert size(5, slice(None)) == (width, height)
    assert size(4, slice(None))[0] == width - (SIDE + 10)
    assert size(5, slice(3))[1] == height - (SIDE + 42)
    assert size(5, slice(1))[1] == height - 3 * (SIDE + 42) - 38, "with the names over each image"


def test_a_map_that_changes_changes_its_own_tile_and_no_other(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    plan = planned(on, tmp_path, *of_two_references(on)[::2])
    shown = exhibit(plan, 1)
    path = tmp_path / "sheet.png"
    pair_sheet(path, shown)
    before = pixels(path)
    rewrite(on, plan, "backprop", lambda columns: {**columns, "grid5": columns["grid5"][:, ::-1].copy()})
    path.unlink()
    pair_sheet(path, shown)
    _, x = np.nonzero((pixels(path) != before).any(-1))
    left = 20 + 3 * (SIDE + 10)  # behind image, reference and CAM
    assert left <= x.min() < x.max() < left + SIDE


def test_a_sheet_that_shows_the_same_is_left_as_it_is_and_otherwise_made_again(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    rows = of_two_references(on)
    plan = planned(on, tmp_path, *rows)
    path = tmp_path / "sheet.png"
    assert pair_sheet(path, exhibit(plan, 1)) == [path]
    first, stamp = path.read_bytes(), path.stat().st_mtime_ns
    assert pair_sheet(path, exhibit(plan, 1)) == [path]
    assert path.stat().st_mtime_ns == stamp
    path.write_bytes(first[:100])
    pair_sheet(path, exhibit(plan, 1))
    assert path.read_bytes() == first
    absolute = {"rank_correlation": RankCorrelation("rank_correlation", 1, sign="abs", grids=GRIDS)}
    for other in (
        exhibit(plan, 2),
        exhibit(planned(on, tmp_path, *rows[::-1]), 1),
        exhibit(planned(on, tmp_path, *(replace(row, metrics=lambda: absolute) for row in rows)), 1),
    ):
        assert pair_sheet(path, other) == [path]
        assert path.read_bytes() != first


def test_there_is_no_sheet_without_pictures_rows_or_images(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    row, path = parts(on, f"{NET}/cam", "cam"), tmp_path / "sheet.png"
    nothing = [exhibit(planned(on, tmp_path, row, run=False)), exhibit(planned(on, tmp_path, row), 0)]
    assert [make(path, one) for make in (pair_sheet, counterfactual_sheet) for one in nothing] == [[]] * 4
    for sample in on.dataset.samples:
        assert sample.path
        sample.path.unlink()
    shown = exhibit(planned(on, tmp_path, row))
    assert [make(path, shown) for make in (pair_sheet, counterfactual_sheet)] == [[], []]
    assert not path.exists()


def test_there_is_no_sheet_of_pairs_without_grids(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    plan = planned(on, tmp_path, alone(on, f"{NET}/cam", "cam"))
    rewrite(on, plan, "cam", lambda columns: {n: c for n, c in columns.items() if not n.startswith("grid")})
    assert pair_sheet(tmp_path / "sheet.png", exhibit(plan)) == []


def test_rows_that_are_not_finished_or_too_many_are_left_out_and_named(
    tmp_path: Path, page: Callable[[], Page]
) -> None:
    on = multi_scene(tmp_path)
    many = [alone(on, f"{NET}/cam/number={number}", "cam") for number in range(ROWS + 2)]
    late = alone(on, f"{NET}/backprop", "backprop")
    plan = planned(on, tmp_path, *many)
    plan.add(late)
    pair_sheet(tmp_path / "sheet.png", exhibit(plan))
    assert [model for model, _ in page().columns] == [f"{NET}, number={number}" for number in range(ROWS)]
    assert page().title.endswith(f"rows not shown: {NET}/cam/number={ROWS}, {NET}/cam/number={ROWS + 1}")


def of_one(**columns: object) -> Pairs:
    usual = {"own_distance": 0.0, "other_distance": np.inf, "constant": False, "labelled": True}
    usual |= {"difficult": False, "share": 0.1, "classes": 1, "label": 0}
    return Pairs(("a",), {name: np.array([value]) for name, value in {**usual, **columns}.items()}, 1)


def test_where_a_peak_lies_is_said() -> None:
    assert gather.place(of_one()) == "peak on the class"
    assert gather.place(of_one(other_distance=0.0)) == "peak on both"
    assert gather.place(of_one(own_distance=7.2, other_distance=0.0)) == "peak on another class"
    assert gather.place(of_one(own_distance=7.2)) == "peak 7 px beside"
    assert gather.place(of_one(own_distance=np.inf)) == "no object of the class"
    assert gather.place(of_one(constant=True)) == "constant map"


def test_a_pair_is_a_hit_or_a_miss_where_the_table_counts_those() -> None:
    metrics = {"pointing_game": PointingGame("pointing_game", 1)}
    assert gather.number(metrics, Answers(of_one(own_distance=14.9))) == ("pointing: hit", True)
    assert gather.number(metrics, Answers(of_one(own_distance=15.0))) == ("pointing: miss", False)
    assert gather.number(metrics, Answers(of_one(labelled=False))) == ("", None)
    assert gather.number({}, Answers(of_one())) == ("", None)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("best", [1, 5])
def test_a_pair_says_nothing_of_what_only_all_pairs_together_can_answer(best: int, labelled: bool) -> None:
    metrics = {"pointing_recall": PointingRecall("pointing_recall", 1, best=best)}
    one = of_one(labelled=labelled, rank=0, highest=1.0)
    assert gather.number(metrics, Answers(one)) == ("", None)


def test_what_the_network_does_not_see_is_not_painted_and_equal_averages_are_equal() -> None:
    view = View(30, 20, Box(5, 2, 25, 18))
    heat = gather.painted(np.full((4, 4), 3, np.float32), view)
    assert (heat[2:18, 5:25] == 1).all()
    assert heat.sum() == 16 * 20
    assert (gather.painted(np.full((4, 4), -3, np.float32), view) == 0).all()


def test_a_part_of_the_pairs_keeps_rows_and_columns_together() -> None:
    pairs = Pairs(("a", "a", "b"), {"label": np.arange(3), "grid": np.arange(12).reshape(3, 4)}, 2)
    some = part(pairs, [2, 0])
    assert (some.image_ids, some.columns["label"].tolist()) == (("b", "a"), [2, 0])
    assert some.columns["grid"].tolist() == [[8, 9, 10, 11], [0, 1, 2, 3]]


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONF / "sheet").glob("*.yaml")))
def test_every_sheet_s_yaml_makes_a_sheet(tmp_path: Path, name: str) -> None:
    make = build(OmegaConf.load(CONF / "sheet" / f"{name}.yaml"))
    on = multi_scene(tmp_path)
    plan = planned(on, tmp_path, parts(on, f"{NET}/cam", "cam"))
    assert make(tmp_path / "sheet.png", exhibit=exhibit(plan)) == [tmp_path / "sheet.png"]


def test_the_experiment_of_counterfactuals_has_the_sheet_of_its_own() -> None:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        own, usual = (
            hydra.compose("config", [f"experiment={name}"]).sheet for name in ("counterfactual", "pointing")
        )
    assert build(own).func is counterfactual_sheet
    assert build(usual).func is pair_sheet
