"""Small scenes: a few images on disk and a small random model, for tests of the run as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmark.attribution.backprop import Backprop
from benchmark.attribution.cam import CAM
from benchmark.attribution.grad_cam import GradCAM
from benchmark.core.protocols import Localizer, Method
from benchmark.core.provenance import fingerprint
from benchmark.core.types import Records, Sample
from benchmark.localizers.grabcut import GrabCut
from benchmark.localizers.max_box import MaxBox
from benchmark.pipeline.results import files_of
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.pipeline.shard_loop import measure, refuse_unreadable
from benchmark.tasks.boxes.cell import BoxCell, box_cell
from benchmark.tasks.boxes.recorder import BoxRecorder
from benchmark.tasks.boxes.records import STORE, read_records
from benchmark.transforms import Warp
from helpers.small_models import googlenet_like, small


@dataclass(frozen=True)
class Folder:
    """A dataset that is a list of samples."""

    samples: tuple[Sample, ...]
    name: str = "folder"
    classes: tuple[str, ...] = tuple(f"n{i:08d}" for i in range(7))
    class_names: tuple[str, ...] = tuple(f"thing {i}" for i in range(7))
    complete: bool = False
    skipped: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        return fingerprint([[sample.image_id, sample.bytes] for sample in self.samples])

    @property
    def annotations(self) -> str:
        return fingerprint([sample.image_id for sample in self.samples])


def folder(path: Path, count: int = 10) -> Folder:
    rng = np.random.default_rng(0)
    samples = []
    for number in range(count):
        height, width = rng.integers(14, 40, 2).tolist()
        file = path / f"image_{number:03d}.png"
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(file)
        boxes = np.array([[0, 0, width // 2, height // 2], [1, 1, width, height]][: 1 + number % 2], np.int32)
        samples.append(Sample(file.stem, file, number % 7, boxes, number % 5 == 0, (width, height)))
    return Folder(tuple(map(_measured, samples)))


def _measured(sample: Sample) -> Sample:
    assert sample.path is not None
    return replace(sample, bytes=sample.path.stat().st_size)


METHODS: dict[str, Method] = {"grad_cam": GradCAM(), "cam": CAM(), "backprop": Backprop()}
LOCALIZERS: dict[str, Localizer] = {
    "max_box": MaxBox("max_box", 1, 0.15, grid=(0.2, 0.5)),
    "strict": MaxBox("strict", 1, 0.6, grid=(0.2, 0.5)),
    "grabcut": GrabCut("grabcut", 1, iterations=1),
}


def scene(path: Path, count: int = 10, **options: Any) -> Scene:
    settings = RunSettings(device="cpu", batch_size=3, top_k=2, threads=2)
    model = small(googlenet_like, torch.float32)
    return Scene(folder(path, count), model, Warp(), replace(settings, **options))


def cell(on: Scene, runs: Path, method: str, localizer: str) -> BoxCell:
    config = {
        "model": {"_target_": "helpers.small_models.as_model", "name": on.model.name},
        "transform": {"name": "warp"},
        "method": {"name": method},
        "localizer": {"name": localizer},
        "dataset": {},
    }
    row = f"{on.model.name}/{method}"
    return box_cell(on, row, METHODS[method], LOCALIZERS[localizer], config, runs)


def made(on: Scene, cells: Sequence[BoxCell]) -> None:
    """Make what is missing of some cells."""
    refuse_unreadable(measure(BoxRecorder(on), cells))


def records(cell: BoxCell) -> Records:
    """All records of a cell."""
    return read_records(files_of(cell, STORE))


def listed_again(on: Scene) -> Scene:
    """The same scene, as a run that begins now finds its images."""
    assert isinstance(on.dataset, Folder)
    return replace(on, dataset=replace(on.dataset, samples=tuple(map(_measured, on.dataset.samples))))


def with_settings(on: Scene, **options: Any) -> Scene:
    return replace(on, settings=replace(on.settings, **options))
