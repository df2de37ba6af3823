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


@dataclass(frozen=True)
class Made:
    """When, where and by which software a shard was made.

    Attributes:
        by: Commit, device, batch size and package versions.
        seconds: Time that it took.
    """

    by: Mapping[str, Any]
    seconds: float

    def note(self) -> str:
        """Return the content of the note, which is written before the shard."""
        note = {
            "by": dict(self.by),
            "seconds": round(self.seconds, 3),
            "host": platform.node(),
            "pid": os.getpid(),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return json.dumps(note, indent=1) + "\n"


def made_of(path: Path) -> Made:
    """Read who made a shard; of one without a note nothing is known."""
    try:
        note = json.loads(note_file(path).read_text(encoding="utf-8"))
        return Made(dict(note["by"]), float(note["seconds"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Made({"device": "not recorded"}, 0.0)


def pace(path: Path) -> tuple[datetime, float] | None:
    """Read when a shard was finished and how many seconds it took, if that is known."""
    try:
        note = json.loads(note_file(path).read_text(encoding="utf-8"))
        return datetime.fromisoformat(note["ended"]), float(note["seconds"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def note_file(path: Path) -> Path:
    """Return where the note of a shard lies."""
    return path.parent / "_journal" / f"{path.stem}.json"
