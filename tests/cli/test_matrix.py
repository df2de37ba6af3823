"""``./scripts/matrix`` on a few embedded images: files, the second time, held-out images, mistakes."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers.commands import Command

import benchmark.tasks.boxes.recorder
from benchmark.pipeline.explain import explain

FEW = ("methods=[grad_cam,cam,backprop]", "localizers=[gradcam_15,fong_mean]", "run.batch_size=4")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def matrix(command: Command, tmp_path: Path, cache: Path) -> Command:
    """``matrix("key=value", …)``: exit status, stdout and stderr."""
    places = (f"results_dir={tmp_path / 'results'}", f"cache_dir={cache}", "dataset.count=24")
    return partial(command, "matrix", *places, "dataset.limit=7", "tracking=none")


def close_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a forward pass")

    monkeypatch.setattr(benchmark.tasks.boxes.recorder, "explain", refuse)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.mark.slow
def test_one_forward_pass_serves_every_row_and_the_second_time_none_is_needed(
    matrix: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passes: list[int] = []

    def counted(scene: Any, methods: Any, batch: Any) -> Any:
        passes.append(len(batch.samples))
        assert len(methods) == 3
        return explain(scene, methods, batch)

    monkeypatch.setattr(benchmark.tasks.boxes.recorder, "explain", counted)
    status, printed, complaint = matrix(*FEW, "notes=true")
    assert (status, "Traceback" in complaint) == (0, False), complaint
    assert passes == [4, 3], "each image once, image-sized maps and all protocols included"
    assert "this is the embedded default" in complaint
    assert "None was tuned" in printed
    assert "ORACLE, no result" in printed
    (table,) = (tmp_path / "results").glob("embedded-7-*/matrix-*.json")
    rows = [
        f"{method}/{name}"
        for method in ("grad_cam", "cam", "backprop")
        for name in ("gradcam_15", "fong_mean")
    ]
    assert json.loads(table.read_text())["rows"] == [*rows, "whole_image", "center_box"]
    for suffix in (".md", ".txt", ".csv", "-curves.csv", ".png"):
        assert table.with_name(table.stem + suffix).stat().st_size > 500
    tidy = pd.read_csv(table.with_suffix(".csv")).query("metric == 'gt_known'").set_index("row")
    assert tidy["protocol"].loc["cam/fong_mean"] == "fong_mean v1"
    points = pd.read_csv(table.with_name(f"{table.stem}-curves.csv"))
    for name, at in (("gradcam_15", 0.15), ("fong_mean", 1.5)):
        for row in (f"{method}/{name}" for method in ("grad_cam", "cam", "backprop")):
            (on_curve,) = points.query(f"row == '{row}' and threshold == {at}")["gt_known"]
            ((low, measured, high),) = tidy.query(f"row == '{row}'")[["low", "measured", "high"]].to_numpy()
            assert low <= measured == on_curve <= high
    before = files_of(table.parent)

    close_the_way(monkeypatch)
    assert matrix(*FEW)[0] == 0
    assert files_of(table.parent) == before
    # Another protocol, of stored heatmaps; and thresholds chosen on held-out images.
    held = tmp_path / "list.txt"
    held.write_text("".join(f"ILSVRC2012_val_0000000{number}\n" for number in (1, 2, 3)))
    words = ("methods=[cam]", "localizers=[cam_20,cam_dtbox,wsol_maxboxacc_v1]", "run.batch_size=4")
    status, printed, _ = matrix(*words, f"heldout={held}", "notes=true")
    assert status == 0
    assert "chosen on list.txt" in printed
    assert "on the 3 images of list.txt" in " ".join(printed.split())
    (chosen,) = (tmp_path / "results").glob("embedded-4-*/matrix-*.json")
    row = json.loads((chosen.parent / chosen.stem / "cam-cam_20+heldout.json").read_text())
    assert row["localizer"].endswith("chosen on list.txt, 3 images")
    assert row["metrics"]["gt_known"]["n"] == 4
    assert files_of(table.parent) == before


def test_a_method_that_does_not_fit_is_an_open_row_and_the_rest_is_measured(matrix: Command) -> None:
    few = ("methods=[cam,grad_cam]", "localizers=[gradcam_15]", "dataset.limit=2", "baselines=[]")
    status, printed, _ = matrix("model=vgg16_compact", "dataset=embedded", *few)
    assert status == 4
    text = " ".join(printed.split())
    assert "gradcam_15 open" in text
    assert "cam/gradcam_15: method cam needs global average pooling" in text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["methods=[grad_cma]"], "method=grad_cma: there is no such method; choose one of "),
        (["localizers=[gradcam15]"], "localizer=gradcam15: there is no such localizer; choose one of "),
        (["methods=cam"], "methods=cam: give a list, such as methods=[grad_cam,cam]"),
        (["methods=[]"], "methods=[]: give a list"),
        (["method=cam"], "method=cam: the rows go over a list"),
        (["heldot=x"], "heldot: there is no such option here; did you mean heldout?"),
        (["heldout=/nowhere/x.txt"], "/nowhere/x.txt"),
        (["heldout={folder}/strange.txt"], "cat: no image of embedded"),
        (["heldout={folder}/all.txt"], "leaves no image to evaluate"),
        (["localizers=[fong_mean]", "localizer.threshold=0.5"], "localizer.threshold=0.5: no row"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(
    matrix: Command, tmp_path: Path, typed: list[str], says: str
) -> None:
    (tmp_path / "strange.txt").write_text("cat\n")
    (tmp_path / "all.txt").write_text("".join(f"ILSVRC2012_val_0000000{n}\n" for n in range(1, 8)))
    few = [] if typed[0].startswith("methods") else ["methods=[cam]"]
    few += [] if typed[0].startswith("localizers") else ["localizers=[cam_20]"]
    status, printed, complaint = matrix(
        *few, "baselines=[]", *(word.format(folder=tmp_path) for word in typed)
    )
    assert (status, printed) == (2, "")
    assert complaint.startswith("error: ")
    assert says in complaint
    assert len(complaint.splitlines()) == 1
