"""From images to heatmaps: what is stored of a map, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.small_scenes import METHODS, scene, with_settings
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.protocols import Transform
from benchmark.core.types import Box, FloatArray, ForwardPass, ImageArray, Model, View
from benchmark.datasets.images import read_sample
from benchmark.models.forward import forward_pass
from benchmark.pipeline.batches import Batch, read_batches
from benchmark.pipeline.class_order import class_order
from benchmark.pipeline.explain import explain
from benchmark.pipeline.heatmap_store import Heatmaps
from benchmark.pipeline.scene import Scene
from benchmark.transforms.normalize import to_input
from benchmark.transforms.ten_crop import TenCrop


class Drawn:
    """A method whose maps are drawn by hand, the same for each image."""

    name = "drawn"
    layers = ("last_conv",)
    operations = False

    def __init__(self, *maps: list[float]) -> None:
        self.maps = torch.tensor(maps)

    def check(self, model: Model) -> None: ...

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        return self.maps.reshape(1, len(self.maps), 1, -1).expand(len(classes), -1, -1, -1)


def batch(on: Scene) -> Batch:
    """All images of a scene."""
    read = [on.transform(read_sample(sample), on.model.input.size) for sample in on.dataset.samples]
    inputs = torch.stack([to_input(pixels, on.model.input) for pixels, _ in read])
    return Batch(tuple(on.dataset.samples), inputs, tuple(view for _, view in read), {})


def drawn(folder: Path, *maps: list[float]) -> Heatmaps:
    on = scene(folder, 2)
    (heatmaps,) = explain(on, [Drawn(*maps)], batch(on)).fetch()
    return heatmaps


def test_maps_are_stored_as_shares_of_their_maximum_and_scales_bring_them_back(tmp_path: Path) -> None:
    found = drawn(tmp_path, [0.5, 2.0, -1.0], [-4.0, -1.0, -2.0], [0.0, 0.0, 0.0])
    assert found.maps[1].squeeze().tolist() == [[0.25, 1, -0.5], [-1, -0.25, -0.5], [0, 0, 0]]
    assert found.scales[1].tolist() == [2, 4, 1]


def test_a_small_maximum_beside_a_large_minimum_stays_finite_in_half_precision(tmp_path: Path) -> None:
    found = drawn(tmp_path, [1e-30, -1e30, 0.0], [1e-3, -1e6, 0.0], [1.0, 0.0, 0.0])
    assert np.isfinite(found.maps).all()
    assert (found.maps.max(axis=(2, 3)) == 1).all()


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_not_hidden(tmp_path: Path, broken: float) -> None:
    found = drawn(tmp_path, [1.0, broken, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0])
    assert np.isfinite(found.maps).all(axis=(0, 2, 3)).tolist() == [False, True, True]


def test_maps_may_be_attached_to_the_graph(tmp_path: Path) -> None:
    class Attached(Drawn):
        def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
            return super().__call__(model, forward, classes).requires_grad_()

    (found,) = explain(scene(tmp_path, 1), [Attached([1.0], [2.0], [3.0])], batch(scene(tmp_path, 1))).fetch()
    assert found.scales[0].tolist() == [1, 2, 3]


def test_scores_are_the_softmax_over_the_classes_of_each_image(tmp_path: Path) -> None:
    on = scene(tmp_path, 3, top_k=7)
    images = batch(on)
    (found,) = explain(on, [METHODS["grad_cam"]], images).fetch()
    expected = torch.softmax(on.model.module(images.inputs).double(), 1).numpy()
    np.testing.assert_allclose(found.scores, np.take_along_axis(expected, found.classes, 1), rtol=1e-5)
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_outputs_that_are_no_class_of_the_dataset_are_labelled_minus_one(tmp_path: Path) -> None:
    on = scene(tmp_path, 1)
    object.__setattr__(on.model, "classes", ("extra", *reversed(on.dataset.classes), "more"))
    order = class_order(on, 9)
    assert order.to_label.tolist() == [-1, 6, 5, 4, 3, 2, 1, 0, -1]
    assert order.to_output.tolist() == [7, 6, 5, 4, 3, 2, 1]
    object.__setattr__(on.model, "classes", on.dataset.classes[1:])
    with pytest.raises(UserError, match=f"no output for class {on.dataset.classes[0]}"):
        class_order(on, 6)


def test_more_predictions_than_outputs_are_refused(tmp_path: Path) -> None:
    on = with_settings(scene(tmp_path, 1), top_k=8)
    with pytest.raises(UserError, match=r"run\.top_k=8: model googlenet_like has only 7 outputs"):
        explain(on, [METHODS["grad_cam"]], batch(on))


def test_reduced_precision_is_off_while_heatmaps_are_made_and_as_before_afterwards(tmp_path: Path) -> None:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul

    def flags() -> tuple[bool, ...]:
        return cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32

    seen = []

    class Watching(Drawn):
        def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
            seen.append(flags())
            return super().__call__(model, forward, classes)

    before = flags()
    on = scene(tmp_path, 2)
    explain(on, [Watching([1.0], [1.0], [1.0])], batch(on))
    assert seen == [(True, False, False, False)]
    assert flags() == before


@dataclass(frozen=True)
class Repeated:
    """An image seen several times over, as another transform shows it once; maps merged by their mean."""

    once: Transform
    views: int
    name: str = "repeated"

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        pixels, view = self.once(image, size)
        return np.stack([pixels] * self.views), view

    def cut(self, picture: FloatArray, size: int) -> FloatArray:
        raise AssertionError("there is no mean image")

    def merge(self, maps: Tensor, size: int) -> Tensor:
        return maps.mean(dim=1)


def read(on: Scene, count: int) -> list[Batch]:
    """All images of a scene in batches of ``count``, as a run reads them."""
    samples = list(on.dataset.samples)
    groups = [samples[start : start + count] for start in range(0, len(samples), count)]
    on.prepare()
    with ThreadPoolExecutor(2) as pool:
        return list(read_batches(on, groups, pool))


def seen_by(on: Scene, transform: Any) -> Scene:
    # Any: the protocol asks for settable names, these are frozen
    return replace(on, transform=transform)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_one_view_or_the_same_view_thrice_gives_what_a_single_view_gives(tmp_path: Path, name: str) -> None:
    on = scene(tmp_path, 4)
    (single,) = explain(on, [METHODS[name]], read(on, 4)[0]).fetch()
    for views in (1, 3):
        several = seen_by(on, Repeated(on.transform, views))
        (batch_of_views,) = read(several, 4)
        assert batch_of_views.inputs.shape[:2] == (4, views)
        (found,) = explain(several, [METHODS[name]], batch_of_views).fetch()
        assert found.views == single.views
        np.testing.assert_array_equal(found.classes, single.classes)
        np.testing.assert_allclose(found.scores, single.scores, rtol=1e-5)
        np.testing.assert_allclose(found.maps, single.maps, atol=2e-3)
        np.testing.assert_allclose(found.scales, single.scales, rtol=1e-4)


def test_ten_crops_are_explained_as_ten_images_and_merged(tmp_path: Path) -> None:
    on = seen_by(scene(tmp_path, 2, top_k=2), TenCrop(canvas=14))
    method, size = METHODS["cam"], on.model.input.size
    (found,) = explain(on, [method], read(on, 2)[0]).fetch()
    assert found.maps.shape == (2, 3, 14, 14)
    assert found.views[0].region == Box(0, 0, found.views[0].width, found.views[0].height)
    for row, sample in enumerate(on.dataset.samples):
        crops, _ = on.transform(read_sample(sample), size)
        outputs, maps = [], []
        for crop in crops:  # each crop on its own
            inputs = to_input(crop, on.model.input)[None]
            forward = forward_pass(on.model, inputs, method.layers)
            outputs.append(forward.logits.softmax(1)[0])
            classes = torch.tensor([[*found.classes[row], sample.label]]).long()
            maps.append(method(on.model, forward, classes)[0])
        scores = torch.stack(outputs).mean(0)
        assert scores.topk(2).indices.tolist() == found.classes[row].tolist()
        np.testing.assert_allclose(found.scores[row], scores.topk(2).values.detach(), rtol=1e-5)
        merged = TenCrop(canvas=14).merge(torch.stack(maps)[None], size)[0].detach()
        relative = merged / merged.amax((1, 2), keepdim=True)
        np.testing.assert_allclose(found.maps[row], relative, atol=1e-3)
        np.testing.assert_allclose(found.scales[row], merged.amax((1, 2)), rtol=1e-4)


def test_ten_crops_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    on = seen_by(scene(tmp_path, 5), TenCrop(canvas=40))
    (whole,) = explain(on, [METHODS["grad_cam"]], read(on, 5)[0]).fetch()
    parts = [explain(on, [METHODS["grad_cam"]], part).fetch()[0] for part in read(on, 2)]
    assert whole.maps.shape[-2:] == (40, 40)
    assert whole.maps.dtype == np.float32  # too large to be kept
    np.testing.assert_allclose(np.concatenate([part.maps for part in parts]), whole.maps, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([part.scores for part in parts]), whole.scores, rtol=1e-5)
