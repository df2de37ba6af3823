"""``./scripts/clean``: what nobody needs is shown, then removed; what somebody makes is left."""

import json
import os
import platform
import subprocess
from pathlib import Path

from helpers.commands import Command

OLD = 1_000_000_000


def run(results: Path, method: str, digest: str) -> Path:
    """A run's folder, old, with heatmaps, a shard and the file of all its records."""
    folder = results / "runs" / f"net-{method}-{'a' * 15}{digest}"
    cell = folder / f"gradcam_15-{digest * 16}"
    merged = results / "records" / folder.name / f"{cell.name}.records.parquet"
    for path in (folder / "heatmaps-00000.npz", cell / "records-00000.parquet", merged):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
        os.utime(path, (OLD, OLD))
    return cell


def claim(cell: Path, number: int, pid: int) -> Path:
    path = cell / "_claims" / f"records-{number:05d}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"host": platform.node(), "pid": pid}))
    return path


def agenda(results: Path, name: str, when: int, *cells: Path) -> None:
    folders = [cell.relative_to(results / "runs").as_posix() for cell in cells]
    parts = [{"folder": folder, "store": "records", "shards": [16]} for folder in folders]
    path = results / "runs" / "agendas" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"dataset": "some", "rows": {"a/b": parts}, "open": {}}))
    os.utime(path, (when, when))


def test_runs_of_no_table_and_what_the_dead_left_are_shown_and_removed_on_demand(
    command: Command, tmp_path: Path
) -> None:
    results, place = tmp_path / "results", f"results_dir={tmp_path}/results"
    assert command("clean", place)[0] == 2, "there are no results"
    dead = subprocess.Popen(["true"])
    dead.wait()
    fingerprinted, recorded, reference, last, made, before, young, lost = (
        run(results, method, digest)
        for method, digest in zip(
            ("cam", "grad_cam", "occlusion", "backprop", "mwp", "input", "c_mwp", "lost"),
            "12345678",
            strict=True,
        )
    )
    table = results / "some" / "table1.json"
    (results / "some" / "table1").mkdir(parents=True)
    table.write_text(json.dumps({"records": {"a": f"records/x/{recorded.name}.records.parquet"}}))
    (results / "some" / "table1" / "a.json").write_text(json.dumps({"fingerprint": "1" * 64}, indent=1))
    (results / "some" / "gone.json").symlink_to("nowhere")
    (results / "some" / "of_others.json").write_bytes(b"\xff")
    agenda(results, "of the table", OLD, recorded, reference)
    agenda(results, "of no table", OLD + 1, lost)
    agenda(results, "at work", OLD + 1, before, made)
    agenda(results, "last", OLD + 2, last)
    living = claim(made, 1, os.getppid())
    (young / "records-00001.parquet").write_bytes(b"x")
    void = claim(recorded, 2, dead.pid)
    left = recorded / f".0123456789abcdef.{platform.node()}-{dead.pid}.tmp"
    own = recorded / f".0123456789abcdef.{platform.node()}-{os.getppid()}.tmp"
    far, lately = (recorded / f".0123456789abcdef.{host}-7.tmp" for host in ("elsewhere", "other"))
    for path in (left, own, far, lately):
        path.write_bytes(b"x" * 500)
    os.utime(far, (OLD, OLD))

    status, shown, _ = command("clean", place, f"weights_dir={results}/runs")
    assert (status, shown.splitlines()) == (
        0,
        [
            f"runs/{lost.parent.name}: no table refers to it, 0.0 MB",
            f"records/{lost.parent.name}/{lost.name}.records.parquet: no table refers to it, 0.0 MB",
            *(f"{path.relative_to(results)}: its process is no more, 0.0 MB" for path in (far, left, void)),
            "2 runs, 3 claims and temporary files, 0.0 MB: ./scripts/clean remove=true removes them",
        ],
    )
    assert lost.exists()
    assert command("clean", place, "remove=true")[0] == 0
    assert not any(path.exists() for path in (lost.parent, void, left, far))
    kept = (fingerprinted, recorded, reference, last, made, before, young, living, own, lately)
    assert all(path.exists() for path in kept)
    assert command("clean", place)[1] == "there is nothing to remove\n"
    assert command("clean", place, "remove=perhaps")[0] == 2
