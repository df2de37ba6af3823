"""``experiment=adversarial``, ``failures`` and ``bias`` from images to a table, on a few images."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers.commands import Command

COMMON = ("bootstrap.resamples=100", "tracking=none", "run.batch_size=2")
EMBEDDED = ("dataset.count=24", "dataset.limit=1")


def rows(folder: Path, name: str) -> dict[str, Any]:
    """Row to its json, of the only table of a name."""
    (table,) = folder.glob(f"*/{name}*.json")
    read = [json.loads(path.read_text()) for path in table.with_suffix("").glob("*.json")]
    return {one["row"]: one for one in read}


@pytest.mark.slow
def test_each_epsilon_is_a_row_whose_numbers_follow_from_its_stored_pairs(
    run: Command, tmp_path: Path
) -> None:
    attack = ("reading.adversarial.target=3", "model=vgg16_cam_compact", "pictures=1")
    few = ("reading.adversarial.steps=2", "reading.adversarial.step=4")
    status, printed, complaint = run("experiment=adversarial", *EMBEDDED, *COMMON, *attack, *few)
    assert status == 0, complaint
    found = rows(tmp_path, "adversarial")
    assert {"googlenet/epsilon_8", "googlenet/noise_8"} <= set(found)
    assert "map, rho" in printed
    stored = [pd.read_parquet(path) for path in tmp_path.glob("runs/*/labelled-*/pairs-0*.parquet")]
    after = sorted(float(frame["attack_after"].iloc[0]) for frame in stored)
    told = [found[row]["metrics"]["target"]["value"] for row in found]
    assert after == pytest.approx(sorted(told), rel=1e-5)
    assert found["googlenet/epsilon_0"]["metrics"]["rank_correlation_clean"]["value"] > 0.99
    assert run("experiment=adversarial", *EMBEDDED, "localizer=cam_20")[0] == 2


@pytest.mark.slow
def test_failures_are_counted_and_shown(run: Command, tmp_path: Path) -> None:
    words = ("dataset.count=24", "dataset.limit=8", "tracking=none", "row=googlenet/grad_cam", "pictures=2")
    status, _, complaint = run("experiment=failures", *words, "model.weights=random")
    assert status == 0, complaint
    (found,) = rows(tmp_path, "failures").values()
    assert found["metrics"]["class_wrong"]["value"] == found["metrics"]["cls_top1"]["value"] > 0
    assert [*tmp_path.glob("*/failures*.png")]
    status, _, complaint = run("experiment=failures", *words, "task.sheet=other")
    assert (status, "task.sheet=other: must be chosen | failures" in complaint) == (2, True)


@pytest.mark.slow
def test_the_map_s_mass_on_regions_beside_the_images_is_tabulated(run: Command, tmp_path: Path) -> None:
    words = ("experiment=bias", "dataset.count=8", "model.weights=random", *COMMON, "pictures=0")
    status, printed, complaint = run(*words)
    assert status == 0, complaint
    found = rows(tmp_path, "bias")["vgg16/biased"]
    assert found["metrics"]["accuracy_with_0"]["n"] == found["metrics"]["accuracy_without_1"]["n"] == 2
    assert "(82.00)" in printed
    status, _, complaint = run(*words, f"reading.region.folder={tmp_path}")
    assert (status, f"{tmp_path}/ILSVRC2012_val_00000001.png" in complaint) == (2, True)
