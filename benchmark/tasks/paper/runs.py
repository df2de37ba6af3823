"""Run an experiment by its words, each in a process of its own; a finished one is recalled in seconds."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmark.core.exit_codes import ExitCode

_PACKAGE = Path(__file__).resolve().parents[3]
_WRITTEN = "written, with all notes:"


class Ran(NamedTuple):
    """The end of a run: the json of its table, or ``None`` and why there is none."""

    archive: Path | None
    reason: str = ""


def run(words: Sequence[str]) -> Ran:
    """Run ``./scripts/run`` with these words; what it says of its progress is passed on.

    Raises:
        KeyboardInterrupt: If it was interrupted.
    """
    command = [sys.executable, "-m", "benchmark.cli", "run", *words]
    path = os.pathsep.join(filter(None, (str(_PACKAGE), os.environ.get("PYTHONPATH"))))
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stderr is not None
        said = ""
        try:
            for line in process.stderr:
                print(f"  {line}", end="", file=sys.stderr, flush=True)
                said = line.strip() or said
            status = process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()  # of no effect on one that has ended
        output.seek(0)
        printed = output.read()
    if status in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        raise KeyboardInterrupt
    archive = next((Path(line.strip()) for line in _after(printed) if line.strip().endswith(".json")), None)
    return (
        Ran(archive) if archive else Ran(None, said.removeprefix("error: ") or f"ended with status {status}")
    )


def _after(printed: str) -> list[str]:
    """Return the lines of the files that were written: a table's json is the first."""
    return printed.partition(_WRITTEN)[2].splitlines()
