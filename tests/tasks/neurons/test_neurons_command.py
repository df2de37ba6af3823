"""``experiment=neurons`` and ``experiment=explain_text`` from images to names, and misused."""

import csv
import json
from pathlib import Path

import pytest
from helpers.commands import Command

from benchmark.reporting.neuron_names import read_names

WORDS = (
    "row=googlenet/grad_cam",
    "dataset.count=24",
    "bootstrap.resamples=100",
    "tracking=none",
    "pictures=1",
)


@pytest.mark.slow
def test_units_are_named_and_their_names_explain_each_image(command: Command, tmp_path: Path) -> None:
    places = (f"results_dir={tmp_path}", f"cache_dir={tmp_path / 'cache'}")
    own = tuple(word for word in WORDS if not word.startswith("bootstrap"))
    status, printed, complaint = command("run", "experiment=neurons", *own, "task.resamples=20", *places)
    assert (status, "Traceback" in complaint) == (0, False), complaint
    (table,) = tmp_path.glob("embedded*/neurons*names/*.csv")
    assert str(table) in printed
    names = read_names(table)
    assert (names.units, names.origin["layer"]) == (256, "inception_5b")
    (found,) = (json.loads(path.read_text()) for path in tmp_path.glob("embedded*/neurons*/*.json"))
    assert found["counts"]["named_units"] == len(names.above(0.05))
    assert found["metrics"]["named_units"]["value"] == len(names.above(0.05)) / 256
    assert found["metrics"]["named_units"]["n"] == 24

    named = f"pair_metric.neuron_names.table={table}"
    status, printed, complaint = command("run", "experiment=explain_text", *WORDS, named, *places)
    assert (status, "Traceback" in complaint) == (0, False), complaint
    (file,) = tmp_path.glob("embedded*/explain_text*sentences.csv")
    assert str(file) in printed
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 24
    assert all(row["sentence"].startswith(f"{row['class']}: because of ") for row in rows)
    assert len(list(tmp_path.glob("embedded*/*.png"))) == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("experiment=neurons", "concepts=voc"), "concepts=voc: not one image of embedded has masks"),
        (("experiment=neurons", "concepts=none"), "concepts=none"),
        (("experiment=neurons", "task.quantile=1"), "task.quantile=1"),
        (("experiment=neurons", "row=googlenet/grad_cam", "method=backprop"), "choose method=grad_cam"),
        (("experiment=neurons", "localizer.threshold=0.2"), "draws no box"),
        (
            ("experiment=explain_text", "row=googlenet/grad_cam", "pair_metric.neuron_names.table=no.csv"),
            "no.csv: cannot be read",
        ),
        (("experiment=neurons", "concepts=voc", "concepts.folder=/no"), "concepts.folder=, or other images"),
    ],
)
def test_a_mistake_is_one_line(
    command: Command, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    places = (f"results_dir={tmp_path}", f"cache_dir={tmp_path / 'cache'}", "tracking=none")
    status, _, said = command("run", *words, *places, "dataset.count=24")
    assert (status, "Traceback" in said) == (2, False), said
    assert complaint in said.strip().splitlines()[-1]
