"""A small scene whose images hold objects of several classes, and questions to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmark.attribution.occlusion import Occlusion
from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.core.types import Model, Objects
from benchmark.pipeline.cell import Cell
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.results import files_of
from benchmark.pipeline.rows import Row
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.pipeline.shard_loop import measure, refuse_unreadable
from benchmark.tasks.pairs.ask import Question, pair_cell
from benchmark.tasks.pairs.class_policies.labelled import Labelled
from benchmark.tasks.pairs.class_policies.labelled_and_top5 import LabelledAndTop5
from benchmark.tasks.pairs.class_policies.predicted import Predicted
from benchmark.tasks.pairs.metrics.rank_correlation import RankCorrelation
from benchmark.tasks.pairs.plan import PairRow, plan_of
from benchmark.tasks.pairs.readings.summary import Summary
from benchmark.tasks.pairs.recorder import PairRecorder
from benchmark.tasks.pairs.records import STORE, read_pairs
from benchmark.tasks.pairs.types import ClassPolicy, PairMetric, Pairs
from benchmark.transforms import Warp
from helpers.small_models import googlenet_like, small
from helpers.small_scenes import METHODS, folder

OCCLUSION = Occlusion(patch=6, stride=3)
MADE: Mapping[str, Method] = {**METHODS, "occlusion": OCCLUSION}
POLICIES: Mapping[str, ClassPolicy] = {
    "labelled": Labelled(),
    "difficult": Labelled(difficult=True),
    "with_top5": LabelledAndTop5(),
    "predicted": Predicted(count=2),
}
GRIDS = (4, 5)
METRICS: Mapping[str, PairMetric] = {"rank_correlation": RankCorrelation("rank_correlation", 1, grids=GRIDS)}

# Of each image: class, whether difficult; two objects of a class lie apart.
HELD: tuple[tuple[tuple[int, bool], ...], ...] = (
    ((3, False), (1, False), (3, True)),
    ((2, True), (0, False)),
    ((4, True),),  # of which a policy that leaves difficult classes out asks nothing
    ((5, False),),
    ((6, False), (5, False), (4, False), (6, False)),
    ((4, True), (4, True)),
    ((0, True),),
)


def multi_scene(path: Path, **options: Any) -> Scene:
    """Seven images in batches, and shards, of three; in the third of them no class is asked by default."""
    plain = folder(path, len(HELD))
    rng, samples = np.random.default_rng(5), []
    for sample, held in zip(plain.samples, HELD, strict=True):
        assert sample.size is not None
        width, height = sample.size
        corners = rng.integers(0, [width - 4, height - 4], (len(held), 2))
        sizes = rng.integers(2, [width // 2, height // 2], (len(held), 2))
        boxes = np.concatenate([corners, np.minimum(corners + sizes, [width, height])], 1).astype(np.int32)
        classes = np.array([label for label, _ in held], np.int32)
        objects = Objects(classes, boxes, np.array([hard for _, hard in held], np.bool_))
        samples.append(replace(sample, label=int(classes[0]), boxes=boxes[:1], objects=objects))
    settings = replace(RunSettings(device="cpu", batch_size=3, top_k=2, threads=2), **options)
    dataset = replace(plain, samples=tuple(samples))
    return Scene(dataset, small(googlenet_like, torch.float32), Warp(), settings)


def question(policy: str = "labelled") -> Question:
    """Which classes, and a summary of small grids."""
    config = {"classes": {"name": policy}, "readings": {"summary": {"grids": list(GRIDS)}}}
    return Question(POLICIES[policy], {"summary": Summary(GRIDS)}, config)


def config_of(on: Scene, method: str) -> dict[str, Any]:
    """A row's plain configuration."""
    options = {"patch": OCCLUSION.patch} if method == "occlusion" else {}
    return {
        "model": {"_target_": "helpers.small_models.as_model", "name": on.model.name},
        "transform": {"name": "warp"},
        "method": {"name": method, **options},
        "dataset": {},
    }


def cells_of(on: Scene, runs: Path, policy: str = "labelled", *methods: str) -> list[Cell]:
    """The cells of some methods, by default of all."""
    names = methods or tuple(MADE)
    return [pair_cell(on, question(policy), MADE[name], config_of(on, name), runs) for name in names]


def made(on: Scene, asked: Question, cells: Sequence[Cell]) -> None:
    """Make what is missing of some cells."""
    refuse_unreadable(measure(PairRecorder(on, asked), cells))


def missing(on: Scene, cells: Sequence[Cell]) -> set[int]:
    """The numbers of the shards that some cell lacks."""
    numbers = range(len(on.shards))
    return {n for n in numbers if not all(STORE.file(of.folder, n).exists() for of in cells)}


def stored(cell: Cell) -> Pairs:
    """All pairs of a cell."""
    return read_pairs(files_of(cell, STORE))


def assert_same(left: Pairs, right: Pairs) -> None:
    """Bit by bit."""
    assert (left.image_ids, left.done, left.skipped) == (right.image_ids, right.done, right.skipped)
    assert list(left.columns) == list(right.columns)
    for name, column in left.columns.items():
        np.testing.assert_array_equal(column, right.columns[name], err_msg=name, strict=True)


def assert_close(left: Pairs, right: Pairs) -> None:
    """To rounding."""
    assert (left.image_ids, left.done, set(left.columns)) == (
        right.image_ids,
        right.done,
        set(right.columns),
    )
    for name, column in left.columns.items():
        np.testing.assert_allclose(column, right.columns[name], rtol=1e-4, atol=1e-6, err_msg=name)


def counted(on: Scene) -> list[int]:
    """The sizes of all batches that the network is given from now on."""
    calls: list[int] = []
    forward = on.model.module.forward

    def counting(x: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        logits: torch.Tensor = forward(x)
        return logits

    on.model.module.forward = counting
    return calls


class Broken(nn.Module):
    """A network that must not be asked."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise AssertionError("there was to be no forward pass")


@dataclass(frozen=True)
class Parts:
    """A row, each part of it to be replaced by another."""

    row: str
    config: Mapping[str, Any]
    model: Callable[[], Model]
    transform: Callable[[], Any]
    method: Callable[[], Method]
    reference: Callable[[], Method | None]
    question: Callable[[], Question]
    metrics: Callable[[], Mapping[str, PairMetric]]

    def configured(self) -> Row:
        """As the plan takes it."""
        builders: dict[str, Callable[[], Any]] = {
            "model": self.model,
            "transform": self.transform,
            "method": self.method,
            "reference": self.reference,
            "classes": lambda: self.question().policy,
            "reading": lambda: self.question().readings,
            "pair_metric": self.metrics,
        }
        return Row(self.row, self.config, (), lambda group: builders[group]())


def planned(on: Scene, runs: Path, *rows: Parts) -> Plan[PairRow]:
    """A plan of rows."""
    return plan_of(on.dataset, on.settings, runs, [row.configured() for row in rows])


def parts(
    on: Scene,
    row: str,
    method: str,
    reference: Occlusion | None = OCCLUSION,
    policy: str = "labelled",
    model: Callable[[], Model] | None = None,
) -> Parts:
    """A row; ``reference`` is told apart by its patch."""
    net, _, _ = row.partition("/")
    config = {
        **config_of(on, method),
        "reference": None if reference is None else {"name": "occlusion", "patch": reference.patch},
        "classes": {"name": policy},
        "reading": {"summary": {"grids": list(GRIDS)}},
        "run": {},
    }
    config["model"] = {"_target_": "helpers.small_models.as_model", "name": net}
    return Parts(
        row=row,
        config=config,
        model=model or (lambda: on.model),
        transform=Warp,
        method=lambda: MADE[method],
        reference=lambda: reference,
        question=lambda: question(policy),
        metrics=lambda: METRICS,
    )


def absent() -> Model:
    """A network without weights."""
    raise UserError("absent.caffemodel: not found; put it into weights/")
