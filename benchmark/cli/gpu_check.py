"""``./scripts/gpu-check``: other commands one after the other, for the first minutes on a new device."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from omegaconf import DictConfig

from benchmark.core.exit_codes import ExitCode, worst
from benchmark.core.files import refuse_unwritable, write_atomically
from benchmark.core.options import Positive, check


@dataclass(frozen=True)
class EndedStep:
    """A command that has ended.

    Attributes:
        command: Its words.
        status: Its exit code; :attr:`ExitCode.UNFINISHED` if there was no time for it.
        seconds: Time that it took.
        output: Lines that it printed, those for people on stderr among them.
    """

    command: str
    status: int
    seconds: float
    output: list[str]


def main(cfg: DictConfig) -> int:
    """Run each step, and write what it printed as soon as it has ended."""
    check("minutes", cfg.minutes, Positive)
    folder = Path(cfg.output).expanduser()
    refuse_unwritable(folder)
    steps: dict[str, EndedStep] = {}
    end = perf_counter() + 60 * cfg.minutes
    for name, command in cfg.steps.items():
        print(f"\n# {name}: {command}", flush=True)
        steps[name] = _run(command, end - perf_counter())
        print(*steps[name].output, sep="\n", flush=True)
        _write(steps, folder)
    print("", *_table(steps), f"\nwritten: {folder / 'gpu-check.json'}, {folder / 'gpu-check.md'}", sep="\n")
    return worst(step.status for step in steps.values())


def _run(command: str, seconds: float) -> EndedStep:
    began = perf_counter()
    words = [sys.executable, "-m", "benchmark.cli", *shlex.split(command)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            output, _ = process.communicate(timeout=max(seconds, 0))
            status = process.returncode
        except subprocess.TimeoutExpired:
            process.terminate()  # what it has printed is kept
            output, status = process.communicate()[0], ExitCode.UNFINISHED
    known = status if status in set(ExitCode) else ExitCode.DEFECT
    return EndedStep(command, known, round(perf_counter() - began, 1), output.splitlines())


def _table(steps: Mapping[str, EndedStep]) -> Iterator[str]:
    yield "| step | ended | seconds |\n|---|---|---|"
    for name, step in steps.items():
        yield f"| {name} | {ExitCode(step.status).name.lower().replace('_', ' ')} | {step.seconds:.1f} |"


def _write(steps: Mapping[str, EndedStep], folder: Path) -> None:
    outputs = [
        f"## {name}\n\n    {step.command}\n\n```\n" + "\n".join(step.output) + "\n```"
        for name, step in steps.items()
    ]
    found = {name: asdict(step) for name, step in steps.items()}
    write_atomically(folder / "gpu-check.json", json.dumps(found, indent=2) + "\n")
    write_atomically(folder / "gpu-check.md", "\n\n".join(["\n".join(_table(steps)), *outputs]) + "\n")
