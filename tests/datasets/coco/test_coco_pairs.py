"""From a tree of COCO to stored pairs: shares and distances are those of pycocotools' masks."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import coco_trees as trees
from helpers.coco_trees import CLASSES
from helpers.pair_scenes import made, stored
from helpers.small_models import googlenet_like, small
from helpers.small_scenes import METHODS
from pycocotools.coco import COCO
from scipy.ndimage import distance_transform_edt
from torch import nn

from benchmark.core.types import BoolArray, Model
from benchmark.datasets.coco import load
from benchmark.pipeline.cell import Cell
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.tasks.pairs.ask import Question, pair_cell
from benchmark.tasks.pairs.class_policies.labelled import Labelled
from benchmark.tasks.pairs.readings.summary import Summary
from benchmark.tasks.pairs.types import Pairs
from benchmark.transforms import Warp

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # pycocotools' own

QUESTION = Question(
    Labelled(),
    {"summary": Summary((4, 5))},
    {"classes": {"name": "labelled"}, "readings": {"summary": {"grids": [4, 5]}}},
)
PAIRS = [  # image and class, the classes of an image ascending
    *((42, "cat"), (42, "dog")),
    *((73, "person"), (73, "bicycle")),
    (139, "toothbrush"),
]


def of_80_classes() -> Model:
    model = googlenet_like()
    assert isinstance(model.module, nn.Sequential)
    model.module[5] = nn.Linear(15, 80)
    model.module.requires_grad_(False)
    return model


def answers(root: Path, runs: Path) -> dict[str, Pairs]:
    """The stored pairs of two methods."""
    settings = RunSettings(device="cpu", batch_size=2, top_k=2, threads=2)
    on = Scene(load(root=str(root)), small(of_80_classes, torch.float32), Warp(), settings)
    cells: dict[str, Cell] = {}
    for name in ("grad_cam", "backprop"):
        config = {
            "model": {"_target_": "helpers.small_models.as_model", "name": on.model.name},
            "transform": {"name": "warp"},
            "method": {"name": name},
            "dataset": {},
        }
        cells[name] = pair_cell(on, QUESTION, METHODS[name], config, runs)
    made(on, QUESTION, list(cells.values()))
    return {name: stored(cell) for name, cell in cells.items()}


def union(coco: Any, annotations: list[Any]) -> BoolArray:
    return np.asarray(np.any([coco.annToMask(each) > 0 for each in annotations], axis=0))


def distance(pixels: BoolArray, x: int, y: int) -> float:
    """Scipy's: of each pixel to the nearest zero."""
    return float(distance_transform_edt(~pixels)[y, x]) if pixels.any() else np.inf


def test_shares_and_distances_of_each_pair_are_those_of_pycocotools_masks(tmp_path: Path) -> None:
    root = trees.make(tmp_path / "coco")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(trees.json_of(root)))
    kinds = set()
    for pairs in answers(root, tmp_path / "runs").values():
        images = [int(each[-12:]) for each in pairs.image_ids]
        found = [(i, CLASSES[label]) for i, label in zip(images, pairs.columns["label"], strict=True)]
        assert (found, pairs.done, dict(pairs.skipped)) == (PAIRS, 3, {})
        for row, (number, name) in enumerate(PAIRS):
            held = coco.imgToAnns[number]
            own, others = (
                [each for each in held if (each["category_id"] == trees.category(name)) == mine]
                for mine in (True, False)
            )
            mask, other = union(coco, own), union(coco, others) if others else np.zeros(1, np.bool_)
            column = {key: values[row] for key, values in pairs.columns.items()}
            assert column["share"] == np.float32(mask.mean())
            assert column["other_share"] == np.float32(other.mean())
            assert (column["labelled"], column["difficult"]) == (True, False)
            x, y = column["peak"].tolist()
            assert column["own_distance"] == pytest.approx(distance(mask, x, y), rel=1e-6)
            expected = distance(other, x, y) if others else np.inf
            assert column["other_distance"] == pytest.approx(expected, rel=1e-6)
            kinds.add("inside" if mask[y, x] else "outside" if mask.any() else "without a pixel")
    assert kinds == {"inside", "outside", "without a pixel"}
