"""Where a cell lies follows from everything that can change a number, and from nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.small_scenes import cell, scene

from benchmark.core import code_hash
from benchmark.core.code_hash import Definition
from benchmark.tasks.boxes.cell import box_cell


def test_other_code_packages_weights_or_classes_lie_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = scene(tmp_path, 1)

    def folder() -> Path:
        return cell(on, tmp_path, "grad_cam", "max_box").heatmap_folder

    folders = [folder()]
    monkeypatch.setattr("benchmark.pipeline.address.package_versions", lambda: {"torch": "0.1"})
    folders.append(folder())
    object.__setattr__(on.model, "classes", on.dataset.classes)
    folders.append(folder())
    object.__setattr__(on.model.weights, "sha256", "another")
    folders.append(folder())
    object.__setattr__(on.dataset, "samples", ())
    folders.append(folder())
    monkeypatch.setattr("benchmark.pipeline.address.code_fingerprint", lambda parts: "another")
    folders.append(folder())
    assert len(set(folders)) == len(folders)


@pytest.mark.parametrize(
    ("definition", "moved"),
    [
        (("benchmark.attribution.grad_cam", "GradCAM"), "heatmaps"),
        (("benchmark.models.forward", "forward_pass"), "heatmaps"),
        (("benchmark.datasets.images", "read_sample"), "heatmaps"),
        (("benchmark.transforms.normalize", "to_input"), "heatmaps"),
        (("benchmark.pipeline.explain", "relative"), "heatmaps"),
        (("helpers.small_models", "as_model"), "heatmaps"),
        (("benchmark.localizers.max_box", "MaxBox"), "boxes"),
        (("benchmark.core.heatmaps", "upsample"), "boxes"),
        (("benchmark.localizers.grabcut", "GrabCut"), "nothing"),
        (("benchmark.pipeline.shard_loop", "measure"), "nothing"),
        (("benchmark.metrics.localization", "Localization"), "nothing"),
    ],
)
def test_a_change_of_code_moves_what_is_made_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, definition: tuple[str, str], moved: str
) -> None:
    on = scene(tmp_path, 1)
    before = cell(on, tmp_path, "grad_cam", "max_box")
    real = code_hash._resolved

    def changed(asked: Definition) -> code_hash._Resolved:
        found = real(asked)
        return found._replace(text=found.text + "!") if asked == definition else found

    monkeypatch.setattr(code_hash, "_resolved", changed)
    after = cell(on, tmp_path, "grad_cam", "max_box")
    assert (after.heatmap_folder != before.heatmap_folder) == (moved == "heatmaps")
    assert (after.folder != before.folder) == (moved != "nothing")


def readdressed(path: Path, group: str, option: str) -> bool:
    """Whether another value of an option makes another cell."""
    on = scene(path, 1)
    before = cell(on, path, "grad_cam", "max_box")
    config = {**before.config, group: {**before.config[group], option: "another"}}
    return box_cell(on, before.row, before.method, before.localizer, config, path).folder != before.folder


@pytest.mark.parametrize("group", ["model", "transform", "method", "localizer"])
def test_another_option_is_another_cell(tmp_path: Path, group: str) -> None:
    assert readdressed(tmp_path, group, "an_option")


@pytest.mark.parametrize("option", ["weights", "weights_dir", "checksums", "classes", "note"])
def test_where_the_files_of_a_model_lie_makes_no_other_cell(tmp_path: Path, option: str) -> None:
    assert not readdressed(tmp_path, "model", option)


def test_where_the_code_of_a_part_lies_makes_no_other_cell(tmp_path: Path) -> None:
    on = scene(tmp_path, 1)
    before = cell(on, tmp_path, "grad_cam", "max_box")
    folders = set()
    for place in ("benchmark.localizers.max_box.MaxBox", "elsewhere.MaxBox"):
        config = {**before.config, "localizer": {"_target_": place}}
        localizer = replace(before.localizer, threshold=0.15)  # type: ignore[type-var]
        folders.add(box_cell(on, before.row, before.method, localizer, config, tmp_path).folder)
    assert len(folders) == 1
