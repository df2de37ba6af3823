"""Commands: the only part of the package that imports Hydra."""

import sys
from types import TracebackType


def _complain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End without a traceback on Ctrl-C while PyTorch is still being imported."""
    if issubclass(kind, KeyboardInterrupt):
        print("error: interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _complain
