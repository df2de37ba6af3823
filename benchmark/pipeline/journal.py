"""Note beside each shard who made it, on which device and when.

It is no part of the shard: the same numbers are the same bytes, whoever made them. Below the folder of the
shards, for the shard ``records-00007.parquet``::

    _journal/records-00007.json
"""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmark.core.files import write_atomically


@dataclass(frozen=True)
class Made:
    """When, where and by which software a shard was made.

    Attributes:
        by: Commit, device, batch size and package versions.
        seconds: Time that it took.
    """

    by: Mapping[str, Any]
    seconds: float


def write_note(path: Path, made: Made) -> None:
    """Note who makes a shard, before it is written."""
    note = {
        "by": dict(made.by),
        "seconds": round(made.seconds, 3),
        "host": platform.node(),
        "pid": os.getpid(),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_atomically(_note(path), json.dumps(note, indent=1) + "\n")


def made_of(path: Path) -> Made:
    """Read who made a shard; of one without a note nothing is known."""
    try:
        note = json.loads(_note(path).read_text(encoding="utf-8"))
        return Made(note["by"], note["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return Made({"device": "not recorded"}, 0.0)


def _note(path: Path) -> Path:
    return path.parent / "_journal" / f"{path.stem}.json"
