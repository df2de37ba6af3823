"""Where a cell lies: every piece of code between a file and a box takes part in the address."""

import ast
import inspect
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from small_scenes import cell, scene

import benchmark
from benchmark.address import TO_A_BOX, TO_A_HEATMAP, address
from benchmark.provenance import code_fingerprint

PACKAGE = Path(benchmark.__file__).parent
NO_NUMBERS = {
    *("__init__", "cell", "errors", "files", "interfaces", "provenance", "store", "types"),
    *("weights/download", "weights/files"),
}
"""They hand on, name, check or store what others compute."""


def read_by(file: Path) -> set[Path]:
    """The files of the package that a file imports from, at any distance."""
    found: set[Path] = set()
    todo = [file]
    while todo:
        tree = ast.parse(todo.pop().read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("benchmark"):
                base = PACKAGE.parent / str(node.module).replace(".", "/")
                near = {path for a in node.names if (path := base / f"{a.name}.py").exists()}
                new = (
                    near
                    or {base.with_suffix(".py") if base.with_suffix(".py").exists() else base / "__init__.py"}
                ) - found
                found |= new
                todo += [path for path in new if path.stem != "interfaces"]  # protocols compute nothing
    return found


def names(modules: tuple[ModuleType, ...]) -> set[str]:
    files = (Path(str(inspect.getsourcefile(module))) for module in modules)
    return {file.relative_to(PACKAGE).with_suffix("").as_posix() for file in files}


@pytest.mark.parametrize(
    "file", [*PACKAGE.glob("models/*.py"), *PACKAGE.glob("attribution/*.py"), PACKAGE / "explain.py"], ids=str
)
def test_all_that_a_heatmap_is_made_by_takes_part(file: Path) -> None:
    used = {path.relative_to(PACKAGE).with_suffix("").as_posix() for path in read_by(file)}
    assert used - NO_NUMBERS <= names(TO_A_HEATMAP)


@pytest.mark.parametrize("file", [*PACKAGE.glob("localizers/*.py"), PACKAGE / "locate.py"], ids=str)
def test_all_that_a_box_is_made_by_takes_part(file: Path) -> None:
    used = {path.relative_to(PACKAGE).with_suffix("").as_posix() for path in read_by(file)}
    assert used - NO_NUMBERS - names(TO_A_HEATMAP) <= names(TO_A_BOX)


def test_the_making_of_heatmaps_and_of_boxes_takes_part_itself() -> None:
    assert "explain" in names(TO_A_HEATMAP)
    assert "locate" in names(TO_A_BOX)


def test_other_code_packages_weights_or_classes_lie_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = scene(tmp_path, 1)

    def folder() -> Path:
        return cell(on, tmp_path, "grad_cam", "max_box").heatmap_folder

    folders = [folder()]
    monkeypatch.setattr("benchmark.provenance.package_versions", lambda: {"torch": "0.1"})
    folders.append(folder())
    object.__setattr__(on.model, "classes", on.dataset.classes)
    folders.append(folder())
    object.__setattr__(on.model.weights, "sha256", "another")
    folders.append(folder())
    object.__setattr__(on.dataset, "samples", ())
    folders.append(folder())
    monkeypatch.setattr("benchmark.provenance._normalised", lambda path: f"other {path}")
    folders.append(folder())
    assert len(set(folders)) == len(folders)


def test_other_code_of_a_localizer_moves_its_boxes_and_not_their_heatmaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = scene(tmp_path, 1)
    before = cell(on, tmp_path, "grad_cam", "max_box")
    monkeypatch.setattr(
        "benchmark.provenance.code_fingerprint",
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
