"""Commands: the only part of the package that imports Hydra."""

import sys
from types import TracebackType

from benchmark.core.exit_codes import ExitCode


def _complain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End without a traceback on Ctrl-C while PyTorch is still being imported."""
    if issubclass(kind, KeyboardInterrupt):
        print("error: interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _complain

if sys.argv[:1] == ["-m"]:  # as it is while Python looks for the module that it was asked to run
    _module = sys.orig_argv[sys.orig_argv.index("-m") + 1]
    _, _, _command = _module.partition("benchmark.cli.")
    if _command and _command != "__main__":  # which defines a command, and would start nothing
        _words = f"python -m benchmark.cli {_command.replace('_', '-')}"
        print(f"error: python -m {_module}: this starts nothing; type {_words}", file=sys.stderr)
        sys.exit(ExitCode.MISTAKE)
