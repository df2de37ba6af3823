"""Claim a piece of work among processes, perhaps on several hosts that share a file system.

A claim is a file that names its process and is touched while the process lives. It is void at once where its
process is a dead one of this host; that of another host, when nobody touches it while this process watches it
for three minutes. So no two clocks need to agree, of hosts or of the file system. Claims save work and are no
locks: where two processes make the same piece all the same, both write the same file, each whole.
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
from uuid import uuid4

from benchmark.core.files import sweep, unwritable
from benchmark.core.locks import alive
from benchmark.core.reading import read_whole

SILENCE = 180.0
"""Seconds without a sign of life after which the process of a claim, on another host, is taken for dead."""
_REFRESH = 30.0
_LONG_AGO = 7200.0
"""Seconds by which no two clocks differ: an older claim is void at first sight."""
_NOT_YET = {"host": "another process", "pid": 0}  # which has made its claim's file, and is about to write it


@dataclass
class Claims:
    """The claims of this process: a context manager that keeps them fresh, and gives them up at its end."""

    _held: set[Path] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _end: Event = field(default_factory=Event)
    _watched: dict[Path, tuple[object, float]] = field(default_factory=dict)

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
        # First under another name, since a kill before it is written would leave a claim that names nobody.
        temporary = path.with_name(f".{uuid4().hex}.{platform.node()}-{os.getpid()}.tmp")
        with self._lock:  # before it is made, so that an interruption at any moment leaves no claim behind
            self._held.add(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(_own(), encoding="utf-8")
            if not _linked(temporary, path):
                if self.holder(path) is not None:
                    self._forget(path)
                    return False
                temporary.replace(path)
        except OSError as error:
            raise unwritable(path, error) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return True

    def give_up(self, path: Path) -> None:
        """Let others take a piece of work, which is done or is left."""
        with suppress(OSError):
            if read_whole(path).decode() == _own():  # and not of one that took this process for dead
                path.unlink()
        self._forget(path)

    def _forget(self, path: Path) -> None:
        with self._lock:
            self._held.discard(path)

    def holder(self, path: Path) -> str | None:
        """Return who works on what a file claims, as far as this process has watched it; else ``None``."""
        maker, sign = holder(path), _sign(path)
        before, since = self._watched.get(path, (None, 0.0))
        if sign != before:
            self._watched[path] = sign, time.monotonic()
        elif time.monotonic() - since > SILENCE:
            return None
        return maker

    def _refresh(self) -> None:
        while not self._end.wait(_REFRESH):
            with self._lock:
                held = list(self._held)
            for path in held:
                with suppress(OSError):
                    os.utime(path)


def sweep_claims(folder: Path) -> None:
    """Remove the claims in a folder of shards that nobody holds any more, and what was half written there."""
    for path in (folder / "_claims").glob("*.json"):
        if holder(path) is None:
            path.unlink(missing_ok=True)
    sweep(folder / "_claims")


def claim_file(folder: Path, store: str, number: int) -> Path:
    """Return the file that claims a shard; a tool that reads the folder's data ignores names with ``_``."""
    return folder / "_claims" / f"{store}-{number:05d}.json"


def holder(path: Path) -> str | None:
    """Return who works on what a file claims, as ``host:pid``; ``None`` where nobody does.

    Whether a process of another host still lives, :meth:`Claims.holder` finds out.
    """
    try:
        text = read_whole(path).decode()
        claim: Mapping[str, Any] = json.loads(text) if text else _NOT_YET
        host, pid = str(claim["host"]), int(claim["pid"])
        # This process's own number was that of an earlier one, such as the first of a container.
        if host == platform.node() and (pid == os.getpid() or not alive(pid)):
            return None
        if abs(time.time() - path.stat().st_mtime) > _LONG_AGO:  # or as long in the future
            return None
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return f"{host}:{pid}" if text else host


def silent(path: Path) -> float:
    """Return the seconds since the last sign of life of a claim's process, if two hosts' clocks agree."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _linked(claim: Path, path: Path) -> bool:
    """Give a file a name that it alone can have; return whether it has it now."""
    try:
        os.link(claim, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(_own())
        except FileExistsError:
            return False
    return True


def _own() -> str:
    return json.dumps({"host": platform.node(), "pid": os.getpid()})


def _sign(path: Path) -> object:
    """Return what changes whenever the process of a claim gives a sign of life."""
    try:
        return read_whole(path), path.stat().st_mtime_ns
    except OSError:
        return None
