"""Tracking: logged once, taken up after a kill, and one line where there is nothing to log to."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.handmade import DATASET, ROOT, estimate, result, table

from benchmark.core.errors import UserError
from benchmark.reporting.table import Table
from benchmark.reporting.tracking.database import sqlite_uri
from benchmark.reporting.tracking.mlflow import MlflowTracker, NoTracker, Tracker
from benchmark.reporting.tracking.runs import training_run

pytestmark = pytest.mark.slow  # MLflow alone takes seconds to import, and about one to make a database


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as MLflow makes it, made once: its many migrations take seconds."""
    folder = tmp_path_factory.mktemp("empty")
    MlflowTracker(None, str(folder), experiment="another").log(table(result("z/cam"), name="another"), {})
    return folder / "mlflow.db"


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder with a name that URIs do not like; the working folder is another one."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    folder = tmp_path / "my results%20?#1"
    folder.mkdir()
    return folder


@pytest.fixture
def results(fresh: Path, empty_database: Path) -> Path:
    """The same with a database in which another table is logged."""
    shutil.copy(empty_database, fresh)
    return fresh


def file(folder: Path, name: str, text: str = "some text") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def client(folder: Path) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=sqlite_uri(folder / "mlflow.db"))


def runs(folder: Path) -> dict[str, Any]:
    """All runs of the table by name; a name that stands twice fails."""
    made = client(folder)
    found = made.search_runs([made.get_experiment_by_name("small").experiment_id])
    assert len({run.info.run_name for run in found}) == len(found)
    return {run.info.run_name: run for run in found}


def artifacts(folder: Path, run: Any) -> dict[str, str]:
    """Content of each artifact of a run."""
    made = client(folder)
    paths = [item.path for item in made.list_artifacts(run.info.run_id)]
    place = folder.parent / "downloaded"
    place.mkdir(exist_ok=True)
    return {
        path: Path(made.download_artifacts(run.info.run_id, path, str(place))).read_text(encoding="utf-8")
        for path in paths
    }


def log(folder: Path, made: Table, **files: list[Path]) -> str:
    by_row = {None if row == "table" else row.replace("_", "/", 1): paths for row, paths in files.items()}
    return MlflowTracker(None, str(folder)).log(made, by_row)


PARENT = "small on some_images"


def test_a_table_is_a_parent_run_and_a_measured_row_its_child(results: Path) -> None:
    look = log(results, table(), table=[file(results, "small.md")], a_cam=[file(results, "records.parquet")])
    found = runs(results)
    assert set(found) == {PARENT, "a/cam"}
    parent, child = found[PARENT], found["a/cam"]
    assert (parent.info.status, child.info.status) == ("FINISHED", "FINISHED")
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert child.data.tags["fingerprint"] == "f0" * 32
    assert child.data.metrics["loc_top1"] == 0.56
    assert child.data.metrics["loc_top1_low"] == 0.56 - 0.02
    assert child.data.params["localizer.threshold"] == "0.15"
    assert "b.caffemodel is not there" in parent.data.tags["mlflow.note.content"]
    assert artifacts(results, parent) == {"small.md": "some text"}
    kept = artifacts(results, child)
    assert kept.keys() == {"records.parquet", "config.yaml"}
    assert yaml.safe_load(kept["config.yaml"]) == result().config
    assert look == f"mlflow ui --backend-store-uri '{sqlite_uri(results / 'mlflow.db')}'"


def test_everything_lies_below_the_results_folder_and_nothing_in_the_working_folder(results: Path) -> None:
    log(results, table(), a_cam=[file(results, "records.parquet")])
    assert (results / "mlflow.db").is_file()
    assert list((results / "mlartifacts").rglob("records.parquet"))
    assert list(Path.cwd().iterdir()) == []


def test_a_training_is_one_run_with_its_curve_however_often_it_is_logged(results: Path) -> None:
    passport = {
        **{"name": "net", "fingerprint": "ab" * 32, "sha256": "cd" * 32, "iterations": 8, "seconds": 12.5},
        **{"cls_top1": 0.25, "cls_top5": 0.0, "n": 16, "command": ["model=net"]},
        "config": {"train": {"lr": 0.1}, "train_set": {"root": "/somewhere"}},
    }
    curve = [(4, 1000.0, {"loss": 2.0, "top1_error": 0.5}), (8, 1010.5, {"loss": 1.0})]
    tracker = MlflowTracker(None, str(results))
    made = client(results)
    for _ in range(2):
        tracker.log_training(training_run(passport), curve, [file(results, "net.json")])
        (run,) = made.search_runs([made.get_experiment_by_name("training").experiment_id])
        made.update_run(run.info.run_id, status="RUNNING")  # as a killed process leaves it
    tracker.log_training(training_run(passport), curve, [file(results, "net.json")])
    (run,) = made.search_runs([made.get_experiment_by_name("training").experiment_id])
    assert (run.info.run_name, run.info.status) == ("net", "FINISHED")
    losses = [(point.step, point.value) for point in made.get_metric_history(run.info.run_id, "loss")]
    assert losses == [(4, 2.0), (8, 1.0)]
    assert run.data.metrics["final_cls_top1"] == 0.25
    assert run.data.params == {"train.lr": "0.1"}
    assert run.data.tags["command"] == '["model=net"]'
    assert artifacts(results, run) == {"net.json": "some text"}


def test_logging_twice_doubles_nothing_and_replaces_the_files_of_the_table(results: Path) -> None:
    log(results, table(), table=[file(results, "small.md", "old")])
    before = runs(results)
    log(results, table(), table=[file(results, "small.md", "new")])
    after = runs(results)
    assert {name: run.info.run_id for name, run in before.items()} == {
        name: run.info.run_id for name, run in after.items()
    }
    child = after["a/cam"]
    assert child.info.end_time == before["a/cam"].info.end_time, "a finished cell is not touched again"
    assert len(client(results).get_metric_history(child.info.run_id, "loc_top1")) == 1
    assert artifacts(results, after[PARENT]) == {"small.md": "new"}


def test_a_row_measured_later_joins_the_same_parent(results: Path) -> None:
    log(results, table())
    first = runs(results)
    later = result("b/cam", fingerprint="0b" * 32)
    log(results, table(result(), later))
    second = runs(results)
    assert set(second) == {PARENT, "a/cam", "b/cam"}
    assert second[PARENT].info.run_id == first[PARENT].info.run_id
    assert second[PARENT].data.tags["rows"] == "2 of 2 measured"
    assert "open:" not in second[PARENT].data.tags["mlflow.note.content"]


def test_a_metric_defined_anew_is_updated_in_the_run_of_its_cell(results: Path) -> None:
    log(results, table())
    better = result(metrics={**result().metrics, "loc_top1": estimate(0.4), "new": estimate(0.1)})
    log(results, table(better))
    child = runs(results)["a/cam"]
    assert child.data.metrics["loc_top1"] == 0.4
    assert child.data.metrics["new"] == 0.1
    assert child.info.status == "FINISHED"


def test_other_images_get_a_parent_of_their_own(results: Path) -> None:
    log(results, table())
    other = replace(DATASET, name="other_images", fingerprint="01" * 32)
    log(results, table(result(conditions={}, fingerprint="0c" * 32, row="c/cam"), dataset=other))
    assert set(runs(results)) == {PARENT, "a/cam", "small on other_images", "c/cam"}


def test_a_changed_option_of_a_run_that_is_taken_up_does_not_stop_it(results: Path) -> None:
    log(results, table())
    run_id = runs(results)["a/cam"].info.run_id
    client(results).update_run(run_id, status="RUNNING")
    log(results, table(replace(result(), config={"localizer": {"threshold": 0.2}})))
    child = runs(results)["a/cam"]
    assert child.info.status == "FINISHED"
    assert child.data.params["localizer.threshold"] == "0.15", "MLflow never changes a parameter"


def test_more_than_one_request_full_of_params_and_metrics_is_logged(results: Path) -> None:
    config = {f"option{number}": number for number in range(250)}
    metrics = {f"metric{number}": estimate(0.5) for number in range(100)}
    log(results, table(result(metrics=metrics, config=config)))
    child = runs(results)["a/cam"]
    assert len(child.data.params) == 250
    assert sum(name.endswith("_low") for name in child.data.metrics) == 100


@pytest.mark.parametrize(
    ("error", "status", "raised"),
    [(OSError("disk full"), "FAILED", UserError), (KeyboardInterrupt(), "KILLED", KeyboardInterrupt)],
)
def test_a_run_in_which_logging_fails_ends_and_is_taken_up_the_next_time(
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: str,
    raised: type[BaseException],
) -> None:
    from mlflow import MlflowClient

    def fail(*_: object, **__: object) -> None:
        raise error

    records = file(results, "records.parquet")
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_artifact", fail)
        with pytest.raises(raised):
            log(results, table(), a_cam=[records])
    broken = runs(results)
    assert {run.info.status for run in broken.values()} == {status}
    log(results, table(), a_cam=[records])
    mended = runs(results)
    assert {run.info.status for run in mended.values()} == {"FINISHED"}
    assert mended["a/cam"].info.run_id == broken["a/cam"].info.run_id
    assert "records.parquet" in artifacts(results, mended["a/cam"])


SCRIPT = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from helpers.handmade import table
from benchmark.reporting.tracking.mlflow import MlflowTracker
if sys.argv[4] == "die":
    from mlflow import MlflowClient
    MlflowClient.log_text = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
print(MlflowTracker(None, sys.argv[3]).log(table(), {}))
"""


@pytest.fixture
def process(fresh: Path) -> Callable[[str], "subprocess.Popen[str]"]:
    """Logs the table in a process of its own, which dies in the middle of it if told to."""

    def start(how: str) -> "subprocess.Popen[str]":
        arguments = [str(ROOT), str(ROOT / "tests"), str(fresh), how]
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"MLFLOW_RUN_ID": "0123456789abcdef0123456789abcdef"},
        )

    return start


def test_a_run_left_running_by_a_killed_process_is_taken_up_and_finished(
    fresh: Path, process: Callable[[str], "subprocess.Popen[str]"]
) -> None:
    killed = process("die")
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    left = runs(fresh)
    assert {run.info.status for run in left.values()} == {"RUNNING"}
    log(fresh, table())
    finished = runs(fresh)
    assert {run.info.status for run in finished.values()} == {"FINISHED"}
    assert {run.info.run_id for run in finished.values()} == {run.info.run_id for run in left.values()}


def test_processes_that_start_at_once_on_no_database_all_succeed_and_log_one_table(
    fresh: Path, process: Callable[[str], "subprocess.Popen[str]"]
) -> None:
    started = [process("live") for _ in range(3)]
    for one in started:
        out, err = one.communicate(timeout=180)
        assert one.returncode == 0, err
        assert out.startswith("mlflow ui --backend-store-uri ")
        assert len(out.splitlines()) == 1
        assert err == "", "MLflow says nothing"
    assert set(runs(fresh)) == {PARENT, "a/cam"}


def test_an_active_run_of_the_environment_is_not_written_to(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(results, table())
    parent = runs(results)[PARENT]
    monkeypatch.setenv("MLFLOW_RUN_ID", parent.info.run_id)
    log(results, table(result(), result("b/cam", fingerprint="0b" * 32)))
    found = runs(results)
    assert found["b/cam"].info.run_id != parent.info.run_id
    assert found[PARENT].data.params == {}


def refused(tracker: Tracker) -> str:
    with pytest.raises(UserError) as refusal:
        tracker.log(table(), {})
    message = str(refusal.value)
    assert "\n" not in message
    return message


def test_a_server_that_cannot_be_reached_is_refused_in_one_line_that_says_what_is_safe(results: Path) -> None:
    message = refused(MlflowTracker("http://me:secret@127.0.0.1:9", str(results)))
    assert message.startswith("MLflow at http://me:***@127.0.0.1:9 cannot be used (")
    assert "secret" not in message
    assert "the results are safe on disk, and ./scripts/sync logs them" in message


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "/data/mlruns", "file:///data/mlruns", "file:mlruns"])
def test_a_folder_as_place_is_refused_with_what_to_give_instead(results: Path, uri: str) -> None:
    with pytest.raises(UserError, match=rf"tracking\.uri={uri}: MLflow no longer .* give sqlite:////"):
        MlflowTracker(uri, str(results))  # before anything is computed


@pytest.mark.parametrize(
    "uri", ["nonsense://x", "postgresql://me:secret@127.0.0.1:9/db", "sqlite:////proc/no/x.db"]
)
def test_a_place_that_is_none_is_refused_in_one_line(results: Path, uri: str) -> None:
    message = refused(MlflowTracker(uri, str(results)))
    assert "cannot be used" in message
    assert "secret" not in message


def test_a_file_that_is_no_database_is_refused_at_once(results: Path) -> None:
    file(results, "mlflow.db", "this is no database " * 100)
    assert "file is not a database" in refused(MlflowTracker(None, str(results)))


def test_a_database_of_another_mlflow_is_refused_in_one_line(results: Path) -> None:
    with closing(sqlite3.connect(results / "mlflow.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'of_the_future'")
        database.execute("DROP TABLE registered_model_aliases")
    message = refused(MlflowTracker(None, str(results)))
    assert "of_the_future" in message
    assert "the results are safe on disk" in message


def test_a_results_folder_that_is_a_file_is_refused(results: Path) -> None:
    assert "cannot be used" in refused(MlflowTracker(None, str(file(results, "taken"))))


def test_a_file_that_is_not_there_is_refused_before_anything_is_logged(fresh: Path) -> None:
    with pytest.raises(UserError, match=r"records\.parquet: to be logged, but not there"):
        log(fresh, table(), a_cam=[fresh / "records.parquet"])
    assert not (fresh / "mlflow.db").exists()


def test_a_database_of_ones_own_keeps_its_artifacts_out_of_the_working_folder(results: Path) -> None:
    uri = sqlite_uri((results / "mlflow.db").rename(results / "own.db"))
    look = MlflowTracker(uri, str(results), experiment="mine").log(table(), {})
    assert look == f"mlflow ui --backend-store-uri '{uri}'"
    assert list((results / "mlartifacts").rglob("config.yaml"))
    assert list(Path.cwd().iterdir()) == []


def test_no_tracker_logs_nothing(tmp_path: Path) -> None:
    assert NoTracker().log(table(), {None: [tmp_path / "nowhere"]}) == ""


def test_importing_the_module_does_not_import_mlflow() -> None:
    code = "import sys, benchmark.reporting.tracking.mlflow; sys.exit('mlflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


@pytest.mark.parametrize("name", ["mlflow", "none"])
def test_every_configured_tracker_names_a_class_of_this_module_and_its_options(name: str) -> None:
    options = yaml.safe_load((ROOT / "conf" / "tracking" / f"{name}.yaml").read_text(encoding="utf-8"))
    module, _, target = options.pop("_target_").rpartition(".")
    assert module == "benchmark.reporting.tracking.mlflow"
    known = {kind.__name__: [field.name for field in fields(kind)] for kind in (MlflowTracker, NoTracker)}
    assert set(options) == set(known[target])
