"""``-m``: every job measured, then one table of all of them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from helpers.commands import Command

CAM = "model=vgg16_cam_compact"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded images, made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def sweep(command: Command, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """``sweep("key=value", …)``: exit status, stdout and stderr, in an empty working folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    few = ("dataset.count=24", "dataset.limit=4", "tracking=none", "metric=[localization]")
    places = (f"results_dir={tmp_path}/results", f"cache_dir={cache}")
    return lambda *words: command("run", *words[:1], *places, *few, *words[1:])


def table_of(folder: Path) -> tuple[Path, dict[str, Any]]:
    (path,) = folder.glob("results/embedded-4-*-sweep-*/*.json")
    return path, json.loads(path.read_text())


def test_cells_end_in_one_table_with_differences_csv_and_plot(sweep: Command, tmp_path: Path) -> None:
    words = ("-m", CAM, "method=grad_cam,cam", "localizer.threshold=0.1,0.3")
    status, printed, complaint = sweep(*words)
    assert (status, "Traceback" in complaint) == (0, False), complaint
    path, content = table_of(tmp_path)
    cells = [
        f"vgg16_cam_compact/{method}/threshold={value}"
        for method in ("grad_cam", "cam")
        for value in (0.1, 0.3)
    ]
    assert content["rows"] == cells
    assert all(cell in printed for cell in cells)
    pairs = {(each["first"], each["second"]) for each in content["differences"]}
    assert pairs == {(cells[a], cells[b]) for a, b in ((1, 0), (3, 2), (2, 0), (3, 1))}
    with path.with_name(f"{path.stem}-sweep.csv").open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["metric"] == "loc_top1"]
    assert [(line["method"], line["localizer.threshold"]) for line in lines] == [
        *(("grad_cam", "0.1"), ("grad_cam", "0.3"), ("cam", "0.1"), ("cam", "0.3"))
    ]
    assert path.with_name(f"{path.stem}-sweep.png").stat().st_size > 10_000
    assert {file.parent for file in tmp_path.glob("results/**/*sweep.*")} == {path.parent}
    assert list((tmp_path / "here").iterdir()) == []

    # The same words again: the same bytes, in the same folder.
    before = {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    assert sweep(*words)[0] == 0
    assert {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before


def test_workers_make_the_table_of_a_run_alone(sweep: Command, tmp_path: Path) -> None:
    def written(folder: str) -> dict[str, bytes]:
        own = {"jobs", "finished", "_journal", "made_of"}  # which hold the words as they were typed
        found = (tmp_path / folder).rglob("*")
        files = (path for path in found if path.is_file() and path.suffix != ".bib")
        kept = (path for path in files if own.isdisjoint(path.parts))
        return {str(path.relative_to(tmp_path / folder)): path.read_bytes() for path in kept}

    alone, together = (f"results_dir={tmp_path}/{name}" for name in ("alone", "together"))
    assert sweep("method=cam", CAM, alone)[0] == 0
    status, _, told = sweep(CAM, "method=cam", together, "run.worker=1", "run.workers=2")
    assert (status, "worker 1 of 2 is done; the table is made by the same command" in told) == (0, True)
    assert not list((tmp_path / "together").rglob("*.csv"))
    words = ("-m", CAM, "method=cam", together, "run.worker=range(2)", "run.workers=2")
    status, _, complaint = sweep(*words)
    assert (status, "Traceback" in complaint) == (0, False), complaint
    assert written("together") == written("alone")
    # As where all workers but one were killed.
    lonely = f"results_dir={tmp_path}/lonely"
    assert sweep("-m", CAM, "method=cam", lonely, "run.worker=range(1)", "run.workers=1")[0] == 0
    assert written("lonely") == written("alone")


@pytest.mark.slow
def test_a_table_is_swept_row_by_row_and_a_row_without_the_option_stands_once(
    sweep: Command, tmp_path: Path
) -> None:
    status, _, complaint = sweep("-m", "experiment=googlenet", "localizer.threshold=0.1,0.3")
    assert (status, "Traceback" in complaint) == (0, False), complaint
    _, content = table_of(tmp_path)
    swept = [[f"googlenet/{name}/threshold={v}" for name in ("grad_cam", "cam", "c_mwp")] for v in (0.1, 0.3)]
    assert content["rows"] == [*swept[0][:2], "googlenet/backprop", swept[0][2], *swept[1]]
    assert [(each["first"], each["second"]) for each in content["differences"]] == list(
        zip(swept[1], swept[0], strict=True)
    )
    checks = [check.partition(",")[0] for check in content["checks"]]
    assert checks == [f"{grad_cam} = {cam}" for grad_cam, cam, _ in swept]


def test_a_job_that_fails_keeps_no_other_from_running_and_the_end_says_why(
    sweep: Command, tmp_path: Path
) -> None:
    words = ("-m", "model=vgg16_compact", "method=cam,grad_cam", "localizer=gradcam_15,cam_20")
    status, printed, complaint = sweep(*words)
    assert status == 2
    *_, first, second, last = complaint.splitlines()
    assert last == "error: 2 of 4 jobs failed"
    for line in (first, second):
        assert line.startswith("error: ")
        assert "method=cam" in line
        assert "method cam needs global average pooling" in line
    _, content = table_of(tmp_path)
    assert content["rows"] == ["vgg16_compact/grad_cam/gradcam_15", "vgg16_compact/grad_cam/cam_20"]
    assert "vgg16_compact/grad_cam/cam_20" in printed


def test_a_value_that_is_refused_keeps_the_later_ones_from_nothing(sweep: Command, tmp_path: Path) -> None:
    status, _, complaint = sweep("-m", CAM, "localizer.threshold=0.15,2,0.3")
    assert status == 2
    assert complaint.splitlines()[-1] == "error: 1 of 3 jobs failed"
    assert "localizer.threshold=2: must be a number in [0, 1)" in complaint.splitlines()[-2]
    _, content = table_of(tmp_path)
    assert content["rows"] == [f"vgg16_cam_compact/grad_cam/threshold={value}" for value in (0.15, 0.3)]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        (
            "dataset.order=id,stratified",
            "dataset.order=id,stratified: a sweep makes one table, whose rows share it",
        ),
        ("run.batch_size=2,4", "run.batch_size=2,4: a sweep makes one table"),
        ("pictures=1,2", "pictures=1,2: a sweep makes one table"),
        ("experiment=table1,googlenet", "experiment=table1,googlenet: a sweep makes one table"),
        ("localizer.treshold=0.1,0.2", "did you mean localizer.threshold?"),
        ("localizer=grabcut localizer.threshold=0.1,0.2", "localizer has name, version, foreground"),
    ],
)
def test_an_option_that_cannot_be_swept_is_refused_before_anything_runs(
    sweep: Command, tmp_path: Path, word: str, says: str
) -> None:
    status, printed, complaint = sweep("-m", *word.split())
    assert (status, printed) == (2, "")
    assert says in complaint
    assert complaint.count("\n") == 1
    assert not list(tmp_path.glob("results/runs"))
