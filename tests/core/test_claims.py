"""Who holds a claim, whatever its file says."""

import errno
import json
import os
import platform
import time
from pathlib import Path

import pytest

from benchmark.core import claims as module
from benchmark.core.claims import SILENCE, Claims, holder, sweep_claims
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically

HERE = platform.node()


@pytest.mark.parametrize(
    ("claim", "held_by"),
    [
        ({"host": "another", "pid": 1}, "another:1"),
        ({"host": HERE, "pid": os.getppid()}, f"{HERE}:{os.getppid()}"),
        ("", "another process"),
        ({"host": HERE, "pid": 2**22 + 1}, None),
        *((claim, None) for claim in ("{", [1], None, {}, {"host": HERE}, {"host": HERE, "pid": "a"})),
        ({"host": HERE, "pid": 10**30}, None),
    ],
)
def test_a_claim_is_held_by_whom_it_names_and_void_where_it_names_nobody(
    tmp_path: Path, claim: object, held_by: str | None
) -> None:
    path = tmp_path / "claim.json"
    path.write_text(claim if isinstance(claim, str) else json.dumps(claim))
    assert holder(path) == held_by
    assert Claims().take(path) is (held_by is None)


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_claim_of_another_host_is_void_by_its_silence_whatever_the_clocks_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    path, claims, now = tmp_path / "claim.json", Claims(), 0.0
    path.write_text(json.dumps({"host": "another", "pid": 1}))
    monkeypatch.setattr("benchmark.core.claims.time.monotonic", lambda: now)
    began = time.time() + 3600 * hours
    for sign in range(5):  # for much longer than a silence, as its host's clock counts
        os.utime(path, (began + sign * SILENCE / 2,) * 2)
        assert claims.holder(path) == "another:1"
        assert not claims.take(path)
        now += SILENCE / 2
    now += SILENCE
    assert claims.holder(path) is None
    assert claims.take(path)


@pytest.mark.parametrize("links", [True, False])
def test_one_process_alone_gets_a_claim_which_names_it_from_the_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    path, seen, link = tmp_path / "claim.json", list[str](), os.link

    def watched(source: Path, target: Path) -> None:
        seen.append(Path(source).read_text())
        if not links:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        link(source, target)

    monkeypatch.setattr("os.link", watched)
    assert Claims().take(path)
    assert seen == [path.read_text()] == [json.dumps({"host": HERE, "pid": os.getpid()})]
    path.write_text(json.dumps({"host": "another", "pid": 1}))
    assert not Claims().take(path)
    assert [file.name for file in tmp_path.iterdir()] == ["claim.json"]


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_claim_of_long_ago_is_void_at_first_sight(tmp_path: Path, hours: int) -> None:
    path = tmp_path / "claim.json"
    path.write_text(json.dumps({"host": "another", "pid": 1}))
    os.utime(path, (time.time() + 3600 * hours,) * 2)
    assert holder(path) is None


def test_who_was_taken_for_dead_does_not_give_up_the_claim_of_its_successor(tmp_path: Path) -> None:
    path, claims = tmp_path / "claim.json", Claims()
    assert claims.take(path)
    path.write_text(json.dumps({"host": "another", "pid": 1}))
    claims.give_up(path)
    assert holder(path) == "another:1"


def test_a_full_disk_leaves_no_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, _text: str, **_: object) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match="No space left on device"):
        Claims().take(tmp_path / "_claims" / "records-00000.json")
    assert not list((tmp_path / "_claims").iterdir())


def test_what_dead_processes_left_among_claims_is_swept(tmp_path: Path) -> None:
    dead, folder = {"host": HERE, "pid": 2**22 + 1}, tmp_path / "_claims"
    folder.mkdir()
    kept = {"a.json": {"host": "another", "pid": 1}, "b.json": {"host": HERE, "pid": os.getppid()}}
    for name, claim in {**kept, "c.json": dead}.items():
        (folder / name).write_text(json.dumps(claim))
    for name in (
        f".x.{HERE}-{2**22 + 1}.tmp",
        f".x.{HERE}-{os.getppid()}.tmp",
        ".x.another-1.tmp",
        ".x.y-2.tmp",
    ):
        (folder / name).write_text("")
    os.utime(folder / ".x.y-2.tmp", (time.time() - 100 * 3600,) * 2)
    sweep_claims(tmp_path)
    left = {path.name for path in folder.iterdir()}
    assert left == {*kept, f".x.{HERE}-{os.getppid()}.tmp", ".x.another-1.tmp"}


def test_the_first_write_into_a_folder_removes_what_a_killed_process_half_wrote(tmp_path: Path) -> None:
    left = tmp_path / f".x.{HERE}-{2**22 + 1}.tmp"
    left.touch()
    write_atomically(tmp_path / "table.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["table.json"]


@pytest.mark.parametrize("moment", ["just claimed", "about to be given up"])
def test_an_interruption_at_any_moment_leaves_no_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path, link = tmp_path / "_claims" / "records-00000.json", module._linked

    def interrupted(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    def claimed_and_interrupted(temporary: Path, final: Path) -> None:
        link(temporary, final)
        interrupted()

    def work(ours: Claims) -> None:
        if moment == "just claimed":
            monkeypatch.setattr(module, "_linked", claimed_and_interrupted)
        ours.take(path)
        monkeypatch.setattr(Path, "unlink", interrupted)
        ours.give_up(path)

    with pytest.raises(KeyboardInterrupt), Claims() as claims:
        work(claims)
    assert not list(path.parent.iterdir())
