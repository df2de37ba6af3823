"""A model is asked for its outputs once, and a misfit is refused before anything is measured."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.small_scenes import folder, scene
from torch import Tensor, nn

from benchmark.attribution.cam import CAM
from benchmark.attribution.occlusion import Occlusion
from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.pipeline.plan import Scenes
from benchmark.pipeline.rows import Row
from benchmark.pipeline.scene import Scene
from benchmark.transforms import Warp


def counted(on: Scene) -> list[int]:
    """The number of images in each forward pass from now on."""
    calls: list[int] = []

    def hook(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        calls.append(len(args[0]))

    on.model.module.register_forward_pre_hook(hook)
    return calls


def of(scenes: Scenes, model: Model, transform: str = "warp", parts: Sequence[object] = ()) -> Scene:
    config = {"model": {"name": model.name}, "transform": {"name": transform}}
    return scenes.of(Row("a row", config, (), lambda group: model if group == "model" else Warp()), *parts)


def test_outputs_that_are_not_the_classes_of_the_dataset_are_refused_each_time(tmp_path: Path) -> None:
    on = scene(tmp_path)
    calls = counted(on)
    images = folder(tmp_path)
    scenes = Scenes(replace(images, classes=images.classes[:5]), on.settings)
    for _ in range(2):
        with pytest.raises(UserError, match=r"7 outputs and dataset folder 5 classes"):
            of(scenes, on.model)
    assert len(scenes) == 0
    assert calls == [1]


def test_scenes_of_one_model_ask_it_once(tmp_path: Path) -> None:
    on = scene(tmp_path)
    calls = counted(on)
    scenes = Scenes(on.dataset, on.settings)
    assert of(scenes, on.model) is of(scenes, on.model)
    assert of(scenes, on.model, "another") is not of(scenes, on.model)
    assert of(scenes, on.model, parts=[Occlusion()]).costly
    assert not of(scenes, on.model, parts=[CAM()]).costly
    assert scenes.outputs(on.model) == 7
    assert calls == [1]
