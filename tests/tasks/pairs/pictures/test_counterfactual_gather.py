"""The sheet of images of two classes shows the methods' own maps, and agrees with the table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.pair_scenes import counted, multi_scene, stored
from helpers.picture_scenes import NET, alone, exhibit, planned
from helpers.small_scenes import Folder
from PIL import Image

from benchmark.attribution.grad_cam_counterfactual import GradCAMCounterfactual
from benchmark.attribution.guided_grad_cam import GuidedGradCAM
from benchmark.core.types import Objects
from benchmark.models.forward import forward_pass
from benchmark.pipeline.scene import Scene
from benchmark.tasks.pairs.pictures import counterfactual
from benchmark.tasks.pairs.pictures.counterfactual import Pair, where
from benchmark.tasks.pairs.pictures.counterfactual_gather import counterfactual_sheet
from benchmark.transforms.normalize import to_input


def of_two_classes(path: Path, order: str = "rgb") -> Scene:
    """Seven images, each with an object of each of two classes."""
    on = multi_scene(path)
    samples = []
    for number, sample in enumerate(on.dataset.samples):
        assert sample.size is not None
        wide, high = sample.size
        boxes = np.array([[0, 0, wide // 2, high], [wide // 2, 0, wide, high]], np.int32)
        classes = np.array([number, (number + 1) % 7], np.int32)
        objects = Objects(classes, boxes, np.zeros(2, np.bool_))
        samples.append(replace(sample, label=int(classes.min()), boxes=boxes[:1], objects=objects))
    model = replace(on.model, input=replace(on.model.input, order=order))
    dataset = Folder(tuple(samples))
    return replace(on, model=model, dataset=dataset)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Pair], str]]:
    """Pairs and titles of the counterfactual's sheets."""
    found: list[tuple[list[Pair], str]] = []
    plain = counterfactual.draw

    def spy(pairs: list[Pair], title: str) -> Image.Image:
        found.append((pairs, title))
        return plain(pairs, title)

    monkeypatch.setattr(counterfactual, "draw", spy)
    return found


Drawn = list[tuple[list[Pair], str]]


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_each_of_two_classes_has_the_maps_that_the_methods_make_of_it_alone(
    tmp_path: Path, drawn: Drawn, order: str
) -> None:
    on = of_two_classes(tmp_path, order)
    plan = planned(on, tmp_path, alone(on, f"{NET}/grad_cam", "grad_cam"))
    path = tmp_path / "sheet.png"
    assert counterfactual_sheet(path, exhibit(plan, 4)) == [path]
    ((pairs, title),) = drawn
    assert title.startswith(f"small on folder, {NET}: 4 of 7 images with two labelled classes")
    assert len(pairs) == 8
    by_id = {sample.image_id: sample for sample in on.dataset.samples}
    for pair in pairs:
        sample = by_id[pair.image_id]
        label = int(pair.name.removeprefix("thing "))
        assert sample.objects is not None
        own = sample.objects.classes == label
        np.testing.assert_array_equal(pair.boxes, sample.objects.boxes[own])
        np.testing.assert_array_equal(pair.others, sample.objects.boxes[~own])
        resampled, _ = on.transform(pair.pixels, on.model.input.size)
        inputs = to_input(resampled, on.model.input)[None]
        forward = forward_pass(on.model, inputs, ("input", "last_conv"))
        asked = torch.tensor([[label]])
        against = GradCAMCounterfactual()(on.model, forward, asked)[0, 0]
        torch.testing.assert_close(torch.from_numpy(pair.counterfactual), against, rtol=1e-4, atol=1e-6)
        (product,) = GuidedGradCAM().products(on.model, forward, asked)
        channels = product[0].flip(0) if order == "bgr" else product[0]
        made = torch.from_numpy(pair.guided).permute(2, 0, 1)
        torch.testing.assert_close(made, channels, rtol=1e-4, atol=1e-6)


def test_where_the_sheet_says_a_peak_is_is_what_the_table_counted(tmp_path: Path, drawn: Drawn) -> None:
    on = of_two_classes(tmp_path)
    row = replace(alone(on, f"{NET}/grad_cam_counterfactual", "cam"), method=lambda: GradCAMCounterfactual())
    plan = planned(on, tmp_path, row)
    counterfactual_sheet(tmp_path / "sheet.png", exhibit(plan, 7))
    ((pairs, _),) = drawn
    found = stored(on, plan.rows[f"{NET}/grad_cam_counterfactual"].cell)
    said = {(pair.image_id, pair.name): where(pair) for pair in pairs}
    assert len(said) == len(found) == 14
    for row_number, image_id in enumerate(found.image_ids):
        columns = {name: column[row_number] for name, column in found.columns.items()}
        words = said[image_id, f"thing {columns['label']}"]
        if columns["constant"]:
            assert words == "empty map"
        else:
            assert (words == "peak in a box of another") == (columns["other_distance"] == 0)
            assert (words == "peak in a box of the class") == (columns["own_distance"] == 0)


def test_the_sheet_of_two_classes_is_made_once_and_in_the_same_bytes(tmp_path: Path) -> None:
    on = of_two_classes(tmp_path)
    plan = planned(on, tmp_path, alone(on, f"{NET}/grad_cam", "grad_cam"))
    path = tmp_path / "sheet.png"
    counterfactual_sheet(path, exhibit(plan, 2))
    first = path.read_bytes()
    seen = counted(on)
    assert counterfactual_sheet(path, exhibit(plan, 2)) == [path]
    assert seen == []
    path.unlink()
    counterfactual_sheet(path, exhibit(plan, 2))
    assert (path.read_bytes() == first, seen) == (True, [2])
    counterfactual_sheet(path, exhibit(plan, 5))
    assert path.read_bytes() != first
    assert seen == [2, 3, 2], "no more images at once than the run itself has"


def test_images_of_another_number_of_classes_or_of_a_difficult_one_are_not_on_it(
    tmp_path: Path, drawn: Drawn
) -> None:
    on = multi_scene(tmp_path)
    plan = planned(on, tmp_path, alone(on, f"{NET}/grad_cam", "grad_cam", "difficult"))
    counterfactual_sheet(tmp_path / "sheet.png", exhibit(plan, 9))
    assert [(pair.image_id, pair.name) for pair in drawn[0][0]] == [
        ("image_000", "thing 1"),
        ("image_000", "thing 3"),
    ]
