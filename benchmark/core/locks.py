"""One process at a time, also on a file system without ``flock`` (Lustre without its option, some NFS)."""

import errno
import fcntl
import math
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_NO_FLOCK = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
_PAUSE = 0.1
_BEAT = 10.0
"""Seconds after which the holder of a lock without ``flock`` writes into it again."""
_SILENCE = 12 * _BEAT
"""Seconds without such a sign after which its holder, on another machine, is taken for dead."""


@contextmanager
def locked(path: Path, seconds: float = math.inf) -> Iterator[None]:
    """Let one process at a time into the block, of all machines that share the file system.

    The lock is ``flock``'s, which ends with its process. Where the file system has none, it is a second file
    that one process alone can create, with host and process number inside. One left behind by a process that
    is no more is recognised at once on its host, elsewhere when nobody has written into it for two minutes.

    Args:
        path: File of the lock; its folder must exist.
        seconds: How long to wait for the holder of it.

    Raises:
        TimeoutError: If it is held for longer than that.
        OSError: If the file cannot be made.
    """
    deadline = time.monotonic() + seconds
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if _flocked(descriptor, path, deadline):
            yield
        else:
            with _created(path.with_name(f"{path.name}.held"), deadline):
                yield
    finally:
        os.close(descriptor)


def _flocked(descriptor: int, path: Path, deadline: float) -> bool:
    """Wait for ``flock``; return ``False`` where the file system has none."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_FLOCK:
                return False
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            _pause(path, deadline)
        else:
            return True


@contextmanager
def _created(held: Path, deadline: float) -> Iterator[None]:
    """Hold a lock by a file that exists as long as it is held."""
    owner = f"{platform.node()} {os.getpid()} {uuid4().hex}"
    seen, since = "", time.monotonic()
    while not _create(held, owner):
        found = _read(held)
        if found != seen:
            seen, since = found, time.monotonic()
        if _gone(found) or time.monotonic() - since > _SILENCE:
            _break(held, found)
        else:
            _pause(held, deadline)
    released = threading.Event()
    beating = threading.Thread(target=_beat, args=(held, owner, released), daemon=True)
    beating.start()
    try:
        yield
    finally:
        released.set()
        beating.join()
        if _read(held).startswith(owner):  # and is not another's, who took this process for dead
            held.unlink(missing_ok=True)


def _create(held: Path, owner: str) -> bool:
    with suppress(FileExistsError), held.open("x", encoding="utf-8") as file:
        file.write(f"{owner} 0")
        return True
    return False


def _gone(owner: str) -> bool:
    """Return whether an owner was a process of this host that is no more."""
    host, _, rest = owner.partition(" ")
    number = rest.partition(" ")[0]
    if host != platform.node() or not number.isdecimal():
        return False
    return not alive(int(number))


def alive(pid: int) -> bool:
    """Return whether a process of this number runs on this host.

    One that has ended does not, even while its parent has not asked for its exit code.
    """
    with suppress(OSError, IndexError):  # where there is /proc
        if (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()[0]
            == "Z"
        ):
            return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _break(held: Path, owner: str) -> None:
    """Take a dead owner's file away, unless another process has done so and holds the lock by now."""
    taken = held.with_name(f"{held.name}.{uuid4().hex}")
    with suppress(FileNotFoundError):
        held.rename(taken)
        if _read(taken) != owner:
            with suppress(OSError):
                os.link(taken, held)
        taken.unlink()


def _beat(held: Path, owner: str, released: threading.Event) -> None:
    count = 0
    while not released.wait(_BEAT):
        count += 1
        with suppress(OSError):
            if _read(held).startswith(owner):
                held.write_text(f"{owner} {count}", encoding="utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _pause(path: Path, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(errno.ETIMEDOUT, "another process holds this lock", str(path))
    time.sleep(_PAUSE)
