"""What is mistyped is answered in one line that names it and the remedy, by every command alike."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.commands import Command
from helpers.handmade import table

from benchmark.reporting.archive import Archived, write_table


@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [
        ("run", "datset.root=x", "did you mean dataset.root?"),
        ("run", "modell=vgg16", "did you mean model?"),
        ("run", "threshold=0.2", "did you mean localizer.threshold?"),
        ("run", "localizer=grabcut localizer.threshold=0.2", "localizer has name, version, foreground"),
        ("run", "zzz=1", "see --help"),
        ("run", "experiment=googlenet table.nme=x", "did you mean table.name?"),
        ("run", "experiment=tabel1", "choose one of counterfactual, embedded, googlenet"),
        ("run", "metric=[classification,loc]", "metric=loc: there is no such metric; choose one of"),
        ("run", "model=", "model=: there is no such model; choose one of alexnet"),
        ("run", "-m method=grad_cam,cam dataset.rot=x", "did you mean dataset.root?"),
        (
            "run",
            "-m experiment=table1 --cfg job",
            "--cfg/-c: not allowed with argument --multirun/-m",
        ),
        ("run", "experiment=table1 --cfg jobs", "argument --cfg/-c: invalid choice: 'jobs'"),
        ("run", "dataset.root=/x", "dataset.root=/x: the embedded dataset makes its own images"),
        (
            "run",
            "row=vgg16/cam",
            "row=vgg16/cam: there is no table here; name one, such as experiment=table1",
        ),
        (
            "run",
            "experiment=table1 row=vgg16/kam",
            "row=vgg16/kam: there is no such row; choose row=vgg16/ba",
        ),
        (
            "run",
            "experiment=table1 row=vgg16/backprop localizer.threshold=0.2",
            "localizer has name, version",
        ),
        ("run", "experiment=null", "experiment=null: to choose none of a group, type ~experiment"),
        ("run", "--foo", "--foo: not understood; options are KEY=VALUE"),
        ("run", "foo", "foo: must be KEY=VALUE"),
        ("run", "dataset.root=/a=b", "dataset.root=/a=b: must be KEY=VALUE"),
        ("run", "dataset.root=/a,b", "dataset.root=/a,b"),
        ("run", "tracking.uri=mlruns", "tracking.uri=mlruns"),
        ("run", "experiment=occlusion bootstrap=1000", "bootstrap=1000: a group of options belongs there"),
        (
            "doctor",
            "dataset.rot=x",
            "choose a dataset first, dataset=NAME, one of coco2014, embedded, embedded_train, ilsvrc_train",
        ),
        ("doctor", "dataset=ilsvrc_val dataset.rot=x", "did you mean dataset.root?"),
        ("doctor", "model=vgg16 model.wieghts=x", "did you mean model.weights?"),
        ("score", "predictons=x", "did you mean predictions?"),
        ("score", "predictions=x metric.localisation.iou=0.7", "did you mean metric.localization.iou?"),
        ("score", "", "predictions: this option has no value; set it"),
        ("export", "result=x", "did you mean results?"),
        ("table", "results=/nowhere/x.json", "/nowhere/x.json: there is no such table"),
        ("sync", "results=x tracking.url=x", "did you mean tracking.uri?"),
        ("sync", "results=x tracking=mlfow", "choose one of mlflow, none"),
    ],
)
def test_a_mistyped_command_is_answered_in_one_line(
    name: str, typed: str, says: str, monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCHMARK_RESULTS", str(tmp_path))
    status, printed, told = command(name, *typed.split())
    assert (status, printed) == (2, "")
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert says in told


@pytest.mark.parametrize("quoted", ["dataset.root='/a=b, c+d'", 'dataset.root="/a=b, c+d"'])
def test_a_path_of_any_characters_can_be_given_in_quotes(
    quoted: str, command: Command, tmp_path: Path
) -> None:
    options = ("dataset=ilsvrc_val", "tracking=none", f"results_dir={tmp_path}")
    assert "dataset.root=/a=b, c+d: there is nothing at that path" in command("run", quoted, *options)[2]


def test_records_that_lie_elsewhere_are_no_damaged_records(command: Command, tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "data", Archived(table(published=None), None, {"a/cam": "runs/x/cell.records.parquet"})
    )
    _, _, complaint = command("export", f"results={path}")
    assert "the row's records are not there" in complaint
    assert str(tmp_path / "runs/x/cell.records.parquet") in complaint


def test_ctrl_c_before_pytorch_is_imported_shows_no_traceback() -> None:
    code = "import benchmark.cli, os, signal; os.kill(os.getpid(), signal.SIGINT)"
    stopped = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {code}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert stopped.returncode != 0
    assert stopped.stderr == "error: interrupted\n"


def test_a_command_started_as_a_module_is_refused_with_the_way_it_is_started() -> None:
    line = [sys.executable, "-m", "benchmark.cli.explain_gap", "row=vgg16/cam"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert "type python -m benchmark.cli explain-gap" in done.stderr


def test_a_reader_that_has_gone_is_no_mistake() -> None:
    line = f"{sys.executable} -m benchmark --help | head -n 1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Table 1" in done.stdout
