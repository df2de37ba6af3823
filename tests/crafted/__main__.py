"""Read crafted files for a while with every reader, and print what was found.

``PYTHONPATH=tests python -m crafted SECONDS [READER…]``: SECONDS for each reader, each in a process of its
own, so that a crash is told as well. The exit code is 1 if anything but the project's own error was met.
"""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from benchmark.core.errors import UserError
from crafted.mutations import mutated, random_bytes
from crafted.readers import readers

_FORK = multiprocessing.get_context("fork")
_MEMORY = 3 << 30  # bytes that a reader may ask for, the package itself included


def _one(name: str, seconds: float, told: Connection) -> None:
    """Read crafted files, and tell how many were tried, refused, and what else was met."""
    seed = int(os.environ.get("SEED", "0"))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    warnings.simplefilter("error", RuntimeWarning, append=True)
    with tempfile.TemporaryDirectory(prefix="crafted-") as scratch:
        reader = readers(Path(scratch))[name]
        place = Path(scratch, "crafted", reader.name)
        place.parent.mkdir(exist_ok=True)
        for content in reader.whole:  # what is whole is read: else nothing would be tried
            place.write_bytes(content)
            reader.read(place)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        counts: Counter[str] = Counter()
        met: dict[str, str] = {}
        slowest, end = 0.0, time.monotonic() + seconds
        while (begun := time.monotonic()) < end:
            dice = Random(f"{seed} {name} {counts['tried']}")
            make = random_bytes if dice.random() < 0.05 else mutated
            place.write_bytes(make(dice, reader.whole))
            counts["tried"] += 1
            try:
                reader.read(place)
            except UserError as error:
                counts["refused"] += 1
                text = str(error)
                if not text.isprintable() or len(text) > 2000:
                    met.setdefault("a message that is no line", f"{counts['tried'] - 1}: {text!r}"[:300])
            except Exception as error:
                frames = traceback.extract_tb(error.__traceback__)
                where, own = frames[-1], [one for one in frames if "/benchmark/" in one.filename][-1:]
                key = f"{type(error).__name__} in {own[0].name if own else '?'} ({where.name})"
                met.setdefault(key, f"{counts['tried'] - 1}: {error!s:.150}")
            slowest = max(slowest, time.monotonic() - begun)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        told.send({**counts, "met": met, "slowest": slowest, "grown": grown})


def main() -> int:
    seconds, *chosen = sys.argv[1:] or ["2"]
    with tempfile.TemporaryDirectory(prefix="crafted-") as scratch:
        names = list(readers(Path(scratch)))
    print(
        f"{'reader':<40}{'examples':>10}{'refused':>10}{'other errors':>14}{'slowest s':>11}{'memory MB':>11}"
    )
    bad = 0
    for name in [each for each in names if not chosen or any(word in each for word in chosen)]:
        mine, theirs = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=_one, args=(name, float(seconds), theirs))
        process.start()
        theirs.close()
        try:
            told = mine.recv()
        except EOFError:
            process.join()
            bad += 1
            print(f"{name:<40}  ended with {process.exitcode}", flush=True)
            continue
        bad += len(told["met"])
        cells = f"{told.get('tried', 0):>10,}{told.get('refused', 0):>10,}{len(told['met']):>14}"
        print(f"{name:<40}{cells}{told['slowest']:>11.2f}{told['grown']:>11.0f}", flush=True)
        for kind, text in told["met"].items():
            print(f"    {kind}: {text}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
