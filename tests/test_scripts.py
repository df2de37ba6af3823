"""``scripts/_python``: one installation, whatever the file system's locks are."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = """#!/usr/bin/env bash
# A Python whose virtual environments and installations are notes in a log.
case "$*" in
    *"-m venv "*) mkdir -p "${@: -1}/bin"; cp "$0" "${@: -1}/bin/python"; cp "$0" "${@: -1}/bin/pip" ;;
    *"pip install"*) echo begins >>"$LOG"; sleep 1; echo ends >>"$LOG" ;;
    *-c*) ;;
    *) echo "runs $*" >>"$LOG" ;;
esac
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "scripts" / "_python", tmp_path / "scripts" / "_python")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    program(tmp_path / "bin" / "python3", PYTHON)
    return tmp_path


def program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def start(root: Path, word: str) -> subprocess.Popen[str]:
    own = {
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "LOG": str(root / "log"),
        "PYTHON": "python3",
    }
    return subprocess.Popen(
        [str(root / "scripts" / "_python"), word],
        env=os.environ | own,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("flock", ["the system's", "refused"])
def test_several_that_start_at_once_install_once_and_all_run(root: Path, flock: str) -> None:
    if flock == "refused":
        program(root / "bin" / "flock", "#!/bin/sh\necho 'flock: 9: No locks available' >&2\nexit 65\n")
    several = [start(root, f"task{number}") for number in range(3)]
    told = [one.communicate(timeout=60) for one in several]
    assert [one.returncode for one in several] == [0, 0, 0], told
    log = (root / "log").read_text(encoding="utf-8").splitlines()
    assert log[:2] == ["begins", "ends"]
    assert sorted(log[2:]) == ["runs task0", "runs task1", "runs task2"]
    assert not list(root.glob(".venv.lock.held*"))
    assert "flock" not in "".join(error for _, error in told)


def test_a_lock_that_a_killed_installation_left_is_taken(root: Path) -> None:
    program(root / "bin" / "flock", "#!/bin/sh\nexit 65\n")
    dead = subprocess.Popen(["true"])
    dead.wait()
    (root / ".venv.lock.held").mkdir()
    (root / ".venv.lock.held" / "owner").write_text(f"{os.uname().nodename} {dead.pid} 3\n", encoding="utf-8")
    one = start(root, "task")
    one.communicate(timeout=60)
    assert one.returncode == 0
    assert not list(root.glob(".venv.lock.held*"))


def test_an_installation_that_fails_leaves_no_lock_and_says_how_to_go_on(root: Path) -> None:
    program(root / "bin" / "flock", "#!/bin/sh\nexit 65\n")
    program(root / "bin" / "python3", PYTHON.replace("sleep 1", "exit 7"))
    one = start(root, "task")
    error = one.communicate(timeout=60)[1]
    assert one.returncode == 2
    assert "run the same command again to retry" in error
    assert not list(root.glob(".venv.lock.held*"))
