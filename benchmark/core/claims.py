"""Claim a piece of work among processes, perhaps on several hosts that share a file system.

A claim is a file that names its process. It is kept fresh while the process lives; that of a process which is
dead, or has not been heard of for ten minutes, is void and is taken over. Claims save work and are no locks:
where two processes make the same piece all the same, both write the same file, each whole.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.locks import alive

EXPIRY = 600.0
"""Seconds after which a claim is void that nobody has refreshed."""
_REFRESH = 30.0
_NOT_YET = {"host": "another process", "pid": 0}  # which has made its claim's file, and is about to write it


@dataclass
class Claims:
    """The claims of this process: a context manager that keeps them fresh, and gives them up at its end."""

    _held: set[Path] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _end: Event = field(default_factory=Event)

    def __enter__(self) -> Claims:
        """Begin to refresh what is claimed."""
        self._end.clear()
        Thread(target=self._refresh, daemon=True, name="claims").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up what is still claimed."""
        self._end.set()
        for path in list(self._held):
            self.give_up(path)

    def take(self, path: Path) -> bool:
        """Claim a piece of work by a file; return whether it is this process's now.

        Raises:
            UserError: If the folder cannot be written.
        """
        claim = json.dumps({"host": platform.node(), "pid": os.getpid()})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(claim)
        except FileExistsError:
            if holder(path) is not None:
                return False
            write_atomically(path, claim)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(
                f"{path}: cannot be written ({reason}); name another folder or make room"
            ) from error
        with self._lock:
            self._held.add(path)
        return True

    def give_up(self, path: Path) -> None:
        """Let others take a piece of work, which is done or is left."""
        with self._lock:
            self._held.discard(path)
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def _refresh(self) -> None:
        while not self._end.wait(_REFRESH):
            with self._lock:
                held = list(self._held)
            for path in held:
                with suppress(OSError):
                    os.utime(path)  # to the time of the file system, where clocks of hosts may differ


def claim_file(folder: Path, store: str, number: int) -> Path:
    """Return the file that claims a shard; a tool that reads the folder's data ignores names with ``_``."""
    return folder / "_claims" / f"{store}-{number:05d}.json"


def holder(path: Path) -> str | None:
    """Return who works on what a file claims, as ``host:pid``; ``None`` where nobody does.

    Ages are told by the file system's own clock, since those of hosts may differ.
    """
    try:
        text, touched = path.read_text(encoding="utf-8"), path.stat().st_mtime
        claim: Mapping[str, Any] = json.loads(text) if text else _NOT_YET
        host, pid = str(claim["host"]), int(claim["pid"])
        # This process's own number was that of an earlier one, such as the first of a container.
        if host == platform.node() and (pid == os.getpid() or not alive(pid)):
            return None
    except (OSError, ValueError, TypeError, LookupError):
        return None
    fresh = abs(_now(path) - touched) <= EXPIRY  # a time in the future is of a clock that was set back
    return (f"{host}:{pid}" if text else host) if fresh else None


def _now(path: Path) -> float:
    """Return the time of the file system on which a file lies, this host's where nothing can be written."""
    probe = path.with_name(f".{platform.node()}-{os.getpid()}.now")
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
