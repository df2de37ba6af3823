"""One process at a time, with ``flock`` and where the file system has none."""

import errno
import fcntl
import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmark.core import locks
from benchmark.core.locks import alive, locked

REFUSALS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
NO_FLOCK = """
import errno, fcntl, sys
from pathlib import Path
def refuse(*_):
    raise OSError(errno.ENOLCK, "No locks available")
if sys.argv[2] == "without":
    fcntl.flock = refuse
from benchmark.core.locks import locked
place = Path(sys.argv[1])
for _ in range(20):
    with locked(place / "lock"):
        with (place / "inside").open("x"):  # fails where another process is inside as well
            number = int((place / "number").read_text())
            (place / "number").write_text(str(number + 1))
        (place / "inside").unlink()
"""


@pytest.fixture(params=[0, *REFUSALS], ids=["flock", *(errno.errorcode[one] for one in REFUSALS)])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A lock's file, on file systems that refuse ``flock`` in their ways."""

    def refuse(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    if request.param:
        monkeypatch.setattr(fcntl, "flock", refuse)
    return tmp_path / "lock"


def test_the_second_waits_for_the_first(place: Path) -> None:
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait()
        with locked(place):
            order.append("second")

    waiting = threading.Thread(target=second)
    waiting.start()
    with locked(place):
        inside.set()
        with pytest.raises(TimeoutError, match="another process holds this lock"), locked(place, 0.3):
            order.append("two at once")
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_an_error_inside_releases_the_lock(place: Path) -> None:
    with pytest.raises(KeyError), locked(place):
        raise KeyError
    with locked(place, 0):
        pass


@pytest.mark.parametrize("flock", ["with", "without"])
def test_processes_take_turns(tmp_path: Path, flock: str) -> None:
    (tmp_path / "number").write_text("0", encoding="utf-8")
    line = [sys.executable, "-c", NO_FLOCK, str(tmp_path), flock]
    several = [subprocess.Popen(line) for _ in range(3)]
    assert [one.wait(120) for one in several] == [0, 0, 0]
    assert (tmp_path / "number").read_text(encoding="utf-8") == "60"


@pytest.mark.parametrize("place", [errno.ENOLCK], indirect=True, ids=["ENOLCK"])
def test_what_a_killed_process_left_is_recognised_by_its_number_and_elsewhere_by_its_silence(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    held = place.with_name("lock.held")
    held.write_text(f"{platform.node()} {dead.pid} abc 7", encoding="utf-8")
    with locked(place, 0):
        assert str(os.getpid()) in held.read_text(encoding="utf-8")
    assert not held.exists()

    held.write_text("another-host 1 abc 7", encoding="utf-8")
    with pytest.raises(TimeoutError), locked(place, 0.3):
        pass
    monkeypatch.setattr(locks, "_SILENCE", 0.3)
    with locked(place, 5):
        assert str(os.getpid()) in held.read_text(encoding="utf-8")


@pytest.mark.parametrize("place", [errno.ENOLCK], indirect=True, ids=["ENOLCK"])
def test_a_long_holder_gives_signs_of_life_and_keeps_the_lock(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_BEAT", 0.05)
    monkeypatch.setattr(locks, "_SILENCE", 0.6)
    monkeypatch.setattr(
        platform, "node", lambda: f"host {threading.get_ident()}"
    )  # each on a machine of its own
    with locked(place):
        with pytest.raises(TimeoutError), locked(place, 1.5):
            pass
        assert place.with_name("lock.held").exists()


def test_a_process_that_ended_is_not_alive_though_its_parent_has_not_asked_how() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert not alive(ended.pid)
    assert alive(os.getpid())
    ended.wait()
    assert not alive(ended.pid)
