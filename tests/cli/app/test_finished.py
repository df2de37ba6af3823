"""A finished run is known again as long as nothing that it was made of has changed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.commands import Command

from benchmark.cli import run
from benchmark.core.errors import UserError

WORDS = ("model=googlenet_compact", "method=cam", "dataset.limit=3", "pictures=0", "run.device=cpu")
Known = tuple[Command, list[str], Path]


@pytest.fixture
def known(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Known:
    """A finished run: its words, and what it has left; one that measures again is refused."""
    words = [*WORDS, f"results_dir={tmp_path}/results", "tracking=none"]
    status, _, complaint = command("run", *words)
    assert status == 0, complaint

    def measured(*_: object) -> int:
        raise UserError("measured again")

    monkeypatch.setattr(run, "_measure", measured)
    (memo,) = (tmp_path / "results" / "runs" / "finished").glob("*.json")
    return command, words, memo


def test_the_same_words_show_the_same_table_and_measure_nothing(known: Known) -> None:
    command, words, _ = known
    status, printed, _ = command("run", *words)
    assert status == 0
    assert "googlenet_compact/cam" in printed
    assert "written, with all notes:" in printed
    assert command("run", *words, "notes=true")[0] == 0


def test_a_report_of_a_run_finds_the_runs_images(known: Known) -> None:
    command, words, _ = known
    status, printed, complaint = command("report", words[len(WORDS)])
    assert (status, complaint) == (0, "")
    (page,) = Path(words[len(WORDS)].partition("=")[2]).glob("*/*.html")
    assert str(page) in printed
    assert page.read_text(encoding="utf-8").count("data:image/jpeg") == 3


@pytest.mark.parametrize("word", ["localizer.threshold=0.3", "dataset.limit=4", "metric.gt_known.iou=0.7"])
def test_other_words_are_another_run(known: Known, word: str) -> None:
    command, words, _ = known
    assert (
        "measured again"
        in command("run", *(w for w in words if w.partition("=")[0] != word.partition("=")[0]), word)[2]
    )


def test_a_run_is_not_known_again_once_a_file_that_it_was_made_of_differs(known: Known) -> None:
    command, words, memo = known
    content = json.loads(memo.read_text())
    made_of = content["made_of"]
    for part in ("attribution/cam.py", "conf/method/cam.yaml", "googlenet_compact.safetensors"):
        (path,) = (path for path in made_of if path.endswith(part))
        memo.write_text(json.dumps({**content, "made_of": {**made_of, path: [made_of[path][0], 1]}}))
        assert "measured again" in command("run", *words)[2]
    assert not any("/torch/" in path for path in made_of), "of installed packages the version counts"


@pytest.mark.parametrize("lost", ["archive", "written", "records"])
def test_a_run_is_not_known_again_without_its_files(known: Known, lost: str) -> None:
    command, words, memo = known
    files = json.loads(memo.read_text())["run"][lost]
    Path(files if isinstance(files, str) else files[-1]).unlink()
    assert "measured again" in command("run", *words)[2]


def test_a_run_whose_table_is_damaged_is_made_again(known: Known) -> None:
    command, words, memo = known
    Path(json.loads(memo.read_text())["run"]["archive"]).write_text("<!doctype html>")
    assert "measured again" in command("run", *words)[2]


def test_a_damaged_note_is_no_note(known: Known) -> None:
    command, words, memo = known
    memo.write_text("{")
    assert "measured again" in command("run", *words)[2]


def test_a_finished_run_imports_no_torch(known: Known) -> None:
    _, words, _ = known
    code = f"""\
import sys
from benchmark.cli.app.entry_point import start

sys.argv = ["run", *{words!r}]
try:
    start("run")
except SystemExit as end:
    assert not end.code, end.code
print([name for name in ("torch", "torchvision", "mlflow", "matplotlib", "pandas") if name in sys.modules])
"""
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "[]"
