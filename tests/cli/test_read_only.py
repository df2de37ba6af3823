"""Results that can be read and not written, such as an archive's or another user's."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.commands import Command


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Path]:
    """A folder of results; as root, whom no permission binds, on a file system of its own."""
    place = tmp_path / "results"
    place.mkdir()
    if os.geteuid():
        yield place
        for path in (place, *place.rglob("*")):
            path.chmod(0o755)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("root may not mount a file system here, and may write everywhere")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def lock(results: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["mount", "-o", "remount,ro", str(results)], check=True)
        return
    for path in (results, *results.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_complete_run_on_a_read_only_folder_prints_its_table_and_another_is_refused_in_one_line(
    command: Command, tmp_path: Path, results: Path
) -> None:
    few = ("dataset.count=24", "dataset.limit=6", f"cache_dir={tmp_path}/cache", f"results_dir={results}")
    cell = ("model=vgg16_cam_compact", "method=cam", "metric=[localization]", "tracking=none")
    status, printed, complaint = command("run", *few, *cell)
    assert status == 0, complaint
    (table,) = results.glob("embedded-6-*/*.json")
    lock(results)
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    assert command("run", *few, *cell)[:2] == (0, printed)
    assert command("status", f"results_dir={results}")[0] == 0
    assert command("table", f"results={table}")[1].startswith(printed.partition("\nwritten")[0])
    status, printed, complaint = command("run", *few, *cell, "localizer.threshold=0.3")
    assert (status, printed) == (2, "")
    assert complaint.splitlines()[-1].startswith(f"error: {results}/runs/.writable: cannot be written (")
    assert complaint.endswith(f"; ./scripts/table results={table} prints a table of it\n")
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before
