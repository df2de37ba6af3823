"""``./scripts/run experiment=occlusion`` from images to a table, repeated, shared out and misused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.commands import Command
from scipy.stats import spearmanr

from benchmark.tasks.pairs.ask import ask

# Patches as large as can be: four forward passes an image. Two images make two shards.
TINY = (
    *("dataset=embedded", "dataset.count=24", "dataset.limit=2", "dataset.order=id", "reference.stride=64"),
    *("run.batch_size=1", "bootstrap.resamples=100", "pictures=0", "tracking=none"),
)
ROWS = [f"vgg16/{name}" for name in ("guided_grad_cam", "grad_cam", "c_mwp", "cam", "guided_backprop")]


def one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def results(table: Path) -> dict[str, Any]:
    """Row to its json."""
    read = [json.loads(path.read_text()) for path in table.with_suffix("").glob("*.json")]
    return {each["row"]: each for each in read}


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a forward pass")

    monkeypatch.setattr("benchmark.tasks.pairs.recorder.ask", refuse)


@pytest.mark.slow
def test_two_workers_give_a_swept_table_that_stays(
    run: Command, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("-m", "experiment=occlusion", *TINY, "reference.patch=64,112")
    status, _, complaint = run(*words, "run.worker=range(2)", "run.workers=2")
    assert (status, "Traceback" in complaint) == (0, False), complaint
    shards = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("pairs-0*.parquet")}
    # A shard of each of five rows' methods, and of two networks a reference at each patch, a shard an image.
    assert len(shards) == 5 + 2 * 2 * 2

    with monkeypatch.context() as patched:
        no_network(patched)
        status, printed, complaint = run(*words, "notes=true")
    assert status == 0, complaint
    folder = one(tmp_path, "embedded-2-*-sweep-*")
    table = one(folder, "occlusion+*.json")
    content = json.loads(table.read_text())
    assert len({(each["first"], each["second"]) for each in content["differences"]}) == 2 * 10 + 5
    assert list(content["rows"]) == [f"{row}/patch={patch}" for patch in (64, 112) for row in ROWS]
    assert content["open"] == {}
    told = [check for check in content["checks"] if check.startswith("vgg16, patch=")]
    assert [check.partition(" by ")[0] for check in told] == ["vgg16, patch=64", "vgg16, patch=112"]
    assert all("published guided_grad_cam 0.261 > grad_cam 0.254" in check for check in told)
    assert "vgg16, patch=112 by rank_correlation: " in " ".join(printed.split())
    assert "not comparable" in printed

    # The numbers follow from the stored pairs alone, those of each patch from another reference.
    held: dict[int, set[Path]] = {64: set(), 112: set()}
    for row, found in results(table).items():
        patch = found["config"]["reference"]["patch"]
        assert row.endswith(f"patch={patch}")
        assert found["counts"] | {"done": 2, "pairs": 2, "skipped": 0, "images_asked": 2} == found["counts"]
        assert found["metrics"]["rank_correlation"]["n"] == 2
        value = found["metrics"]["rank_correlation"]["value"]
        (own,), references = (pairs_of(tmp_path, found["model"], n) for n in (found["method"], "occlusion"))
        near = {folder for folder in references if by_hand(own, folder) == pytest.approx(value, abs=1e-9)}
        assert len(near) == 1
        held[patch] |= near
    assert [len(folders) for folders in held.values()] == [2, 2]
    assert not held[64] & held[112]

    # Another time: the same bytes, nothing computed, no shard written again.
    before = written(folder)
    with monkeypatch.context() as patched:
        no_network(patched)
        assert run(*words)[0] == 0
    assert written(folder) == before
    assert {path: path.stat().st_mtime_ns for path in shards} == shards
    assert command("table", f"results={table}")[0] == 0
    assert written(folder) == before

    # Every number follows from the records of the rows and their references; one changed value is told.
    status, printed, _ = command("verify", str(table))
    assert (status, "sound: all " in printed) == (0, True), printed
    assert "10 of 10 measured rows derived again" in printed
    assert "not derived again" not in printed
    small, large = (table.with_suffix("") / f"vgg16-cam-patch={patch}.json" for patch in (64, 112))
    compared = tmp_path / "compared.csv"
    status, printed, _ = command("table", "--compare", str(small), str(large), f"output={compared}")
    assert (status, "reference.patch: 64 → 112" in printed) == (0, True), printed
    line = pd.read_csv(compared).set_index("metric").loc["rank_correlation"]
    assert line["difference"] == pytest.approx(line["b"] - line["a"])
    assert line["low"] <= line["difference"] <= line["high"]
    reference = tmp_path / content["references"]["vgg16/cam/patch=64"]
    sound, schema = pq.read_table(reference), pq.read_schema(reference)
    cells = pa.array(sound["grid14"].to_pylist()[::-1], schema.field("grid14").type)
    other = sound.set_column(sound.column_names.index("grid14"), schema.field("grid14"), cells)
    pq.write_table(other.replace_schema_metadata(schema.metadata), reference)
    status, printed, _ = command("verify", str(table))
    assert status == 3
    assert "rank_correlation.value is " in printed
    assert f"DIFFERS  {content['references']['vgg16/cam/patch=64']}: image_id " in printed


def pairs_of(folder: Path, model: str, method: str) -> list[Path]:
    """Where a method's pairs lie, once for each of its settings."""
    return sorted(path for path in (folder / "runs").glob(f"{model}-{method}-*/labelled-*") if path.is_dir())


def by_hand(own: Path, reference: Path) -> float:
    """The mean of scipy's correlations of two images."""
    frames = [
        pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("pairs-0*.parquet"))])
        for folder in (own, reference)
    ]
    assert frames[0]["image_id"].tolist() == frames[1]["image_id"].tolist()
    cells = zip(*(frame["grid14"] for frame in frames), strict=True)
    return float(np.mean([spearmanr(a, b).statistic for a, b in cells]))


CELL = ("task=pairs", "model=vgg16_compact", "method=grad_cam", *TINY, "reference.patch=112")


def test_a_command_that_was_interrupted_ends_with_the_same_bytes(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(*CELL, f"results_dir={whole}")[0] == 0
    calls = 0

    def dies_in_the_second(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return ask(*arguments)

    monkeypatch.setattr("benchmark.tasks.pairs.recorder.ask", dies_in_the_second)
    status, printed, complaint = run(*CELL, f"results_dir={broken}")
    assert (status, printed) == (130, "")
    assert complaint.splitlines()[-1].startswith("error: interrupted")
    assert not list(broken.glob("embedded-*")), "there is no table"
    monkeypatch.setattr("benchmark.tasks.pairs.recorder.ask", ask)
    assert run(*CELL, f"results_dir={broken}")[0] == 0
    tables = [one(folder, "embedded-2-*") for folder in (whole, broken)]
    assert written(tables[0]) == written(tables[1])
    assert one(tables[0], "*.json").name.startswith("vgg16_compact-grad_cam-labelled")


def test_the_predicted_class_is_asked_where_one_wants_it(run: Command, tmp_path: Path) -> None:
    status, printed, complaint = run(*CELL, "classes=predicted", "dataset.limit=1", "notes=true")
    assert (status, "Traceback" in complaint) == (0, False), complaint
    pairs = pd.read_parquet(one(tmp_path / "records", "vgg16_compact-grad_cam-*/predicted-*.pairs.parquet"))
    assert pairs["rank"].tolist() == [0]
    assert "occlusion, predicted v1" in " ".join(printed.split())


@pytest.mark.slow
def test_the_pointing_game_has_all_its_rows_on_the_embedded_images(run: Command, tmp_path: Path) -> None:
    words = [word for word in TINY if not word.startswith("reference")]
    status, _, complaint = run("experiment=pointing", *words)
    assert (status, "Traceback" in complaint) == (0, False), complaint
    table = one(one(tmp_path, "embedded-2-*"), "pointing*.json")
    content = json.loads(table.read_text())
    assert content["open"] == {}
    for row, found in results(table).items():
        assert {"pointing", "pointing_chance", "pointing_recall"} <= set(found["metrics"]), row
        assert found["localizer"] == "labelled_and_top5 v1"
        assert found["counts"]["pairs"] >= 10
    assert len(content["rows"]) == len(results(table)) == 13


MISTAKES = [
    ("localizer.threshold=0.2", "localizer.threshold=0.2: this experiment draws no box"),
    ("+localizer.colour=red", "+localizer.colour=red: this experiment draws no box"),
    ("metric=[gt_known]", "metric=[gt_known]: this experiment draws no box"),
    ("reference.pach=16", "reference.pach: there is no such option here; did you mean reference.patch?"),
    ("classes=label", "classes=label: there is no such classes; choose one of"),
    ("reference.patch=300", "reference.patch=300: must be at most 224"),
    ("reference.stride=300", "reference.stride=300: must be 1 … 112"),
    ("transform=ten_crop", "transform=ten_crop: pairs are asked of one view"),
    ("classes.only=0", "classes.only=0"),
    ("pair_metric.rank_correlation.sign=up", "pair_metric.rank_correlation.sign=up"),
    ("pair_metric=[pointing]", "pair_metric=pointing: there is no such pair_metric"),
    ("pair_metric.rank_correlation.grids=[7,14]", "add reading.summary.grids=[7,14,28]"),
    (
        "pair_metric=[pointing_recall]",
        "classes=labelled: pointing_recall needs the maps of each image's 5 best",
    ),
    ("bootstrap.resamples=0", "bootstrap.resamples=0: must be a whole number from 1 up"),
    ("bootstrap.resamples=2.5", "bootstrap.resamples=2.5: must be a whole number from 1 up"),
    ("bootstrap.seed=-1", "bootstrap.seed=-1: must be a whole number from 0 up"),
]


@pytest.mark.parametrize(("word", "says"), MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_computed(
    run: Command, word: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_network(monkeypatch)
    key = word.partition("=")[0]
    status, printed, complaint = run(*(each for each in CELL if not each.startswith(key)), word)
    assert (status, printed) == (2, "")
    assert_one_line(complaint, says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("experiment=occlusion", "table.differences=rank_corelation"),
            "table.differences=rank_corelation: no row has such a number; choose rank_correlation | ",
        ),
        (
            ("experiment=occlusion", "pair_metric.rank_correlation.grids=[28]", "table.differences=kendall"),
            "table.differences=kendall: no row has such a number; choose rank_correlation_28 | constant_maps",
        ),
        (("experiment=pointing", "classes=labelled"), "classes=labelled: pointing_recall needs the maps"),
        (("experiment=occlusion", "table.published=nowhere"), "nowhere.yaml"),
    ],
)
def test_a_mistake_in_a_table_is_one_line_and_nothing_is_computed(
    run: Command, words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_network(monkeypatch)
    tiny = (word for word in TINY if not word.startswith("reference"))
    status, printed, complaint = run(*words, *tiny)
    assert (status, printed) == (2, "")
    assert_one_line(complaint, says)


def comparison(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(one(one(folder, "embedded-*"), f"{name}*.json").read_text())
    return content


def test_a_table_of_recall_alone_is_made_with_its_sheet(run: Command, tmp_path: Path) -> None:
    words = ("classes=labelled_and_top5", "pair_metric=[pointing_recall]", "pictures=1")
    status, _, complaint = run(*CELL, *words)
    assert (status, "Traceback" in complaint) == (0, False), complaint
    assert one(one(tmp_path, "embedded-2-*"), "*.png").stat().st_size > 0


@pytest.mark.slow
def test_rows_are_compared_by_the_coefficient_that_was_chosen(run: Command, tmp_path: Path) -> None:
    words = ("experiment=occlusion", *TINY, "reference.patch=112", "table.name=chosen")
    status, _, complaint = run(*words, "pair_metric.rank_correlation.coefficient=kendall")
    assert (status, "Traceback" in complaint) == (0, False), complaint
    content = comparison(tmp_path, "chosen")
    assert [each["metric"] for each in content["differences"]] == ["kendall"] * 10
    (check,) = (check for check in content["checks"] if check.startswith("vgg16 by kendall: "))
    assert "; published by rank_correlation: guided_grad_cam 0.261 > grad_cam 0.254" in check


@pytest.mark.slow
def test_one_image_tells_nothing_apart(run: Command, tmp_path: Path) -> None:
    words = ("experiment=occlusion", *TINY, "reference.patch=112", "table.name=single", "dataset.limit=1")
    status, printed, complaint = run(*words, "notes=true")
    assert (status, "Traceback" in complaint) == (0, False), complaint
    assert "n 1; one image cannot tell it from 0" in " ".join(printed.split())
    assert not {"excludes", "inf", "nan"} & set(printed.replace(";", " ").split())
    content = comparison(tmp_path, "single")
    assert {(each["estimate"]["low"], each["estimate"]["n"]) for each in content["differences"]} == {
        (None, 1)
    }
    assert any("10 of 10 differences have 0 in their interval" in check for check in content["checks"])


@pytest.mark.slow
def test_where_another_metric_is_chosen_rows_are_compared_by_it(run: Command, tmp_path: Path) -> None:
    words = [word for word in TINY if not word.startswith("reference")]
    status, _, complaint = run("experiment=pointing", *words, "pair_metric=[pointing_recall]")
    assert (status, "Traceback" in complaint) == (0, False), complaint
    assert {each["metric"] for each in comparison(tmp_path, "pointing")["differences"]} == {"pointing_recall"}


def assert_one_line(complaint: str, says: str) -> None:
    """Beside the notice of the embedded images, and of their making."""
    notices = ("this is the embedded", "making the embedded")
    lines = [line for line in complaint.splitlines() if not line.startswith(notices)]
    assert len(lines) == 1, complaint
    assert lines[0].startswith("error: ")
    assert says in lines[0]
