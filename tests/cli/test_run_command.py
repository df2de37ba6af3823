"""``./scripts/run`` from images on disk to a table, interrupted, repeated and misused."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from helpers import ilsvrc_trees as trees
from helpers.commands import Command
from helpers.ilsvrc_trees import Picture

from benchmark.core.exit_codes import ExitCode
from benchmark.tasks.boxes import comparison

PICTURES = tuple(
    Picture(number, number * 7 % 1000, ((number, 2, 30, 20 + number),), size=(40, 30 + number))
    for number in range(1, 7)
)
EXPERIMENT = ("experiment=googlenet", "dataset=ilsvrc_val", "model.weights=random", "run.batch_size=2")
NAME = "googlenet+model.weights-random"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    trees.kaggle(tmp_path / "data", PICTURES)
    return tmp_path / "data"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.mark.slow
def test_four_rows_from_images_to_table_score_and_tracking(
    command: Command, root: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    options = (*EXPERIMENT, f"dataset.root={root}", f"results_dir={results}")
    before = files_of(root)
    status, printed, complaint = command("run", *options)
    assert (status, "Traceback" in complaint) == (0, False), complaint
    assert "googlenet/grad_cam = googlenet/cam, box for box: 36 of 36 boxes equal" in " ".join(
        printed.split()
    )
    assert files_of(root) == before, "the dataset's folder is never written into"

    (made,) = results.glob(f"ilsvrc_val-6-*/{NAME}.json")
    cells = {path.stem for path in (made.parent / NAME).glob("*.json")}
    assert cells == {f"googlenet-{method}" for method in ("grad_cam", "cam", "backprop", "c_mwp")}
    tidy = pd.read_csv(made.parent / f"{NAME}.csv")
    assert set(tidy["row"]) == {name.replace("-", "/") for name in cells}
    first = files_of(made.parent)
    assert f"{NAME}.png" in first
    assert f"{NAME}.png" in printed

    # Again: the same bytes, and no record is made twice.
    stamps = {path: path.stat().st_mtime_ns for path in (results / "runs").rglob("*-0*")}
    assert command("run", *options)[0] == 0
    assert files_of(made.parent) == first
    assert {path: path.stat().st_mtime_ns for path in (results / "runs").rglob("*-0*")} == stamps

    # The boxes, written in the devkit's form, score to the numbers of the table.
    assert command("export", f"results={made}", "row=googlenet/c_mwp", f"output={tmp_path}")[0] == 0
    status, scored, _ = command(
        "score", f"predictions={tmp_path / 'googlenet-c_mwp.txt'}", f"dataset.root={root}"
    )
    cell = json.loads((made.parent / NAME / "googlenet-c_mwp.json").read_text())
    by_name = dict(re.findall(r"^(\w+) +(\d+\.\d\d) ", scored, re.MULTILINE))
    for name in ("cls_top1", "cls_top5", "loc_top1", "loc_top5", "loc_top1_all", "loc_top5_all"):
        assert by_name[name] == f"{100 * cell['metrics'][name]['value']:.2f}"

    # The table is made again, and logged again, from its results alone.
    assert command("table", f"results={made}")[0] == 0
    assert files_of(made.parent) == first
    assert command("sync", f"results={made}")[0] == 0

    # Another threshold is another table, made without touching the first.
    assert command("run", *options, "localizer.threshold=0.5", "tracking=none")[0] == 0
    assert {name: data for name, data in files_of(made.parent).items() if "threshold" not in name} == first
    changed = made.with_name("googlenet+localizer.threshold-0.5+model.weights-random.json")
    assert json.loads(changed.read_text())["rows"] == json.loads(made.read_text())["rows"]


@pytest.mark.slow
def test_a_run_ended_half_way_by_any_signal_ends_with_the_same_results(tmp_path: Path) -> None:
    """SIGKILL leaves nothing a chance to tidy up; the others leave no claim and no half-written file."""
    cell = ("model=vgg16_cam_compact", "method=cam", "dataset.count=48", "run.batch_size=1", "tracking=none")

    def start(results: Path) -> subprocess.Popen[str]:
        options = [*cell, f"cache_dir={tmp_path}/cache", f"results_dir={results}"]
        command = [sys.executable, "-m", "benchmark", *options]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def records(results: Path) -> dict[str, bytes]:
        kept = [*results.rglob("records-0*.parquet"), *results.glob("embedded-48-*/**/*")]
        return {str(p.relative_to(results)): p.read_bytes() for p in kept if p.is_file()}

    whole = tmp_path / "whole"

    def complete(results: Path) -> None:
        process = start(results)
        told = process.communicate()[1]
        assert process.returncode == 0, told

    complete(whole)
    for how, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)):
        results = tmp_path / how.name
        process = start(results)
        while not list(results.rglob("records-00000.parquet")):
            assert process.poll() is None, "the run ended before it could be"
            time.sleep(0.01)
        process.send_signal(how)
        _, told = process.communicate()
        assert process.returncode == code, told
        done = {path: path.stat().st_mtime_ns for path in results.rglob("records-0*.parquet")}
        assert 0 < len(done) < 3
        if how != signal.SIGKILL:
            assert told.splitlines()[-1].endswith("what was finished is kept, the same command continues")
            assert not [*results.rglob("*.tmp"), *results.rglob("_claims/*")]
        complete(results)
        assert all(path.stat().st_mtime_ns == stamp for path, stamp in done.items())
        assert records(results) == records(whole)


def test_a_net_of_other_classes_on_the_embedded_images_is_refused(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCHMARK_ILSVRC", raising=False)
    options = (f"results_dir={tmp_path / 'results'}", f"cache_dir={tmp_path}", "tracking=none")
    status, printed, complaint = command("run", "model=squeezenet1_0", "model.weights=random", *options)
    assert (status, printed) == (2, "")
    last = complaint.splitlines()[-1]
    assert last.startswith("error: model squeezenet1_0 has 1000 outputs and dataset embedded 24 classes")
    assert "dataset.root=DIR" in last


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["dataset.rot=x"], "dataset.rot: there is no such option here; did you mean dataset.root?"),
        (["model=vgg61"], "model=vgg61: there is no such model; choose one of"),
        (["dataset.root=/nowhere"], "/nowhere"),
        (["dataset.root={root}", "model.weights=/nowhere/x.pth"], "/nowhere/x.pth"),
        (["dataset.root={root}", "model.weights=random", "localizer.threshold=1.5"], "localizer.threshold"),
        (["dataset.root={root}", "run.batch_size=0"], "run.batch_size=0"),
        (["dataset.root={root}", "run.device=cuda:99"], "run.device=cuda:99"),
        (
            ["dataset.root={root}", "results_dir={root}/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG"],
            "cannot be",
        ),
        (
            ["dataset.root={root}", "model.weights=random", "method=cam"],
            "method cam needs global average pooling",
        ),
        (["dataset.root={root}", "model.weights=random", "method.layer=features.99"], "features.99"),
        (
            ["dataset.root={root}", "model.weights=random", "metric.localization.iou=1.5"],
            "metric.localization.iou=1.5: must be a number in (0, 1]",
        ),
        (
            ["dataset.root={root}", "model.weights=random", "transform=ten_crop", "transform.canvas=256.5"],
            "transform.canvas=256.5: must be a whole number from 1 up",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_it(
    command: Command, root: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    typed = [option.format(root=root) for option in options]
    if not any(option.startswith("results_dir") for option in typed):
        typed.append(f"results_dir={tmp_path / 'results'}")
    fixed = ("dataset=ilsvrc_val", "model=squeezenet1_0", "tracking=none")
    status, printed, complaint = command("run", *fixed, *typed[::-1])
    assert status == 2
    assert printed == ""
    assert says in complaint
    assert complaint.startswith("error: ")
    assert len(complaint.splitlines()) == 1


@pytest.fixture
def small_run(command: Command, tmp_path: Path) -> Command:
    """``small_run("key=value", …)``: on two embedded images."""
    few = ("dataset.count=24", "dataset.limit=2", "pictures=0")
    places = (f"results_dir={tmp_path / 'results'}", f"cache_dir={tmp_path}")
    return lambda *words: command("run", *few, *places, "metric=[localization]", *words)


@pytest.mark.slow
def test_a_failed_check_stands_in_the_table_and_on_the_last_line_and_has_an_exit_code_of_its_own(
    small_run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "same_boxes", lambda *_: (10, 12))
    words = ("experiment=googlenet", "nets.googlenet=googlenet_compact", "tracking=none")
    for _ in range(2):  # as measured, and as recalled
        status, printed, complaint = small_run(*words)
        told = "FAILED: googlenet/grad_cam = googlenet/cam, box for box: 10 of 12 boxes equal in float32"
        assert told in " ".join(printed.split())
        assert complaint.splitlines()[-1].startswith("1 of 1 checks of the table failed, as it says; ")
        assert (status, "exit code 3" in complaint) == (ExitCode.CHECKS_FAILED, True)


@pytest.mark.slow
def test_a_tracking_server_that_cannot_be_reached_fails_no_run_and_is_tried_again(
    small_run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for _ in range(2):
        status, printed, complaint = small_run("model=vgg16_cam_compact", "tracking.uri=http://127.0.0.1:9")
        assert status == 0
        assert "written, with all notes:" in printed
        assert complaint.splitlines()[-1].startswith("not tracked: MLflow at http://127.0.0.1:9 cannot")


@pytest.mark.slow
def test_the_experiment_of_the_environment_is_logged_to_where_none_was_typed(
    small_run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "of_the_environment")
    for words in ((), ("tracking.experiment=typed",)):
        assert small_run("model=vgg16_cam_compact", *words)[0] == 0
    made = MlflowClient(f"sqlite:///{tmp_path / 'results' / 'mlflow.db'}").search_experiments()
    assert {one.name for one in made} == {"Default", "of_the_environment", "typed"}
