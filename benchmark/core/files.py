"""Files that are written whole or not at all."""

import hashlib
import os
import platform
from contextlib import suppress
from pathlib import Path

from benchmark.core.errors import UserError


def damaged(path: Path, reason: object) -> UserError:
    """Return the error that a stored file is not what was written."""
    return UserError(f"{path}: this shard is damaged ({reason}); delete it and run again")


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a file under a temporary name, sync it and rename it, so that no power cut leaves half of it.

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
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{path}: cannot be written ({reason}); name another folder or make room") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def refuse_unwritable(folder: Path) -> None:
    """Try to write into a folder, so that one that cannot be written is told before hours of work, not after.

    Raises:
        UserError: If the folder cannot be created or written.
    """
    trial = folder / ".writable"
    write_atomically(trial, "")
    trial.unlink(missing_ok=True)
