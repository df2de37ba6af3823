"""``./scripts/explain-gap`` on a few embedded images, after the run that it explains."""

import csv
from pathlib import Path
from typing import Any

import pytest
from helpers.commands import Command

import benchmark.tasks.boxes.recorder

ROW = ("experiment=googlenet", "row=googlenet/grad_cam")
CELL = ("model=googlenet_compact", "method=grad_cam", "localizer=gradcam_15", "dataset=embedded")
QUICK = ("pictures=0", "metric=[classification,localization]")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def started(command: Command, tmp_path: Path, cache: Path) -> Command:
    """``started("explain-gap", "key=value", …)``: exit status, stdout and stderr."""
    places = (f"results_dir={tmp_path / 'results'}", f"cache_dir={cache}", "dataset.count=24")
    few = ("dataset.limit=7", "run.batch_size=4", "tracking=none")
    return lambda name, *options: command(name, *places, *few, *options)


@pytest.mark.slow
def test_a_finished_run_is_explained_without_a_forward_pass_and_what_is_missing_named_with_its_command(
    started: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status, _, complaint = started("explain-gap", *ROW)
    assert status == 2
    assert "googlenet/grad_cam has not been measured with these options; first: ./scripts/run " in complaint
    assert "model=googlenet_compact method=grad_cam localizer=gradcam_15" in complaint

    assert started("run", *CELL, *QUICK)[0] == 0

    def refuse(*_: Any) -> None:
        raise AssertionError("a forward pass")

    with monkeypatch.context() as closed:
        closed.setattr(benchmark.tasks.boxes.recorder, "explain", refuse)
        status, printed, complaint = started("explain-gap", *ROW)
    assert (status, "Traceback" in complaint) == (0, False), complaint
    assert "from the paper's conventions to the run's [not the published images]" in " ".join(printed.split())
    (table,) = (tmp_path / "results").glob("embedded-7-*/gap-googlenet-grad_cam-loc_top1.csv")
    for suffix in (".txt", ".png"):
        assert table.with_suffix(suffix).stat().st_size > 500
    lines = read(table)
    walk = [line for line in lines if line["part"] == "walk"]
    assert [line["convention"] for line in walk] == ["preprocessing", "component", "threshold", "measured"]
    assert "transform=ten_crop" in walk[0]["missing"]
    assert "localizer=cam_dtbox" in walk[0]["missing"]
    steps = [float(line["effect"]) for line in walk[1:3]]
    assert float(walk[1]["error"]) - steps[0] + sum(steps) == pytest.approx(float(walk[-1]["error"]))
    alone = {f"{line['convention']}: {line['setting']}": line for line in lines if line["part"] == "alone"}
    assert {name for name, line in alone.items() if line["missing"]} == {
        *("preprocessing: ten crops", "preprocessing: bilinear warp", "preprocessing: centre crop")
    }
    assert float(alone["ground truth: first box alone"]["effect"]) >= 0
    assert float(alone["target class: given"]["effect"]) <= 0

    paper = (*CELL[:2], "dataset=embedded", "transform=ten_crop", "localizer=cam_dtbox", *QUICK)
    assert started("run", *paper)[0] == 0
    assert started("explain-gap", *ROW)[0] == 0
    walk = [line for line in read(table) if line["part"] == "walk"]
    assert [line["convention"] for line in walk] == ["preprocessing", "component", "threshold", "measured"]
    assert not any(line["missing"] for line in walk)


@pytest.mark.slow
def test_what_was_changed_in_a_row_is_a_step_of_its_own_and_no_convention_that_is_the_same(
    started: Command, tmp_path: Path
) -> None:
    """Grad-CAM of another layer, on the row's conventions: its effect is not part of what is not known."""
    layer = "method.layer=inception_4e"
    for words in ((), (layer,)):
        assert started("run", *CELL, *QUICK, *words)[0] == 0
    status, printed, complaint = started("explain-gap", *ROW, layer)
    assert status == 0, complaint
    table = tmp_path.glob(
        "results/embedded-7-*/gap-googlenet-grad_cam-loc_top1+method.layer-inception_4e.csv"
    )
    lines = read(next(table))
    walk = [line for line in lines if line["part"] == "walk"]
    assert [line["convention"] for line in walk][-2:] == ["as typed", "measured"]
    assert (walk[-2]["setting"], walk[-2]["missing"]) == (layer, "")
    assert float(walk[-2]["error"]) == float(walk[-1]["error"])
    after = " ".join(printed.split()).partition("the same in paper and run, as far as is known: ")[2]
    assert after.startswith("weights, upsampling, blacklist")
    assert "layer" not in {line["convention"] for line in lines if line["part"] == "alone"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("paper", "conventions", "same"),
    [
        (("transform=ten_crop",), ["component", "threshold"], "weights, preprocessing, upsampling"),
        (("transform=ten_crop", "localizer=cam_dtbox"), [], "weights, preprocessing, upsampling, component"),
    ],
)
def test_what_the_run_has_as_the_paper_is_no_step_and_what_else_was_typed_is_one_all_the_same(
    started: Command, tmp_path: Path, paper: tuple[str, ...], conventions: list[str], same: str
) -> None:
    typed = (*paper, "method.layer=inception_4e")
    cell = [word for word in CELL if word.partition("=")[0] not in {one.partition("=")[0] for one in typed}]
    assert started("run", *cell, *QUICK, *typed)[0] == 0
    status, printed, complaint = started("explain-gap", *ROW, *typed)
    assert status == 0, complaint
    walk = [
        line for line in read(next(tmp_path.glob("results/embedded-7-*/gap-*.csv"))) if line["part"] == "walk"
    ]
    assert [line["convention"] for line in walk] == [*conventions, "as typed", "measured"]
    assert walk[-2]["setting"] == "method.layer=inception_4e"
    after = " ".join(printed.split()).partition("the same in paper and run, as far as is known: ")[2]
    assert after.startswith(f"{same}, ")


@pytest.mark.slow
def test_cells_of_two_localizers_do_not_share_a_file_and_claim_nothing_of_a_paper(
    started: Command, tmp_path: Path
) -> None:
    other = [word.replace("gradcam_15", "wsol_maxboxacc_v1") for word in CELL]
    for cell in (CELL, other):
        assert started("run", *cell, *QUICK)[0] == 0
        status, printed, complaint = started("explain-gap", "~experiment", *cell)
        assert status == 0, complaint
        assert "the same in paper and run" not in printed
    found = {path.stem: read(path) for path in tmp_path.glob("results/embedded-7-*/gap-*.csv")}
    stem = "gap-googlenet_compact-grad_cam-{}-loc_top1"
    conventions = [
        {line["convention"] for line in found.pop(stem.format(name)) if line["part"] == "alone"}
        for name in ("gradcam_15", "wsol_maxboxacc_v1")
    ]
    assert not found
    assert "upsampling" in conventions[0]
    assert "upsampling" not in conventions[1], "another upsampling would be another protocol"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (
            ("row=googlenet/gradcam",),
            "row=googlenet/gradcam: there is no such row; choose row=googlenet/grad_",
        ),
        (("row=null",), "row is not given; choose row=googlenet/grad_cam | row="),
        (
            ("row=googlenet/cam", "metric.localization.iou=0.3"),
            "metric.localization.iou=0.3: explain-gap takes",
        ),
        (("row=googlenet/cam", "explain=cls_top1"), "explain=cls_top1: choose loc_top1 | loc_top5"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(started: Command, typed: tuple[str, ...], says: str) -> None:
    status, printed, complaint = started("explain-gap", "experiment=googlenet", *typed)
    assert (status, printed) == (2, "")
    assert complaint.startswith("error: ")
    assert says in complaint
    assert len(complaint.splitlines()) == 1
