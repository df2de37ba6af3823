"""A model that names the colour of an image, asked about red, green and blue ones."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.small_models import SpatialMean, as_model
from helpers.small_scenes import Folder
from PIL import Image
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import Sample
from benchmark.diagnostics.doctor.model import Accuracy, describe, probabilities, ranks, summary, try_input
from benchmark.diagnostics.doctor.verdict import near_chance
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.transforms import Warp

COLOURS = ("blue", "green", "red")
CHANNELS = ("red", "green", "blue")


def measured_on(scene: Scene, count: int, pool: ThreadPoolExecutor) -> Accuracy:
    return summary(ranks(scene, count, pool))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Thirty images, ten a colour; the model's outputs are the means of the channels."""
    samples = []
    for number in range(30):
        label = number % 3
        pixels = np.zeros((9, 12, 3), np.uint8)
        pixels[..., CHANNELS.index(COLOURS[label])] = 200
        path = tmp_path / f"image_{number:02d}.png"
        Image.fromarray(pixels).save(path)
        samples.append(Sample(path.stem, path, label, np.array([[0, 0, 1, 1]], np.int32)))
    dataset: Any = Folder(tuple(samples), classes=COLOURS, class_names=COLOURS)
    warp: Any = Warp()  # Any: protocols ask for settable names, these are frozen
    model = replace(as_model(SpatialMean(), "mean"), classes=CHANNELS)
    return Scene(dataset, model, warp, RunSettings(device="cpu", batch_size=4))


def test_the_right_class_order_is_always_right(scene: Scene) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert measured_on(scene, 21, pool) == Accuracy(1.0, 1.0, 21)


def test_a_wrong_class_order_is_seen(scene: Scene) -> None:
    turned = replace(scene, model=replace(scene.model, classes=("blue", "red", "green")))
    with ThreadPoolExecutor(2) as pool:
        measured = measured_on(turned, 30, pool)
    assert (measured.top1, measured.top5) == (0.0, 1.0)
    assert "model.classes=" in near_chance(measured, 3)


def test_unreadable_images_are_left_out(scene: Scene) -> None:
    for sample in scene.dataset.samples[:10]:
        assert sample.path is not None
        sample.path.write_bytes(b"")
    with ThreadPoolExecutor(2) as pool:
        assert measured_on(scene, 30, pool) == Accuracy(1.0, 1.0, 20)


def test_a_model_without_a_class_of_the_dataset_is_refused(scene: Scene) -> None:
    lacking = replace(scene, model=replace(scene.model, classes=("red", "green", "yellow")))
    with ThreadPoolExecutor(2) as pool, pytest.raises(UserError, match="blue"):
        measured_on(lacking, 30, pool)


class Says(nn.Module):
    """The same three scores, whatever it is shown."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores = torch.tensor([scores])

    def forward(self, images: Tensor) -> Tensor:
        return self.scores.expand(len(images), -1)


@pytest.mark.parametrize(
    ("scores", "beaten"), [((0.0, 0.0, 0.0), [2, 2, 2]), ((0.0, 1.0, 1.0), [1, 1, 2]), ((3, 2, 1), [2, 1, 0])]
)
def test_a_class_that_the_label_does_not_beat_is_counted_against_it(
    scene: Scene, scores: tuple[float, ...], beaten: list[int]
) -> None:
    same = replace(scene, model=replace(scene.model, module=Says(*scores)))
    with ThreadPoolExecutor(2) as pool:
        rank = ranks(same, 30, pool)
    assert sorted(rank.tolist()) == sorted(10 * beaten)


def test_constant_scores_are_no_accuracy(scene: Scene) -> None:
    same = replace(scene, model=replace(scene.model, module=Says(0.0, 0.0, 0.0)))
    with ThreadPoolExecutor(2) as pool:
        assert measured_on(same, 30, pool).top1 == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("precision", "remedy"), [("float16", "choose run.precision=float32"), ("float32", "look at the weights")]
)
def test_scores_that_are_not_finite_are_refused_with_precision_and_weights_as_suspects(
    scene: Scene, value: float, precision: Any, remedy: str
) -> None:
    wrong = replace(scene.model, module=Says(0.0, value, 0.0))
    settings = RunSettings(device="cpu", precision=precision)
    with pytest.raises(UserError, match=remedy) as refused:
        probabilities(wrong, torch.zeros(2, 3, 12, 12), settings)
    assert f"run.precision={precision}" in str(refused.value)
    assert "model.weights=FILE" in str(refused.value)


def test_a_size_that_the_model_does_not_take_is_refused(scene: Scene) -> None:
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 12, 3))
    settings = RunSettings(device="cpu")
    try_input(replace(scene.model, module=fixed), settings)
    other = replace(scene.model, module=fixed, input=replace(scene.model.input, size=14))
    with pytest.raises(
        UserError, match=r"model mean does not take inputs of 14 pixels: .*model\.input\.size"
    ):
        try_input(other, settings)


def test_a_model_is_described_by_its_weights_input_and_layers(scene: Scene) -> None:
    said = "\n".join(describe(replace(scene.model, layers={"last_conv": "conv"})))
    for words in ("mean, 0 parameters", "random", "12x12 rgb", "0.4, 0.5, 0.6", "last_conv: conv"):
        assert words in said
