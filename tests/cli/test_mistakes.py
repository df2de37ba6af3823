"""What is mistyped is answered in one line that names it and the remedy, by every command alike."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.commands import Command
from helpers.handmade import table

from benchmark.cli.app.mistakes import guarded
from benchmark.reporting.archive import Archived, write_table


@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [
        ("run", "datset.root=x", "did you mean dataset.root?"),
        ("run", "modell=vgg16", "did you mean model?"),
        ("run", "threshold=0.2", "did you mean localizer.threshold?"),
        ("run", "localizer=grabcut localizer.threshold=0.2", "localizer has name, version, foreground"),
        ("run", "zzz=1", "see --help"),
        ("run", "model=vgg16 model.arguments.num_classes=20", "type +model.arguments.num_classes=VALUE"),
        ("run", "model=googlenet model.arguments.num_classes=20", "type +model.arguments.num_classes=VALUE"),
        ("run", "notes=maybe", "notes=maybe: must be true or false"),
        (
            "run",
            "hydra/launcher=slurm",
            "hydra/launcher=slurm: a launcher starts the jobs of a sweep; type -m",
        ),
        ("table", "results=/x notes=maybe", "notes=maybe: must be true or false"),
        (
            "run",
            "results_dir=${oc.env:NOWHERE_SET}/x",
            "results_dir=${oc.env:NOWHERE_SET}/x: the environment variable NOWHERE_SET is not set",
        ),
        ("run", "experiment=googlenet table.nme=x", "did you mean table.name?"),
        (
            "run",
            "experiment=table1 +table.compare=[[vgg16/cam,vgg16/kam]]",
            "is no pair of this table's rows",
        ),
        (
            "run",
            "experiment=sec features=googlenet_compact",
            "choose it by the whole name, model@features=googlenet_compact",
        ),
        (
            "run",
            "experiment=caption pair_metric=[in_out] pair_metric.pointing_game.leave_out=[1]",
            "no _target_; choose it as well, pair_metric=[…,pointing_game]",
        ),
        ("run", "experiment=adversarial reading=[adversarial]", "choose it as well, reading=[summary,…]"),
        ("run", "experiment=caption dataset.given=maybe", "dataset.given=maybe: must be true or false"),
        (
            "run",
            "experiment=sec dataset@val_set=embedded",
            "val_set.after: dataset@val_set=embedded has no such option; leave it out, ~val_set.after",
        ),
        ("run", "+localizer.x=1", "localizer.x: localizer=gradcam_15 has no such option; leave it out"),
        ("run", "experiment=sec +task.training.x=1", "task.training.x: benchmark.tasks.sec."),
        ("run", "experiment=sec dataset@val_set=voc2012", "val_set.root is not set; name the folder"),
        ("train", "experiment=vqa", "experiment=vqa: made for another command"),
        ("run", "experiment=bias_nets", "experiment=bias_nets: made for another command"),
        ("run", "experiment=embedded_texts", "experiment=embedded_texts: made for another command"),
        ("study", "", "error: choose analyse or simulate, such as ./scripts/study analyse answers.csv"),
        ("run", "experiment=tabel1", "choose one of adversarial, bias, "),
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
            "run",
            "experiment=[table1,googlenet]",
            "one is chosen there, not a list; start one command for each",
        ),
        ("run", "dataset=voc2007,embedded", "several values; start one command for each"),
        ("run", "localizer=null", "localizer=null: this command needs a choice there; choose one of cam_20"),
        (
            "run",
            "metric=null",
            "metric=null: this command needs a choice there; choose one of anatomy, classification",
        ),
        ("run", "localizer=1.5", "localizer=1.5: there is no such localizer; choose one of cam_20"),
        ("run", "~localizer", "~localizer: this command needs a localizer; leave this word out"),
        ("run", "results_dir=null", "results_dir=null: name a folder"),
        ("run", "table=3", "table: a table has a name, a title and rows"),
        ("run", "=3", "=3: must be KEY=VALUE"),
        ("run", "model.weights=${nowhere}", "Interpolation key 'nowhere' not found"),
        ("run", "model.name=", "model.name='': must be text of printable characters"),
        ("run", "dataset.root=/\udce9", "is not UTF-8; name the file by a link"),
        ("run", "--config-dir /nowhere", "/nowhere"),
        ("run", "--config-name nothing", "nothing"),
        ("run", "hydra/launcher=slrm", "there is no such hydra/launcher; choose one of basic, local, slurm"),
        (
            "doctor",
            "dataset.rot=x",
            "choose a dataset first, dataset=NAME, one of broden, coco2014, ",
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
    told = "".join(line for line in told.splitlines(keepends=True) if not line.startswith(TOLD))
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert says in told


TOLD = ("this is the", "making the embedded")
"""How lines begin that are no answer; the second where the images were not yet made."""

YAMLS = {
    "broken": ("a: [1\nb: }", "localizer/own.yaml, line 2: is not YAML (expected ',' or ']', but got ':')"),
    "with a tab": ("name: x\n\ta: 3\n", "localizer/own.yaml, line 2: is not YAML (found character '\\t'"),
    "with a key twice": ("a: 1\na: 2\n", "localizer/own.yaml, line 2: is not YAML (found duplicate key a)"),
    "not text": ("\udcff", "localizer/own.yaml: is not text in UTF-8"),
    "empty": ("", "localizer.name: the yaml that was chosen for localizer lacks this option"),
    "a list": ("- a\n", "localizer=own: its yaml is a list; it must be of lines KEY: VALUE"),
    "of another default": (
        "defaults: [nothing]",
        "localizer/own.yaml: localizer=nothing: there is no such localizer",
    ),
    "of a group that is not there": ("defaults: [/nowhere: a]", "nowhere=a: there is no such group"),
    "of no list of defaults": ("defaults: a", "defaults must be a list (got str)"),
    "of an option that is not there": ("name: ${no.where}", "Interpolation key 'no.where' not found"),
    "of an environment that is not there": (
        "name: ${oc.env:NO_SUCH}",
        "the environment variable NO_SUCH is not set",
    ),
    "of an unknown resolver": ("name: ${no:1}", "Unsupported interpolation type no"),
    "of an open brace": ("name: ${a", "no viable alternative at input '${a'"),
    "of a class that is not there": (
        "defaults: [gradcam_15, _self_]\n_target_: benchmark.nowhere.X",
        "_target_: benchmark.nowhere.X: Error locating target",
    ),
}


@pytest.mark.parametrize(("text", "says"), YAMLS.values(), ids=YAMLS)
def test_a_yaml_of_ones_own_that_is_wrong_is_named_in_one_line(
    text: str, says: str, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCHMARK_RESULTS", str(tmp_path))
    (tmp_path / "localizer").mkdir()
    (tmp_path / "localizer" / "own.yaml").write_bytes(text.encode(errors="surrogateescape"))
    options = ("dataset.count=24", "dataset.limit=1", "tracking=none", f"cache_dir={tmp_path}")
    status, printed, told = command("run", "--config-dir", str(tmp_path), "localizer=own", *options)
    assert (status, printed, "Traceback" in told) == (2, "", False), told
    assert told.splitlines()[-1].startswith("error: ")
    assert says in told.splitlines()[-1]


def test_a_choice_that_an_experiment_makes_is_told_with_the_experiment(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\ndefaults: [{override /model: nothing}]"
    (tmp_path / "experiment" / "own.yaml").write_text(text, encoding="utf-8")
    status, _, told = command("run", "--config-dir", str(tmp_path), "experiment=own")
    assert status == 2
    assert told.startswith("error: experiment=own: model=nothing: there is no such model; choose one of ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- model=vgg16\n", "experiment=own: its yaml is a list; it must be of lines KEY: VALUE"),
        ("# @package _global_\n- model=vgg16\n", "experiment=own: its yaml holds no options"),
        ("run: {top_k: 3}\n", "experiment=own: its yaml sets nothing; begin it with # @package _global_"),
    ],
)
def test_an_experiment_that_would_be_ignored_is_refused(
    text: str, says: str, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "own.yaml").write_text(text, encoding="utf-8")
    words = ("--config-dir", str(tmp_path), "experiment=own", f"results_dir={tmp_path}")
    status, printed, told = command("run", *words)
    assert (status, printed, told.count("\n")) == (2, "", 1)
    assert told.startswith(f"error: {says}")


def test_a_row_with_a_list_where_one_is_chosen_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\ntable: {name: own, title: own, rows: {a: ['localizer=[gradcam_15,cam_20]']}}"
    (tmp_path / "experiment" / "own.yaml").write_text(text, encoding="utf-8")
    words = ("--config-dir", str(tmp_path), "experiment=own", "dataset.count=24", f"cache_dir={tmp_path}")
    status, printed, told = command("run", *words, f"results_dir={tmp_path}", "tracking=none")
    assert (status, printed) == (2, "")
    assert "in row a; give each localizer a row" in told


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


@pytest.mark.parametrize(("words", "first"), [("--help", "Table 1"), ("--info defaults", "Defaults List")])
def test_a_reader_that_has_gone_is_no_mistake(words: str, first: str) -> None:
    line = f"{sys.executable} -m benchmark {words} | (head -n 3; sleep 0)"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert first in done.stdout


def test_an_interruption_says_what_becomes_of_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    def pressed() -> int:
        raise KeyboardInterrupt

    assert guarded(pressed, str)[0] == 130
    assert capsys.readouterr().err == (
        "error: interrupted; what was finished is kept, the same command continues\n"
    )
