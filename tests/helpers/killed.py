"""Commands that SIGKILL ends at a chosen moment: at the n-th file that they open, rename or remove somewhere.

One process imports everything, and forks one for each command before any thread has begun. On stdin it is
given a json, a list of ``[words, where, number]``: ``where`` is part of a path (null: the command runs to its
end). It prints a json, the exit codes: -9 for one that was killed.
"""

import json
import os
import signal
import sys
import threading
from importlib import import_module
from typing import Any

_TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.utime", "sqlite3.connect")
_SECONDS = 0.15  # from touching a database to the end, since what is written there is seen by nobody
_MODULES = (
    "torch",
    "cv2",
    "matplotlib.pyplot",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "scipy.stats",
)


def _killer(where: str, number: int) -> Any:
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event in _TOUCHES and arguments and where in str(arguments[0]):
            count += 1
            if count == number and event == "sqlite3.connect":
                threading.Timer(_SECONDS, _die).start()
            elif count == number:
                _die()

    return hook


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _ended(words: list[str], where: str | None, number: int) -> int:
    """Exit code of a command in a process of its own."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if where:
            sys.addaudithook(_killer(where, number))
        sys.argv = ["gradcam-benchmark", *words]
        import_module("benchmark.cli.__main__").main()
        code = 0
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    finally:
        os._exit(code)


def _prepare() -> None:
    """Import everything, keep what all commands ask anew, and make shards of two images."""
    for module in _MODULES:
        import_module(module)
    from benchmark.attribution.cam import CAM
    from benchmark.core.code_hash import code_fingerprint
    from benchmark.core.provenance import commit
    from benchmark.localizers.max_box import MaxBox
    from benchmark.pipeline import scene
    from benchmark.pipeline.batches import read_batches
    from benchmark.pipeline.explain import explain
    from benchmark.tasks.boxes.locate import locate

    scene.LEAST = 2
    commit()
    code_fingerprint([read_batches, explain, locate, CAM, MaxBox])


if __name__ == "__main__":
    _prepare()
    print(json.dumps([_ended(*task) for task in json.load(sys.stdin)]))
