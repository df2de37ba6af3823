"""COCO by its yaml: from the command line, and from the environment."""

from pathlib import Path

import hydra
import pytest
from helpers import coco_trees as trees
from helpers.coco_trees import CLASSES, image_id
from helpers.commands import Command

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.datasets.coco import load


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return trees.make(tmp_path / "coco")


def test_the_environment_names_the_folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHMARK_COCO", str(tree))
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        dataset = build(hydra.compose("config", ["dataset=coco2014"]).dataset)
        dropped = build(hydra.compose("config", ["dataset=coco2014", "dataset.crowd=drop"]).dataset)
    plain = load(root=str(tree))
    assert (dataset.name, dataset.fingerprint) == ("coco2014", plain.fingerprint)
    assert (dataset.classes, dataset.bare) == (CLASSES, (image_id(100),))
    assert dropped.fingerprint == load(root=str(tree), crowd="drop").fingerprint


def test_the_doctor_reports_a_sound_tree(tree: Path, command: Command) -> None:
    status, told, _ = command("doctor", "dataset=coco2014", f"dataset.root={tree}")
    printed = told.splitlines()
    assert status == 0
    for line in (
        "dataset     coco2014",
        *load(root=str(tree)).report.lines(),
        f"images      {tree / 'val2014'}",
        "samples     3, not the complete set",
        "boxes       7; 2 images have several",
        "labels      5 of 80 classes",
        "pixels      3 RGB, 0 grey, 0 CMYK",
        "misfits     0 of another size than annotated",
        f"fingerprint {load(root=str(tree)).fingerprint}",
        "no problem found",
    ):
        assert line in printed
