"""Commands as a person types them, inside the tests' own process."""

import sys
from collections.abc import Callable, Sequence

import pytest

from benchmark.cli.__main__ import main

Command = Callable[..., tuple[int, str, str]]
"""Words to exit status, stdout and stderr."""


def started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: Sequence[str]
) -> tuple[int, str, str]:
    """Run a command to its end."""
    monkeypatch.setattr(sys, "argv", ["gradcam-benchmark", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err
