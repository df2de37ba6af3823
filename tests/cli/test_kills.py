"""Twenty SIGKILLs over one run, at seeded places: docs/faults.md."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).resolve().parents[1]
WORDS = ("model=vgg16_cam_compact", "method=cam", "dataset.count=24", "dataset.limit=10", "run.threads=1")
# Where, how often, and at which of the files that are touched there, at the latest.
PLACES = (
    ("/runs/", 11, 30),
    ("/results/records/", 3, 3),
    ("/results/embedded-10", 4, 24),
    ("mlflow.db", 2, 4),
)


def ended(tasks: list[Any]) -> list[int]:
    """Exit codes of commands one after the other."""
    done = subprocess.run(
        [sys.executable, "-m", "helpers.killed"],
        cwd=TESTS,
        env=os.environ
        | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
        input=json.dumps(tasks),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes: list[int] = json.loads(done.stdout)
    return codes


def content(results: Path) -> dict[str, bytes]:
    """All that a run leaves but notes of times and hosts, what Hydra keeps, and the database."""
    left = {path.relative_to(results).as_posix(): path for path in results.rglob("*") if path.is_file()}
    others = ("_journal/", "finished/", "jobs/", "mlflow", "mlartifacts/")
    return {
        name: path.read_bytes() for name, path in left.items() if not any(part in name for part in others)
    }


def tracked(results: Path) -> Counter[tuple[str, ...]]:
    """The runs in the database that are there to be seen: name and state."""
    with sqlite3.connect(results / "mlflow.db") as database:
        return Counter(database.execute("select name, status from runs where lifecycle_stage = 'active'"))


def test_a_run_that_is_killed_twenty_times_ends_as_one_that_was_not(tmp_path: Path) -> None:
    def command(name: str) -> list[str]:
        return [
            *("run", *WORDS, f"results_dir={tmp_path}/{name}/results", f"cache_dir={tmp_path}/cache"),
            f"tracking.uri=sqlite:///{tmp_path}/{name}/results/mlflow.db",
        ]

    rng = random.Random(20)
    kills = [
        [command("killed"), where, rng.randint(1, most)]
        for where, count, most in PLACES
        for _ in range(count)
    ]
    codes = ended([[command("whole"), None, 0], *kills, [command("killed"), None, 0]])
    assert codes == [0, *[-9] * 20, 0]
    whole, killed = tmp_path / "whole" / "results", tmp_path / "killed" / "results"
    assert content(killed) == content(whole), "no temporary file, no claim, and the same bytes"
    assert tracked(killed) == tracked(whole)
