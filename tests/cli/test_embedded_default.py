"""``./scripts/run`` with no argument: eight rows, no data at hand; and the reference table of it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "results" / "reference" / "embedded"
WEIGHTS = ROOT / "benchmark" / "models" / "weights" / "embedded"
ROWS = (
    *("vgg16/backprop", "vgg16/c_mwp", "vgg16/grad_cam", "vgg16/cam"),
    *("alexnet/c_mwp", "alexnet/grad_cam", "googlenet/grad_cam", "googlenet/cam"),
)
# Another processor sums in another order: a score or a cell of a map may cross a threshold.
OTHER_IMAGES = 4

pytestmark = pytest.mark.slow


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as a person starts it, with results and cache of its own."""
    own = {"BENCHMARK_RESULTS": str(folder / "results"), "BENCHMARK_CACHE": str(folder / "cache")}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BENCHMARK_")} | own
    return subprocess.run(
        [sys.executable, "-m", "benchmark", *words],
        env=environment | {"MLFLOW_TRACKING_URI": ""},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def results(folder: Path, stem: str = "table1") -> dict[str, Mapping[str, Any]]:
    """Row to its json."""
    files = (folder / stem).glob("*.json")
    return {content["row"]: content for content in map(json.loads, (file.read_text() for file in files))}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("embedded")
    return folder, run(folder)


First = tuple[Path, subprocess.CompletedProcess[str]]


def test_without_an_argument_eight_rows_are_measured_without_a_warning(first: First) -> None:
    folder, ended = first
    assert ended.returncode == 0, ended.stderr
    assert "warn" not in ended.stderr.lower()
    assert "this is the embedded default" in ended.stderr
    table = json.loads((folder / "results/embedded/table1.json").read_text())
    assert tuple(table["rows"]) == ROWS
    assert table["open"] == {}
    assert table["dataset"]["complete"] is True
    assert not any(check.startswith("FAILED") for check in table["checks"])
    assert "googlenet/grad_cam = googlenet/cam, box for box" in table["checks"][0]
    for row in ROWS:
        assert row in ended.stdout
    assert "not comparable" in ended.stdout
    for suffix in ("md", "csv", "tex", "txt", "png"):
        assert (folder / f"results/embedded/table1.{suffix}").stat().st_size > 1000
    assert (folder / "results/mlflow.db").is_file()


def test_the_table_in_git_is_what_a_run_measures(first: First) -> None:
    committed, measured = results(COMMITTED), results(first[0] / "results/embedded")
    assert set(committed) == set(measured) == set(ROWS)
    for row in ROWS:
        assert committed[row]["counts"] == measured[row]["counts"] | {
            name: committed[row]["counts"][name] for name in ("empty_maps", "empty_label_maps")
        }
        assert committed[row]["localizer"] == measured[row]["localizer"]
        assert set(committed[row]["metrics"]) == set(measured[row]["metrics"])
        for name, stored in committed[row]["metrics"].items():
            here = measured[row]["metrics"][name]
            assert here["n"] == stored["n"]
            assert abs(here["value"] - stored["value"]) <= OTHER_IMAGES / stored["n"], (row, name)


def test_each_nets_error_is_the_one_in_its_passport(first: First) -> None:
    for row, content in results(first[0] / "results/embedded").items():
        passport = json.loads((WEIGHTS / f"{content['model']}.json").read_text())
        assert content["conditions"]["weights"]["sha256"] == passport["sha256"]
        for name in ("cls_top1", "cls_top5"):
            estimate = content["metrics"][name]
            assert estimate["n"] == passport["n"]
            assert abs(estimate["value"] - passport[name]) <= OTHER_IMAGES / passport["n"], (row, name)


def test_the_embedded_table_has_something_to_say() -> None:
    """Classification errors between 10 and 50 %, and methods that differ by more than their intervals."""
    rows = results(COMMITTED)
    assert all(0.1 <= row["metrics"]["cls_top1"]["value"] <= 0.5 for row in rows.values())
    apart = []
    for metric in ("loc_top1", "loc_top5"):
        of_vgg16 = [row["metrics"][metric] for name, row in rows.items() if name.startswith("vgg16/")]
        apart += [a["high"] < b["low"] for a in of_vgg16 for b in of_vgg16]
    assert any(apart)


def test_a_second_time_nothing_is_computed_and_another_threshold_needs_no_forward_pass(
    first: First, tmp_path: Path
) -> None:
    """The loop's way to a forward pass is closed; heatmaps and records are at hand."""
    folder = tmp_path / "copy"
    shutil.copytree(first[0], folder)
    broken = (
        "import benchmark.tasks.boxes.recorder\n"
        "def refuse(*_): raise AssertionError('a forward pass')\n"
        "benchmark.tasks.boxes.recorder.explain = refuse\n"
        "from benchmark.cli.app.entry_point import start\n"
        "start('run')\n"
    )
    script = tmp_path / "broken.py"
    script.write_text(broken)

    def again(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "BENCHMARK_RESULTS": str(folder / "results"),
            "BENCHMARK_CACHE": str(folder / "cache"),
        }
        return subprocess.run(
            [sys.executable, str(script), *words, "tracking=none"],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    shards = {path: path.stat().st_mtime_ns for path in (folder / "results/runs").rglob("*-0*.parquet")}
    assert shards
    table = folder / "results/embedded/table1.json"
    before = table.read_bytes()
    repeated = again()
    assert repeated.returncode == 0, repeated.stderr
    assert table.read_bytes() == before
    assert {path: path.stat().st_mtime_ns for path in shards} == shards

    changed = again("experiment=table1", "localizer.threshold=0.25")
    assert changed.returncode == 0, changed.stderr
    other = results(folder / "results/embedded", "table1+localizer.threshold-0.25")
    assert set(other) == set(ROWS)
    assert other["vgg16/grad_cam"]["localizer"] == "gradcam_15 v1, threshold=0.25"
    same, moved = (
        results(folder / "results/embedded")[row]["metrics"] for row in ("vgg16/backprop", "vgg16/cam")
    )
    assert other["vgg16/backprop"]["metrics"] == same
    assert other["vgg16/cam"]["metrics"]["loc_top1"] != moved["loc_top1"]
