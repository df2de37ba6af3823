"""Faults of disks, file servers and files in the middle of a run: docs/faults.md has a row for each."""

import errno
import itertools
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.small_scenes import cell, listed_again, made
from helpers.small_scenes import scene as small_scene
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.datasets.images import UnreadableImage, read_sample
from benchmark.pipeline.exhibits import exhibit_files
from benchmark.pipeline.results import files_of
from benchmark.pipeline.scene import Scene
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.records import STORE

PAIRS = (("grad_cam", "max_box"), ("grad_cam", "strict"), ("backprop", "max_box"))


def cells(on: Scene, runs: Path) -> list[BoxCell]:
    return [cell(on, runs, method, localizer) for method, localizer in PAIRS]


def finished(on: Scene, runs: Path) -> list[BoxCell]:
    """The cells of a run that comes to its end, with the file of all records of each."""
    work = cells(on, runs)
    made(on, work)
    for of in work:
        STORE.merge(files_of(of, STORE))
    return work


def content(results: Path) -> dict[str, bytes]:
    """All that a run stores, but the notes of who made it and when."""
    kept = [path for path in results.rglob("*") if path.is_file() and path.parent.name != "_journal"]
    return {path.relative_to(results).as_posix(): path.read_bytes() for path in kept}


def stamps(work: Sequence[BoxCell]) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for of in work for path in files_of(of, STORE) if path.exists()}


def repaint(path: Path | None, seed: int = 9) -> None:
    """Put another image of the same width and height, and of another size in bytes, in the place of one."""
    assert path is not None
    with Image.open(path) as image:
        width, height = image.size
    Image.fromarray(np.random.default_rng(seed).integers(0, 99, (height, width, 3), np.uint8)).save(path)


@pytest.fixture
def on(tmp_path: Path) -> Scene:
    return small_scene(tmp_path)


def test_an_image_that_is_replaced_makes_its_own_shard_anew_and_says_so(
    on: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stamps(finished(on, tmp_path / "runs"))
    repaint(on.dataset.samples[4].path)
    now = listed_again(on)
    work = finished(now, tmp_path / "runs")
    assert {path.name for path, stamp in stamps(work).items() if before[path] != stamp} == {
        "records-00001.parquet"
    }
    assert set(stamps(work)) == set(before), "the folders are the same"
    told = capsys.readouterr().err
    assert told.count("image_004 had ") == 2 + len(PAIRS), "heatmaps of two methods, and three records"
    finished(now, tmp_path / "fresh" / "runs")
    assert content(tmp_path / "runs") == content(tmp_path / "fresh" / "runs")
    assert {of.fingerprint for of in work}.isdisjoint(of.fingerprint for of in cells(on, tmp_path / "runs"))


def test_an_image_that_changes_while_a_run_is_at_work_is_not_read(
    on: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forward, changed = on.model.module.forward, on.dataset.samples[7]

    def meanwhile(x: object) -> object:
        if not (tmp_path / "runs").exists():
            repaint(changed.path)
        (tmp_path / "runs").mkdir(exist_ok=True)
        return forward(x)

    repaint(changed.path, seed=3)
    with pytest.raises(UnreadableImage, match=r"image_007.*had \d+ bytes when the run began, and has \d+;"):
        read_sample(changed)
    work = cells(on, tmp_path / "runs")
    with pytest.raises(UserError, match=r"image_007.*all other shards are made"):
        made(on, work)
    assert {path.name for path in stamps(work)} == {f"records-0000{n}.parquet" for n in (0, 1, 3)}
    now = listed_again(on)
    kept = stamps(work)
    finished(now, tmp_path / "runs")
    assert {path: stamps(work)[path] for path in kept} == kept
    finished(now, tmp_path / "fresh" / "runs")
    assert content(tmp_path / "runs") == content(tmp_path / "fresh" / "runs")


def test_shards_of_another_size_are_told_and_made_again(
    on: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as formerly:
        formerly.setattr("benchmark.pipeline.scene.LEAST", 4)
        finished(on, tmp_path / "runs")
    work = finished(on, tmp_path / "runs")
    assert capsys.readouterr().err.count("(it is of other images); it is made again") == 3 * (2 + len(PAIRS))
    for one, other in zip(work, finished(on, tmp_path / "fresh"), strict=True):
        assert [path.read_bytes() for path in files_of(one, STORE)] == [
            path.read_bytes() for path in files_of(other, STORE)
        ]


@pytest.mark.parametrize("damage", ["cut off", "gone", "of another shard"])
def test_damaged_maps_of_the_picture_sheet_are_made_again_with_their_shard(
    on: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    work = finished(on, tmp_path / "runs")
    before = content(tmp_path / "runs")
    for folder in {of.heatmap_folder for of in work}:
        first, second, *_ = exhibit_files(folder)
        if damage == "cut off":
            first.write_bytes(first.read_bytes()[:-40])
        elif damage == "gone":
            first.unlink()
        else:
            first.write_bytes(second.read_bytes())
    finished(on, tmp_path / "runs")
    assert content(tmp_path / "runs") == before
    told = capsys.readouterr().err.count("exhibits-00000.npz: this shard is damaged")
    assert told == (0 if damage == "gone" else 2)


def full_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the n-th file that is written find no room."""
    calls, sync = itertools.count(1), os.fsync

    def fsync(descriptor: int) -> None:
        if next(calls) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_disk_that_is_full_at_any_write_ends_a_run_in_one_line_and_room_lets_it_go_on(
    on: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(on, tmp_path / "fresh" / "runs")
    for number in range(1, 50, 7):
        results = tmp_path / str(number)
        with monkeypatch.context() as full:
            full_at(full, number)
            with pytest.raises(
                UserError, match=r"cannot be written \(No space left on device\); .* make room"
            ):
                finished(on, results / "runs")
        assert not [*results.rglob("*.tmp"), *results.rglob("_claims/*")]
        finished(on, results / "runs")
        assert content(results) == content(tmp_path / "fresh")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with room for half of the run."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=120k", "none", place], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a file system of its own")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_file_system_that_is_really_full_loses_nothing(on: Scene, tmp_path: Path, small_disk: Path) -> None:
    with pytest.raises(UserError, match="No space left on device"):
        finished(on, small_disk / "runs")
    assert list(small_disk.rglob("records-*"))
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    finished(on, small_disk / "runs")
    finished(on, tmp_path / "fresh" / "runs")
    assert content(small_disk) == content(tmp_path / "fresh")


def test_a_file_server_that_loses_its_answers_changes_nothing(
    on: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every rename is done and then said to have failed, as NFS does where an answer was lost; all files that
    are read were just replaced by another host (ESTALE); and no lock can be had (ENOLCK)."""
    finished(on, tmp_path / "fresh" / "runs")
    replace, read, stale = Path.replace, Path.read_bytes, set[Path]()

    def unanswered(self: Path, target: Path) -> None:
        replace(self, target)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def replaced(self: Path) -> bytes:
        if self not in stale:
            stale.add(self)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        stale.discard(self)
        return read(self)

    def no_lock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as nfs:
        nfs.setattr(Path, "replace", unanswered)
        nfs.setattr(Path, "read_bytes", replaced)
        nfs.setattr("fcntl.flock", no_lock)
        finished(on, tmp_path / "results" / "runs")
    assert content(tmp_path / "results") == content(tmp_path / "fresh")


def test_a_file_that_cannot_be_replaced_is_refused_unless_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "records"
    path.write_bytes(b"the same")

    def busy(_self: Path, _target: Path) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(Path, "replace", busy)
    write_atomically(path, b"the same")
    with pytest.raises(UserError, match=r"records: cannot be written .*busy"):
        write_atomically(path, b"another")
    assert [other.name for other in tmp_path.iterdir()] == ["records"]
