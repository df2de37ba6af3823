"""Name the folders of what a run makes by the hash of all that can change a number but image files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.core.code_hash import code_fingerprint
from benchmark.core.protocols import MadeElsewhere
from benchmark.core.provenance import fingerprint, package_versions
from benchmark.pipeline.names import file_name

if TYPE_CHECKING:
    from benchmark.core.protocols import Method
    from benchmark.pipeline.scene import Scene

_FREE_OF_NUMBERS = ("weights", "weights_dir", "checksums", "classes", "note")
"""Options of a model that only say where files lie: what they hold is in the fingerprint."""


class Address(NamedTuple):
    """The folders of a cell's heatmaps and records, and the sha256 that they are named by."""

    heatmap_folder: Path
    folder: Path
    run: str


def address(
    scene: Scene,
    method: Method,
    config: Mapping[str, Any],
    runs: Path,
    *,
    name: str,
    options: Mapping[str, Any],
    code: Sequence[Any],
) -> Address:
    """Return the folders of a method on a scene, below ``runs``.

    Args:
        scene: Images, model, transform.
        method: Makes the heatmaps.
        config: Plain configuration of ``model``, ``transform`` and ``method``.
        runs: Folder of the raw records.
        name: Name of what is made of the heatmaps, such as the localizer's.
        options: Plain configuration of what is made of them.
        code: The code that makes it: functions, classes, objects of classes.
    """
    heatmaps = fingerprint(heatmap_identity(scene, method, config))
    records = fingerprint(
        {"heatmaps": heatmaps, "options": _moved_freely(options), "code": code_fingerprint(code)}
    )
    folder = runs / f"{file_name(f'{scene.model.name}-{method.name}')}-{heatmaps[:16]}"
    return Address(folder, folder / f"{file_name(name)}-{records[:16]}", records)


def heatmap_identity(scene: Scene, method: Method, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that can change a heatmap, but the image files.

    Of ``config``, a row's, model, transform and method count.
    """
    from benchmark.pipeline.batches import read_batches  # to be hashed, and not to be called
    from benchmark.pipeline.explain import explain

    model = {key: value for key, value in config["model"].items() if key not in _FREE_OF_NUMBERS}
    module, _, maker = config["model"]["_target_"].rpartition(".")
    elsewhere = {"folder": method.digest()} if isinstance(method, MadeElsewhere) else {}
    code = [getattr(import_module(module), maker), method, scene.transform, read_batches, explain]
    return {
        "dataset": scene.dataset.annotations,
        "model": {
            **_moved_freely(model),
            "input": scene.model.input.identity(),
            "sha256": scene.model.weights.sha256,
        },
        "classes": list(scene.model.classes or ()),
        "transform": _moved_freely(config["transform"]),
        "method": _moved_freely(config["method"]) | elsewhere,
        "run": scene.settings.identity(),
        **({"costly": True} if scene.costly else {}),
        "packages": package_versions(),
        "code": code_fingerprint(code),
    }


def _moved_freely(tree: Any) -> Any:
    """Cut each ``_target_`` to its last part: which class it is counts, and not where its file lies."""
    if isinstance(tree, Mapping):
        cut = {key: str(value).rpartition(".")[2] for key, value in tree.items() if key == "_target_"}
        return {key: _moved_freely(value) for key, value in tree.items()} | cut
    return [_moved_freely(value) for value in tree] if isinstance(tree, list | tuple) else tree
