"""Where on disk a cell leaves what it makes: named by the hash of everything that can change a number."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmark.attribution.common import (
    class_activation as channels,
)
from benchmark.attribution.common import (
    excitation,
    fills,
)
from benchmark.attribution.common import (
    occluded as covers,
)
from benchmark.attribution.common import (
    relu_rules as guided,
)
from benchmark.core import boxes, heatmaps, provenance, resampling
from benchmark.core import device as transfer
from benchmark.core import options as thresholds
from benchmark.core.protocols import Method
from benchmark.datasets import images
from benchmark.localizers.common import grabcut as segments
from benchmark.models import assembly, caffe_layers, forward
from benchmark.models.weights import caffemodel, mean_image, parameters
from benchmark.pipeline import explain, settings
from benchmark.pipeline.cell import Cell, Recipe, Scene
from benchmark.tasks.boxes import locate
from benchmark.transforms import normalize as inputs

_FREE_OF_NUMBERS = ("weights", "weights_dir", "checksums", "classes", "note")
"""Options of a model that only say where files lie: what they hold is in the fingerprint."""
TO_A_HEATMAP = (
    assembly,
    caffe_layers,
    caffemodel,
    channels,
    covers,
    excitation,
    explain,
    fills,
    forward,
    guided,
    images,
    inputs,
    mean_image,
    parameters,
    resampling,
    settings,
    transfer,
)
"""The code from a file to a heatmap, beside the method, the transform and the model's family."""
TO_A_BOX = (boxes, heatmaps, locate, segments, thresholds)
"""The code from a heatmap to a box, beside the localizer."""


def address(scene: Scene, recipe: Recipe, runs: Path) -> Cell:
    """The cell of a recipe on a scene, with its folders below ``runs``."""
    method, localizer = recipe.method, recipe.localizer
    heatmap_print = provenance.fingerprint(heatmap_identity(scene, method, recipe.config))
    read = {
        "heatmaps": heatmap_print,
        "localizer": dict(recipe.config["localizer"]),
        "code": provenance.code_fingerprint([localizer, *TO_A_BOX]),
    }
    cell_print = provenance.fingerprint(read)
    heatmap_folder = runs / f"{scene.model.name}-{method.name}-{heatmap_print[:16]}"
    return Cell(recipe, heatmap_folder, heatmap_folder / f"{localizer.name}-{cell_print[:16]}", cell_print)


def heatmap_identity(scene: Scene, method: Method, config: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that can change a heatmap; of a row's ``config``, model, transform and method count."""
    model = {key: value for key, value in config["model"].items() if key not in _FREE_OF_NUMBERS}
    family = import_module(config["model"]["_target_"].rpartition(".")[0])
    code = [family, method, scene.transform, *TO_A_HEATMAP]
    return {
        "dataset": scene.dataset.fingerprint,
        "model": {**model, "input": scene.model.input.identity(), "sha256": scene.model.weights.sha256},
        "classes": list(scene.model.classes or ()),
        "transform": dict(config["transform"]),
        "method": dict(config["method"]),
        "run": scene.settings.identity(),
        "packages": provenance.package_versions(),
        "code": provenance.code_fingerprint(code),
    }
