"""Files that are written whole or not at all."""

import hashlib
import os
import platform
import re
import time
from contextlib import suppress
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.core.locks import alive
from benchmark.core.reading import read_whole

_PARQUET = b"PAR1"
_LONG_AGO = 24 * 3600.0
"""Seconds after which a temporary file is no process's any more, whatever the clocks of two hosts say."""
_TEMPORARY = re.compile(r"\..+-(?P<pid>\d+)\.tmp(-\w+)?")


_swept: set[Path] = set()
"""Folders that this process has swept."""


def damaged(path: Path, reason: object) -> UserError:
    """Return the error that a stored file is not what was written."""
    return UserError(f"{path}: this shard is damaged ({reason}); delete it and run again")


def unwritable(path: Path, error: OSError) -> UserError:
    """Return the error that a file cannot be written."""
    reason = error.strerror or str(error)
    return UserError(f"{path}: cannot be written ({reason}); name another folder or make room")


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a file under a temporary name, sync it and rename it, so that no power cut leaves half of it.

    What dead processes left half-written in its folder is removed before.

    Raises:
        UserError: If the folder cannot be created or written.
    """
    content = data.encode() if isinstance(data, str) else data
    # The host's name is there since two nodes that share a file system may share a process number; the file's
    # name is hashed since it may have 255 bytes already, the most that file systems allow.
    name = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    temporary = path.with_name(f".{name}.{platform.node()}-{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent not in _swept:
            _swept.add(path.parent)
            sweep(path.parent)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _rename(temporary, path, content)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _rename(temporary: Path, path: Path, content: bytes) -> None:
    """Rename a file over another, unless that is it already.

    A file server whose answer got lost is asked again by the system, and then says that there is no such
    file; on others nothing can replace a file that is open, such as the same that another process wrote.
    """
    try:
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            if read_whole(path) == content:
                return
        raise


def is_whole(path: Path) -> bool:
    """Return whether a Parquet file begins and ends as one: neither missing, empty, cut off nor another."""
    try:
        with path.open("rb") as file:
            first = file.read(len(_PARQUET))
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - len(_PARQUET)))
            return first == file.read() == _PARQUET and length > 2 * len(_PARQUET)
    except OSError:
        return False


def sweep(folder: Path) -> None:
    """Remove the temporary files in a folder of processes that are dead: of this host, or of long ago."""
    for path in filter(left_behind, folder.glob(".*.tmp*")):
        with suppress(OSError):
            path.unlink()


def left_behind(path: Path) -> bool:
    """Return whether a file is a temporary one, ``.….HOST-PID.tmp``, whose process is dead."""
    named = _TEMPORARY.fullmatch(path.name)
    if named is None:
        return False
    if f".{platform.node()}-{named['pid']}." in path.name:
        return not alive(int(named["pid"]))
    with suppress(OSError):
        return time.time() - path.stat().st_mtime > _LONG_AGO
    return False


def refuse_unwritable(folder: Path) -> None:
    """Try to write into a folder, so that one that cannot be written is told before hours of work, not after.

    Raises:
        UserError: If the folder cannot be created or written.
    """
    trial = folder / ".writable"
    write_atomically(trial, "")
    trial.unlink(missing_ok=True)
