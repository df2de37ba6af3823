"""Every command prints in any locale, and reads and writes files as UTF-8."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.handmade import table

from benchmark.cli.__main__ import COMMANDS
from benchmark.reporting.archive import Archived, write_table

PLAIN_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LOCALES = {
    "C": PLAIN_C,
    "ASCII stream": {"PYTHONIOENCODING": "ascii"},
    "C, Latin-1 stream": {**PLAIN_C, "PYTHONIOENCODING": "latin-1"},
}


def ended(locale: dict[str, str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in a process of its own."""
    line = [sys.executable, "-m", "benchmark.cli", *words]
    done = subprocess.run(line, env=os.environ | locale, capture_output=True, check=False, timeout=120)
    encoding = locale.get("PYTHONIOENCODING", "ascii")
    return done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_printed_in_the_plainest_locale(command: str) -> None:
    status, printed, complaint = ended(PLAIN_C, command, "--help")
    assert (status, complaint) == (0, "")
    assert "Usage: ./scripts/" in printed


@pytest.mark.parametrize("locale", LOCALES.values(), ids=LOCALES)
def test_a_table_is_printed_in_plain_characters_and_its_files_stay_utf_8(
    locale: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "Bücher"
    path = write_table(folder, Archived(table(), "table1", {}))
    assert ended({"PYTHONIOENCODING": "utf-8"}, "table", f"results='{path}'", "notes=true")[0] == 0
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert any("–" in content.decode() or "…" in content.decode() for content in before.values())
    status, printed, complaint = ended(locale, "table", f"results='{path}'", "notes=true")
    assert (status, complaint) == (0, "")
    assert r"\u2026" not in printed
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_what_is_typed_in_another_locale_is_shown_and_found(tmp_path: Path) -> None:
    status, _, complaint = ended(PLAIN_C, "score", f"predictions='{tmp_path}/größe.txt'")
    assert status == 2
    assert r"gr\xf6\xdfe.txt: there is no such file" in complaint
