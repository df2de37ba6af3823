"""Tracking: logged once, taken up after a kill, and one line where there is nothing to log to."""

import json
import os
import platform
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from helpers.browsers import chromium
from helpers.handmade import DATASET, ROOT, estimate, result, table
from helpers.stores import mlflow_server, postgresql, sqlite

from benchmark.core.errors import UserError
from benchmark.reporting.table import Table
from benchmark.reporting.tracking.database import sqlite_uri
from benchmark.reporting.tracking.leftovers import LOGGED_BY, tidied
from benchmark.reporting.tracking.mlflow import MlflowTracker
from benchmark.reporting.tracking.runs import training_run
from benchmark.reporting.tracking.tracker import NoTracker, Tracked, Tracker

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
    paths, folders = [], [""]
    while folders:
        items = made.list_artifacts(run.info.run_id, folders.pop() or None)
        folders += [item.path for item in items if item.is_dir]
        paths += [item.path for item in items if not item.is_dir]
    place = folder.parent / "downloaded"
    place.mkdir(exist_ok=True)
    return {
        path: Path(made.download_artifacts(run.info.run_id, path, str(place))).read_text(encoding="utf-8")
        for path in paths
    }


def tracked(folder: Path, made: Table, files: dict[str, list[Path]], **options: Any) -> Tracked:
    by_row = {None if row == "table" else row.replace("_", "/", 1): paths for row, paths in files.items()}
    return MlflowTracker(None, str(folder), **options).log(made, by_row)


def log(folder: Path, made: Table, **files: list[Path]) -> str:
    """Log without a problem; what to type to look at it."""
    done = tracked(folder, made, files)
    assert done.problems == ()
    return done.look


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
    assert child.data.params["threshold"] == "0.15"
    assert "b.caffemodel is not there" in parent.data.tags["mlflow.note.content"]
    assert artifacts(results, parent) == {
        "small.md": "some text",
        "records/a-cam/records.parquet": "some text",
    }
    kept = artifacts(results, child)
    assert kept.keys() == {"conditions.yaml", "config.yaml"}
    assert yaml.safe_load(kept["config.yaml"]) == result().config
    assert yaml.safe_load(kept["conditions.yaml"]) == result().conditions
    kind = client(results).get_experiment_by_name("small").tags["mlflow.experimentKind"]
    assert kind == "custom_model_development", "else MLflow's page shows traces of a language model"
    for run in (parent, child):
        (noted,) = run.inputs.dataset_inputs
        assert (noted.dataset.name, noted.dataset.digest) == ("some_images", "ab" * 6)
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
    assert len(client(results).get_metric_history(child.info.run_id, "loc_top1")) == 1
    assert artifacts(results, after[PARENT]) == {"small.md": "new"}
    log(results, table(), table=[file(results, "small.md", "new")])
    assert {name: run.to_dictionary() for name, run in runs(results).items()} == {
        name: run.to_dictionary() for name, run in after.items()
    }, "what is logged already is not touched again"


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
    assert child.data.params["threshold"] == "0.15", "MLflow never changes a parameter"


def test_more_than_one_request_full_of_metrics_is_logged(results: Path) -> None:
    metrics = {f"metric{number}": estimate(0.5) for number in range(100)}
    log(results, table(result(metrics=metrics)))
    child = runs(results)["a/cam"]
    assert sum(name.endswith("_low") for name in child.data.metrics) == 100


def test_a_store_of_the_former_version_is_taken_over_and_not_doubled(results: Path) -> None:
    log(results, table(), table=[file(results, "small.md")], a_cam=[file(results, "records.parquet")])
    made, now = client(results), runs(results)
    number = made.get_experiment_by_name("small").experiment_id
    kept = {name: run.data.tags for name, run in now.items()}
    for run in now.values():
        made.delete_run(run.info.run_id)
    identities = {PARENT: ("table.key",), "a/cam": ("fingerprint", "row.key")}
    former = dict[str, str]()
    for name, keys in identities.items():
        tags = {key: kept[name][key] for key in keys} | {"files": "stored"}
        tags |= {"mlflow.parentRunId": former[PARENT]} if former else {"rows": "1 of 2 measured"}
        former[name] = made.create_run(number, tags=tags, run_name=name).info.run_id
        made.log_param(former[name], "localizer.threshold", "0.15")
        made.log_metric(former[name], "loc_top1_n", 200)
        made.set_terminated(former[name])
    for _ in range(2):
        log(results, table(), table=[file(results, "small.md")], a_cam=[file(results, "records.parquet")])
    after = runs(results)
    assert {name: run.info.run_id for name, run in after.items()} == former
    assert after["a/cam"].data.params.items() >= {"localizer.threshold": "0.15", "threshold": "0.15"}.items()
    assert after["a/cam"].data.metrics["loc_top1"] == 0.56
    assert "records/a-cam/records.parquet" in artifacts(results, after[PARENT])


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (OSError("the server died"), "FAILED", nullcontext()),
        (KeyboardInterrupt(), "KILLED", pytest.raises(KeyboardInterrupt)),
    ],
)
def test_a_run_in_which_logging_fails_ends_and_is_taken_up_the_next_time(
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: str,
    expected: AbstractContextManager[Any],
) -> None:
    from mlflow import MlflowClient

    def fail(*_: object, **__: object) -> None:
        raise error

    records = file(results, "records.parquet")
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", fail)
        with expected:
            (problem,) = tracked(results, table(), {"a_cam": [records]}).problems
            assert "(the server died); the results are safe on disk" in problem
    broken = runs(results)
    assert {run.info.status for run in broken.values()} == {status}
    log(results, table(), a_cam=[records])
    mended = runs(results)
    assert {run.info.status for run in mended.values()} == {"FINISHED"}
    assert mended["a/cam"].info.run_id == broken["a/cam"].info.run_id
    assert "records/a-cam/records.parquet" in artifacts(results, mended[PARENT])


SCRIPT = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from helpers.handmade import table
from benchmark.reporting.tracking.mlflow import MlflowTracker
from mlflow import MlflowClient
setattr(MlflowClient, sys.argv[4], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
MlflowTracker(None, sys.argv[3]).log(table(), {})
"""


def killed(folder: Path, where: str) -> None:
    """Log the table in a process of its own, which is killed when it calls MLflow's client there."""
    words = [sys.executable, "-c", SCRIPT, str(ROOT), str(ROOT / "tests"), str(folder), where]
    done = subprocess.run(words, capture_output=True, timeout=180, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_runs_left_open_by_a_kill_are_taken_up_or_closed_at_the_next_sync(fresh: Path) -> None:
    killed(fresh, "log_batch")
    left = runs(fresh)
    assert {run.info.status for run in left.values()} == {"RUNNING"}
    other = table(name="another")
    shutil.copytree(fresh, fresh.parent / "later")
    assert tracked(fresh, other, {}).mended == (
        "2 runs that a killed process had left open are closed as KILLED",
    )
    assert {run.info.status for run in runs(fresh).values()} == {"KILLED"}
    log(fresh.parent / "later", table())
    finished = runs(fresh.parent / "later")
    assert {run.info.status for run in finished.values()} == {"FINISHED"}
    assert {run.info.run_id for run in finished.values()} == {run.info.run_id for run in left.values()}


def test_a_process_killed_while_it_makes_a_database_leaves_none(fresh: Path) -> None:
    killed(fresh, "search_experiments")
    assert not (fresh / "mlflow.db").exists()
    log(fresh, table())
    assert not list(fresh.glob(".*"))
    assert set(runs(fresh)) == {PARENT, "a/cam"}


KILLED_AT_FIRST = "DELETE FROM alembic_version; DROP TABLE registered_model_aliases"
RACED_FOR = "UPDATE alembic_version SET version_num = '2b4d017a5e9b'; CREATE TABLE _alembic_tmp_params (x)"
KILLED_BETWEEN = "UPDATE alembic_version SET version_num = '2b4d017a5e9b'; DROP TABLE model_versions"


@pytest.mark.parametrize("left", [KILLED_AT_FIRST, RACED_FOR, KILLED_BETWEEN])
def test_a_half_made_database_is_put_aside_or_with_runs_in_it_told_with_the_remedy(
    results: Path, left: str
) -> None:
    database = results / "mlflow.db"
    with closing(sqlite3.connect(database)) as opened:
        opened.executescript(left)
    if left != KILLED_BETWEEN:
        remedy = f"holds runs but was left half-made; move it away: mv '{database}' '{database}.half-made'"
        assert remedy in refused(MlflowTracker(None, str(results)))
    with closing(sqlite3.connect(database)) as opened:
        opened.executescript("DELETE FROM runs")
    done = tracked(results, table(), {})
    assert done.problems == ()
    assert done.mended[0].endswith("is mlflow.db.half-made now, and a new one is there")
    assert set(runs(results)) == {PARENT, "a/cam"}


SEVERAL = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
import mlflow  # once for all of them, since it takes seconds
from helpers.handmade import table
from benchmark.reporting.tracking.mlflow import MlflowTracker
children = []
for number in range(8):
    children.append(os.fork())
    if not children[-1]:
        done = MlflowTracker(sys.argv[4], f"{sys.argv[3]}/{number}").log(table(), {})
        done.tell()
        os._exit(len(done.problems))
print("codes", *(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's of MLflow, in this test's own look into the store
@pytest.mark.parametrize("store", [sqlite, mlflow_server, postgresql])
def test_eight_processes_with_eight_results_folders_log_one_table_to_one_fresh_store(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, store: Callable[[Path], AbstractContextManager[str]]
) -> None:
    from mlflow import MlflowClient

    place = fresh.parent / "store"
    place.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    with store(place) as uri:
        words = [sys.executable, "-c", SEVERAL, str(ROOT), str(ROOT / "tests"), str(fresh), uri]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        assert done.stdout.splitlines()[-1] == "codes 0 0 0 0 0 0 0 0", done.stderr
        assert done.stderr == "", "MLflow says nothing"
        made: Any = MlflowClient(tracking_uri=uri)
        found = made.search_runs([made.get_experiment_by_name("small").experiment_id])
        assert sorted(run.info.run_name for run in found) == ["a/cam", PARENT]
        assert {run.info.status for run in found} == {"FINISHED"}


def test_what_racing_processes_made_twice_is_deleted_and_what_a_living_one_logs_is_left(
    results: Path,
) -> None:
    log(results, table())
    made, here, dead = client(results), platform.node(), subprocess.Popen(["true"])
    dead.wait()
    number = made.get_experiment_by_name("small").experiment_id
    first = runs(results)
    twice = made.create_run(number, tags=first[PARENT].data.tags).info.run_id
    made.create_run(number, tags=first["a/cam"].data.tags | {"mlflow.parentRunId": twice})
    now, then = "2999-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00"
    for who, name in {
        f"{here}:{dead.pid} {now}": "closed",
        f"{here}:{os.getppid()} {then}": "living",
        f"elsewhere:7 {now}": "living",
        f"elsewhere:7 {then}": "closed",
    }.items():
        made.create_run(number, tags={"fingerprint": who, LOGGED_BY: who}, run_name=name)
    made.create_run(number, run_name="not ours")
    assert list(tidied(made, number, nobody_else=False)) == [
        "2 runs that were there twice are deleted; the older ones stay",
        "2 runs that a killed process had left open are closed as KILLED",
    ]
    left = sorted((run.info.run_name, run.info.status) for run in made.search_runs([number]))
    assert left == [
        *[("a/cam", "FINISHED"), ("closed", "KILLED"), ("closed", "KILLED"), ("living", "RUNNING")],
        *[("living", "RUNNING"), ("not ours", "RUNNING"), (PARENT, "FINISHED")],
    ]
    assert {run.info.run_id for run in first.values()} <= {
        run.info.run_id for run in made.search_runs([number])
    }


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
    """The one line that is told where no number can be logged."""
    done = tracker.log(table(), {})
    (message,) = done.problems
    assert "\n" not in message
    assert done.look == ""
    return message


def unwritable(folder: Path) -> str:
    """A place for files that nobody can write to, root included."""
    return f"{file(folder, 'no_folder').as_uri()}/artifacts"


@pytest.mark.parametrize("place", [unwritable, lambda _: "nosuch://bucket/artifacts"])
def test_files_that_cannot_be_stored_cost_no_number_and_are_told_once(
    results: Path, place: Callable[[Path], str]
) -> None:
    made = table(*(result(f"{name}/cam", fingerprint=f"0{name}" * 32) for name in "abc"))
    records = {f"{name}_cam": [file(results, "records.parquet")] for name in "abc"}
    records["table"] = [file(results, "small.md")]
    done = tracked(results, made, records, artifacts=place(results))
    assert {name: run.info.status for name, run in runs(results).items()} == dict.fromkeys(
        [PARENT, "a/cam", "b/cam", "c/cam"], "FINISHED"
    )
    assert all(run.data.metrics["loc_top1"] == 0.56 for name, run in runs(results).items() if name != PARENT)
    (problem,) = done.problems
    assert "\n" not in problem
    assert "the numbers are logged, the files of 4 of 4 runs are not (" in problem
    assert "tracking.artifacts=false; ./scripts/sync logs the files once this is mended" in problem
    assert done.look
    assert tracked(results, made, records, artifacts=False).problems == ()


def test_files_that_were_not_stored_are_stored_by_the_next_sync(results: Path) -> None:
    place = unwritable(results)
    records, table_file = file(results, "records.parquet"), file(results, "small.md")
    assert tracked(results, table(), {"a_cam": [records], "table": [table_file]}, artifacts=place).problems
    (results / "no_folder").unlink()
    log(results, table(), a_cam=[records], table=[table_file])
    found = runs(results)
    assert artifacts(results, found["a/cam"]).keys() == {"conditions.yaml", "config.yaml"}
    assert artifacts(results, found[PARENT]).keys() == {"small.md", "records/a-cam/records.parquet"}


def test_without_artifacts_no_file_is_stored(results: Path) -> None:
    done = tracked(results, table(), {"a_cam": [file(results, "records.parquet")]}, artifacts=False)
    assert done.problems == ()
    child = runs(results)["a/cam"]
    assert (child.data.metrics["loc_top1"], artifacts(results, child)) == (0.56, {})


def test_a_file_that_is_not_there_is_named_and_costs_no_number(results: Path) -> None:
    (problem,) = tracked(results, table(), {"a_cam": [results / "records.parquet"]}).problems
    assert "the files of 1 of 2 runs are not" in problem
    assert "records.parquet" in problem
    assert runs(results)["a/cam"].data.metrics["loc_top1"] == 0.56


def test_an_experiment_that_was_deleted_is_told_with_how_to_restore_it(results: Path) -> None:
    log(results, table())
    made = client(results)
    number = made.get_experiment_by_name("small").experiment_id
    made.delete_experiment(number)
    message = refused(MlflowTracker(None, str(results)))
    remedy = f"mlflow experiments restore --experiment-id {number}, or name another with tracking.experiment="
    assert remedy in message


def test_an_experiment_that_cannot_be_made_is_told_with_the_remedy(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = (results / "mlflow.db").rename(results.parent / "read_only.db")
    message = refused(MlflowTracker(f"sqlite:///file:{kept}?mode=ro&uri=true", str(results)))
    assert "there is no experiment small there, and it cannot be made: " in message
    assert "readonly database" in message
    assert "name another with tracking.experiment=NAME" in message
    assert "Traceback" not in capsys.readouterr().err


class _Forbidding(BaseHTTPRequestHandler):
    """A server that lets nobody in."""

    def do_GET(self) -> None:
        self.send_error(403)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_server_that_lets_nobody_in_is_told_with_how_to_log_in_even_from_a_read_only_folder(
    results: Path,
) -> None:
    nowhere = file(results, "no_folder") / "results"
    with ThreadingHTTPServer(("127.0.0.1", 0), _Forbidding) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        message = refused(MlflowTracker(f"http://127.0.0.1:{server.server_port}", str(nowhere)))
        server.shutdown()
    assert "403" in message
    assert "log in with MLFLOW_TRACKING_USERNAME and _PASSWORD, or _TOKEN" in message


def test_a_server_that_never_answers_is_told(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        message = refused(MlflowTracker(f"http://127.0.0.1:{silent.getsockname()[1]}", str(results)))
    assert "the results are safe on disk" in message


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


def test_a_database_of_ones_own_keeps_its_artifacts_out_of_the_working_folder(results: Path) -> None:
    uri = sqlite_uri((results / "mlflow.db").rename(results / "own.db"))
    look = MlflowTracker(uri, str(results), experiment="mine").log(table(), {}).look
    assert look == f"mlflow ui --backend-store-uri '{uri}'"
    assert list((results / "mlartifacts").rglob("config.yaml"))
    assert list(Path.cwd().iterdir()) == []


def test_no_tracker_logs_nothing(tmp_path: Path) -> None:
    assert NoTracker().log(table(), {None: [tmp_path / "nowhere"]}) == Tracked()


def test_importing_the_module_does_not_import_mlflow() -> None:
    code = "import sys, benchmark.reporting.tracking.mlflow; sys.exit('mlflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


@pytest.mark.parametrize("name", ["mlflow", "none"])
def test_every_configured_tracker_names_a_class_of_this_module_and_its_options(name: str) -> None:
    options = yaml.safe_load((ROOT / "conf" / "tracking" / f"{name}.yaml").read_text(encoding="utf-8"))
    module, _, target = options.pop("_target_").rpartition(".")
    assert module.startswith("benchmark.reporting.tracking.")
    known = {kind.__name__: [field.name for field in fields(kind)] for kind in (MlflowTracker, NoTracker)}
    assert set(options) == set(known[target])


@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's of MLflow, in this test's own look into the store
def test_mlflows_page_shows_the_table_its_cells_and_their_few_params(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("XDG_CACHE_HOME", str(fresh / "cache"))
    second = result("b/cam", fingerprint="0b" * 32)
    with mlflow_server(fresh) as uri, chromium(fresh) as browser:
        assert MlflowTracker(uri, str(fresh)).log(table(result(), second), {}).problems == ()
        made: Any = MlflowClient(tracking_uri=uri)
        number = made.get_experiment_by_name("small").experiment_id
        found = {run.info.run_name: run.info.run_id for run in made.search_runs([number])}
        cells = json.dumps([found["a/cam"], found["b/cam"]])
        for place, texts in {
            f"experiments/{number}/runs": [PARENT, "some_images (abababababab)"],
            f"experiments/{number}/runs/{found[PARENT]}": [
                "A small table",
                "54.0",
                "some_images (abababababab)",
            ],
            f'compare-runs?runs={cells}&experiments=["{number}"]': [
                "threshold",
                "gradcam_15 v1",
                "loc_top1_low",
            ],
        }.items():
            browser.get("about:blank")
            browser.get(f"{uri}/#/{place}")
            shown = shown_by(browser, texts)
            assert [text for text in texts if text not in shown] == [], shown
            assert "localizer.threshold" not in shown


def shown_by(browser: Any, texts: list[str]) -> str:
    """What a page shows once it shows some texts, or after a minute."""
    for _ in range(120):
        shown: str = browser.execute_script("return document.body ? document.body.innerText : ''")
        if all(text in shown for text in texts):
            break
        time.sleep(0.5)
    return shown
