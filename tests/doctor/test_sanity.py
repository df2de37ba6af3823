"""A model that names the colour of an image, asked about red, green and blue ones."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_models import SpatialMean, as_model
from small_scenes import Folder

from benchmark.cell import Scene
from benchmark.doctor.sanity import Accuracy, accuracy, describe, fault
from benchmark.errors import UserError
from benchmark.settings import RunSettings
from benchmark.transforms import Warp
from benchmark.types import Sample

COLOURS = ("blue", "green", "red")
CHANNELS = ("red", "green", "blue")


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
        assert accuracy(scene, 21, pool) == Accuracy(1.0, 1.0, 21)


def test_a_wrong_class_order_is_seen(scene: Scene) -> None:
    turned = replace(scene, model=replace(scene.model, classes=("blue", "red", "green")))
    with ThreadPoolExecutor(2) as pool:
        measured = accuracy(turned, 30, pool)
    assert (measured.top1, measured.top5) == (0.0, 1.0)
    assert "model.classes=" in fault(measured, 3)


def test_unreadable_images_are_left_out(scene: Scene) -> None:
    for sample in scene.dataset.samples[:10]:
        assert sample.path is not None
        sample.path.write_bytes(b"")
    with ThreadPoolExecutor(2) as pool:
        assert accuracy(scene, 30, pool) == Accuracy(1.0, 1.0, 20)


def test_a_model_without_a_class_of_the_dataset_is_refused(scene: Scene) -> None:
    lacking = replace(scene, model=replace(scene.model, classes=("red", "green", "yellow")))
    with ThreadPoolExecutor(2) as pool, pytest.raises(UserError, match="blue"):
        accuracy(lacking, 30, pool)


@pytest.mark.parametrize(
    ("measured", "classes", "wrong"),
    [
        (Accuracy(0.001, 0.005, 200), 1000, True),
        (Accuracy(0.56, 0.8, 200), 1000, False),
        (Accuracy(0.0, 0.0, 5), 1000, False),
        (Accuracy(0.1, 0.3, 200), 20, True),
        (Accuracy(0.4, 0.8, 200), 20, False),
    ],
)
def test_only_an_accuracy_near_chance_on_enough_images_is_a_fault(
    measured: Accuracy, classes: int, wrong: bool
) -> None:
    assert bool(fault(measured, classes)) == wrong


def test_a_model_is_described_by_its_weights_input_and_layers(scene: Scene) -> None:
    said = "\n".join(describe(replace(scene.model, layers={"last_conv": "conv"})))
    for words in ("mean, 0 parameters", "random", "12x12 rgb", "0.4, 0.5, 0.6", "last_conv: conv"):
        assert words in said
