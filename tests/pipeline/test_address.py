"""Where a cell lies: every piece of code between a file and a box takes part in the address."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.small_scenes import cell, scene

from benchmark.core.provenance import code_fingerprint
from benchmark.pipeline.address import TO_A_BOX, address


def test_other_code_packages_weights_or_classes_lie_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = scene(tmp_path, 1)

    def folder() -> Path:
        return cell(on, tmp_path, "grad_cam", "max_box").heatmap_folder

    folders = [folder()]
    monkeypatch.setattr("benchmark.core.provenance.package_versions", lambda: {"torch": "0.1"})
    folders.append(folder())
    object.__setattr__(on.model, "classes", on.dataset.classes)
    folders.append(folder())
    object.__setattr__(on.model.weights, "sha256", "another")
    folders.append(folder())
    object.__setattr__(on.dataset, "samples", ())
    folders.append(folder())
    monkeypatch.setattr("benchmark.core.provenance._normalised", lambda path: f"other {path}")
    folders.append(folder())
    assert len(set(folders)) == len(folders)


def test_other_code_of_a_localizer_moves_its_boxes_and_not_their_heatmaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = scene(tmp_path, 1)
    before = cell(on, tmp_path, "grad_cam", "max_box")
    monkeypatch.setattr(
        "benchmark.core.provenance.code_fingerprint",
        lambda parts: code_fingerprint(parts) + "!" * any(part in TO_A_BOX for part in parts),
    )
    after = cell(on, tmp_path, "grad_cam", "max_box")
    assert after.heatmap_folder == before.heatmap_folder
    assert after.folder != before.folder


def readdressed(path: Path, group: str, option: str) -> bool:
    """Whether another value of an option makes another cell."""
    on = scene(path, 1)
    before = cell(on, path, "grad_cam", "max_box")
    config = {**before.recipe.config, group: {**before.recipe.config[group], option: "another"}}
    return address(on, replace(before.recipe, config=config), path).folder != before.folder


@pytest.mark.parametrize("group", ["model", "transform", "method", "localizer"])
def test_another_option_is_another_cell(tmp_path: Path, group: str) -> None:
    assert readdressed(tmp_path, group, "an_option")


@pytest.mark.parametrize("option", ["weights", "weights_dir", "checksums", "classes", "note"])
def test_where_the_files_of_a_model_lie_makes_no_other_cell(tmp_path: Path, option: str) -> None:
    assert not readdressed(tmp_path, "model", option)
