"""What a doctor makes of a measured accuracy, and what may be wrong, tried out on the same images."""

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

from benchmark.core.types import InputFormat, MeanImage, Sample
from benchmark.datasets.ilsvrc import load_classes
from benchmark.diagnostics.doctor.causes import convict, turned
from benchmark.diagnostics.doctor.model import Accuracy, ranks
from benchmark.diagnostics.doctor.passport import Expected, Passport
from benchmark.diagnostics.doctor.verdict import Review, review
from benchmark.pipeline.scene import Scene
from benchmark.pipeline.settings import RunSettings
from benchmark.transforms import Warp

FORM = InputFormat(12, (0.4, 0.5, 0.6), (0.2, 0.2, 0.2), scale=1 / 255)
EXPECTED = Expected("folder", "warp", 0.30, 0.10, "somebody", 0.01)
PASSPORT = Passport("mean", "mean.pth", "nowhere", (), FORM, (EXPECTED,))
GOOD, BAD = Accuracy(0.70, 0.90, 500), Accuracy(0.55, 0.80, 500)


def scene(
    samples: tuple[Sample, ...] = (), classes: tuple[str, ...] = tuple("abcdefghijklmnopqrst")
) -> Scene:
    dataset: Any = Folder(samples, classes=classes, class_names=classes)
    warp: Any = Warp()  # Any: protocols ask for settable names, these are frozen
    model = replace(as_model(SpatialMean(), "mean"), input=FORM)
    return Scene(dataset, model, warp, RunSettings(device="cpu", batch_size=8))


def told(found: Review) -> str:
    return "\n".join(found.lines)


def test_agreement_is_no_problem_and_a_clear_contradiction_is_one() -> None:
    good, bad = (review(scene(), measured, PASSPORT, "") for measured in (GOOD, BAD))
    assert (good.problems, good.suspicious) == ((), False)
    assert "agrees" in told(good)
    assert bad.suspicious
    assert "top-1 error 45.0 % on 500 images where its passport says 30.0 %" in bad.problems[0]


def test_images_that_may_be_no_fair_sample_contradict_nothing() -> None:
    found = review(scene(), BAD, PASSPORT, "these may be harder")
    assert found.problems == ()
    assert found.suspicious
    assert "but       these may be harder" in told(found)


def test_another_file_or_another_mean_contradicts_nothing() -> None:
    other = replace(PASSPORT, checksums=("sha256:" + "1" * 64,))
    found = review(scene(), BAD, other, "")
    assert found.problems == ()
    assert "hash is not the passport's" in told(found)
    by_image = replace(PASSPORT, expected=(replace(EXPECTED, mean_image=True),))
    found = review(scene(), BAD, by_image, "")
    assert found.problems == ()
    assert "the mean image was subtracted there, here the mean pixel" in told(found)
    held = MeanImage("mean.npy", "0", np.zeros((12, 12, 3), np.float32))
    on = scene()
    on = replace(on, model=replace(on.model, input=replace(FORM, mean_image=held)))
    assert review(on, BAD, by_image, "").problems


def test_chance_is_a_problem_whatever_the_passport_says() -> None:
    on = scene(classes=tuple(f"n{i:08d}" for i in range(1000)))
    found = review(on, Accuracy(0.001, 0.005, 200), None, "these may be harder")
    assert "near chance" in found.problems[0]


def test_chance_is_that_of_the_models_outputs_not_of_the_datasets_classes() -> None:
    on, measured = scene(classes=("a", "b", "c")), Accuracy(0.35, 0.8, 200)
    assert review(on, measured, None, "").problems
    wider = replace(on, model=replace(on.model, classes=tuple(f"{i}" for i in range(100))))
    assert review(wider, measured, None, "").problems == ()


def test_without_a_passport_or_an_error_for_this_transform_nothing_is_compared() -> None:
    assert "no passport of mean" in told(review(scene(), BAD, None, ""))
    elsewhere = replace(PASSPORT, expected=(replace(EXPECTED, transform="ten_crop"),))
    found = review(scene(), BAD, elsewhere, "")
    assert "no error is stated for folder with transform=warp" in told(found)
    assert "folder with transform=ten_crop" in told(found)
    assert (found.problems, found.suspicious) == ((), False)


class Reds(nn.Module):
    """A thousand outputs, the redder the input the later the best; input channels in the order red, …"""

    def forward(self, images: Tensor) -> Tensor:
        red = (images[:, 0].mean((1, 2)) * 0.2 + 0.4) * 255 * 4
        return -(torch.arange(1000) - red[:, None]).abs()


@pytest.fixture
def reds(tmp_path: Path) -> Scene:
    """Images of 40 classes in the order of sorted WNIDs: red tells the class, blue says the contrary."""
    samples = []
    for number in range(40):
        label = 4 * (5 * number)
        pixels = np.zeros((6, 6, 3), np.uint8)
        pixels[..., 0], pixels[..., 2] = 5 * number, 255 - 5 * number
        path = tmp_path / f"image_{number:02d}.png"
        Image.fromarray(pixels).save(path)
        samples.append(Sample(path.stem, path, label, np.array([[0, 0, 1, 1]], np.int32)))
    on = scene(tuple(samples), tuple(load_classes().wnids))
    return replace(on, model=replace(as_model(Reds(), "reds"), input=FORM))


def convicted(on: Scene) -> list[str]:
    with ThreadPoolExecutor(2) as pool:
        return convict(on, ranks(on, 40, pool), 40, pool)


def test_nothing_is_found_wrong_with_a_net_that_is_right(reds: Scene) -> None:
    assert convicted(reds) == []


def test_channels_in_the_wrong_order_are_found_out(reds: Scene) -> None:
    wrong = replace(reds, model=replace(reds.model, input=turned(FORM, "bgr")))
    (line,) = convicted(wrong)
    assert line.startswith("model.input.order=rgb brings top-1 accuracy from 0.0 to 100.0 % of the same 40")


def test_the_devkits_class_order_is_found_out_either_way(reds: Scene) -> None:
    names = load_classes()
    by_id = tuple(wnid for _, wnid in sorted(zip(names.ilsvrc_ids, names.wnids, strict=True)))
    (line,) = convicted(replace(reds, model=replace(reds.model, classes=by_id)))
    assert line.startswith("the order of sorted WNIDs (model.classes=null)")

    class Shuffled(Reds):
        def forward(self, images: Tensor) -> Tensor:
            places = {wnid: place for place, wnid in enumerate(names.wnids)}
            return super().forward(images)[:, [places[wnid] for wnid in by_id]]

    (line,) = convicted(replace(reds, model=replace(reds.model, module=Shuffled())))
    assert line.startswith("the devkit's class order")
