"""Jobs of a sweep: each leaves a file in its folder, and the end of all is one table."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from shutil import which
from subprocess import run
from typing import Any, ClassVar, NoReturn

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from benchmark.cli.app.groups import config_name, typed
from benchmark.cli.app.mistakes import guarded, one_line
from benchmark.cli.app.rows import variation
from benchmark.cli.app.words import SHARED, Typed, key_of, parsed
from benchmark.core.exit_codes import ExitCode, worst
from benchmark.core.files import write_atomically
from benchmark.core.locks import alive

_FILE = "gradcam-job.json"  # a name of our own: an earlier one is deleted from the folder of the sweep
_BEGUN = "began and did not end: killed, out of memory or time, or still running"
_SHARED = (*SHARED, "experiment", "row")


def record(words: Sequence[str], status: int = ExitCode.DEFECT, message: str = _BEGUN) -> None:
    """Keep that the job that runs began, or how it ended, in its folder below the sweep's.

    Args:
        words: What it was composed from.
        status: Its exit status.
        message: What went wrong, in one line; empty if nothing did.
    """
    maker = {"host": platform.node(), "pid": os.getpid()}
    note = {"words": list(words), "status": status, "message": message, **maker}
    folder = Path(HydraConfig.get().runtime.output_dir)
    write_atomically(folder / _FILE, json.dumps(note, indent=1, ensure_ascii=False) + "\n")


class Sweep(Callback):
    """Hydra's callback around ``-m``; all of it happens in the process that was started.

    Attributes:
        one_table: Whether the jobs measure rows of one table, which is made at the end.
    """

    def __init__(self, one_table: bool = False) -> None:
        self.one_table = one_table

    begun: ClassVar[Sweep | None] = None
    """The sweep of this process, since Hydra tells a callback nothing of a launcher that fails."""
    _config: DictConfig

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Refuse what cannot be swept, and forget how an earlier sweep of the same words ended."""
        HydraConfig.instance().set_config(config)
        self._config, Sweep.begun = config, self
        for word in _unfit(typed()) if self.one_table else ():
            print(
                f"error: {word}: a sweep makes one table, whose rows share it; give one value, and start one "
                "command for each",
                file=sys.stderr,
            )
            sys.exit(ExitCode.MISTAKE)
        _look_at_launcher(config)
        for path in _notes(config):
            path.unlink()

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """End the sweep."""
        self.end()

    def end(self, launcher: str = "") -> NoReturn:
        """Say which jobs failed and why, and make the table of the others; the exit code is the gravest.

        Args:
            launcher: What went wrong with the launcher itself: jobs may be lost, or still run elsewhere.
        """
        Sweep.begun = None
        HydraConfig.instance().set_config(self._config)
        jobs = _ended(self._config)
        failed = [job for job in jobs if job["message"]]
        codes = [job["status"] for job in jobs]
        done = [job["words"] for job in jobs if not job["message"]]
        if self.one_table and done:
            typed_words = Typed({}, tuple(typed()))
            ended = guarded(
                lambda: int(import_module("benchmark.cli.app.sweep").tabulate(done)),
                lambda error: one_line(error, typed_words, config_name()),
            )
            codes.append(ended[0])
        for job in failed:
            print(f"error: {' '.join(job['words'])}: {job['message']}", file=sys.stderr)
        if failed:
            print(f"error: {len(failed)} of {len(jobs)} jobs failed", file=sys.stderr)
        if launcher:
            codes.append(ExitCode.DEFECT)
            print(f"error: {launcher}; the same command continues with what is stored", file=sys.stderr)
        # SystemExit passes through Hydra, where an exception would be reported in its words.
        sys.exit(worst(codes))


def _look_at_launcher(config: DictConfig) -> None:
    """Refuse a launcher that is not installed; say where Slurm's will not hear of a job that is killed."""
    target = str(config.hydra.launcher._target_)
    try:
        import_module(target.rpartition(".")[0])
    except ImportError as error:
        name = config.hydra.runtime.choices["hydra/launcher"]
        remedy = "for submitit's type .venv/bin/python -m pip install --editable '.[slurm]'"
        print(f"error: hydra/launcher={name}: not installed ({error}); {remedy}", file=sys.stderr)
        sys.exit(ExitCode.MISTAKE)
    if target.endswith("SlurmLauncher") and which("sacct"):
        ask = ["timeout", "10", "sacct", "--noheader", "--starttime=now"]
        asked = run(ask, capture_output=True, text=True, check=False)
        if asked.returncode:
            told = "this command will wait for ever for a job that is killed; see docs/cluster.md"
            print(f"sacct: {' '.join(asked.stderr.split())}: {told}", file=sys.stderr)


def _unfit(words: Sequence[str]) -> list[str]:
    """Return the swept options that all rows of a table share, or that change no row."""
    swept = [override for override in parsed(words) if override.is_sweep_override()]
    lines = {str(override.input_line): key_of(override) for override in swept}
    lines = {word: key for word, key in lines.items() if key != "run.worker"}
    return [word for word, key in lines.items() if key.startswith(_SHARED) or not variation([word])]


def _ended(config: DictConfig) -> list[dict[str, Any]]:
    """Read what the jobs of a sweep left, once those of this machine have ended.

    A launcher that loses one of them ends at once, and leaves the others at work.
    """
    while True:
        jobs = [json.loads(path.read_text(encoding="utf-8")) for path in _notes(config)]
        here = [job["pid"] for job in jobs if job["message"] == _BEGUN and job["host"] == platform.node()]
        if not any(pid != os.getpid() and alive(pid) for pid in here):
            return jobs
        time.sleep(1)


def _notes(config: DictConfig) -> list[Path]:
    """Find what the jobs of a sweep left, in the order of their numbers."""
    found = Path(config.hydra.sweep.dir).rglob(_FILE)
    return sorted(found, key=lambda path: (len(path.parent.name), str(path)))
