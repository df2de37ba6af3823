"""Targets that depend on a text: it is bound to the module for a batch, and to what is made of its images."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from helpers.pair_scenes import cells_of, made, multi_scene, question, stored
from torch import Tensor, nn

from benchmark.core.targets import TextSample, bound, rows
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass, rehearse
from benchmark.pipeline.scene import Scene
from benchmark.tasks.pairs.readings.deletion_insertion import DeletionInsertionAreas, curves


class Scaled(nn.Module):
    """Scores of a network times the length of a text that is asked for."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.texts: tuple[str, ...] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.texts is None or len(self.texts) != len(x):
            raise AssertionError(f"{len(x)} images, and texts {self.texts}")
        scores: Tensor = self.net(x) * torch.tensor([len(text) for text in self.texts]).to(x)[:, None]
        return scores


def asked(folder: Path, **options: int) -> Scene:
    """Seven images, each with a question of another length; two of them share one image file."""
    folder.mkdir(exist_ok=True)
    on = multi_scene(folder, **options)
    told = [
        TextSample(**{f.name: getattr(sample, f.name) for f in fields(sample)}, text="x" * (number + 1))
        for number, sample in enumerate(on.dataset.samples)
    ]
    told[1] = replace(told[1], path=told[0].path, size=told[0].size, bytes=told[0].bytes)
    roles = {role: f"net.{layer}" for role, layer in on.model.layers.items()}
    model, dataset = replace(on.model, module=Scaled(on.model.module), layers=roles), cast(Any, on.dataset)
    return replace(on, dataset=replace(dataset, samples=tuple(told)), model=model)


def test_every_map_is_that_of_an_image_with_its_own_text_also_where_covered_images_share_a_batch(
    tmp_path: Path,
) -> None:
    found = []
    for batch in (3, 1):
        on = asked(tmp_path / str(batch), batch_size=batch)
        cells = cells_of(on, tmp_path / f"runs{batch}", "labelled", "grad_cam", "occlusion")
        made(on, question(), cells)
        found.append([stored(cell) for cell in cells])
    for together, alone in zip(*found, strict=True):
        assert together.image_ids == alone.image_ids
        for name in ("logit", "grid4", "highest"):
            np.testing.assert_allclose(together.columns[name], alone.columns[name], rtol=1e-4, atol=1e-6)
    assert on.model.module.texts is None


def test_deletion_curves_bind_the_text_of_the_image_that_they_change(tmp_path: Path) -> None:
    on = asked(tmp_path)
    module, images = on.model.module, torch.rand(3, 3, on.model.input.size, on.model.input.size)
    options = DeletionInsertionAreas(steps=3, score="logit", batch=5)
    maps, classes = torch.rand(3, 2, 4, 4), torch.tensor([[0, 1], [2, 3], [1, 4]])
    texts = ("a", "aaaa", "aa")
    with bound(module, texts):
        together = curves(on.model, images, maps, classes, options)
    for number, text in enumerate(texts):
        part = slice(number, number + 1)
        with bound(module, [text]):
            alone = curves(on.model, images[part], maps[part], classes[part], options)
        torch.testing.assert_close(together[:, part], alone, rtol=1e-4, atol=1e-5)


def bound_to(module: nn.Module) -> tuple[str, ...] | None:
    assert isinstance(module, Scaled)
    return module.texts


def fail_within(module: nn.Module) -> None:
    with rows(module, [0]):
        raise ZeroDivisionError


def test_what_was_bound_returns_after_an_exception(tmp_path: Path) -> None:
    module = asked(tmp_path).model.module
    assert isinstance(module, Scaled)
    with bound(module, ["a", "bb"]):
        with rows(module, [1, 1, 0]):
            assert bound_to(module) == ("bb", "bb", "a")
        with pytest.raises(ZeroDivisionError):
            fail_within(module)
        assert bound_to(module) == ("a", "bb")
    assert bound_to(module) is None


def test_a_model_is_tried_out_with_a_text_and_one_without_texts_is_left_alone(tmp_path: Path) -> None:
    on = asked(tmp_path)
    (cell,) = cells_of(on, tmp_path, "labelled", "grad_cam")
    rehearse(cell.method, on.model)
    assert isinstance(on.model.module, Scaled)
    plain: Model = replace(on.model, module=on.model.module.net)
    with bound(plain.module, ["a"]):
        inputs = torch.rand(1, 3, on.model.input.size, on.model.input.size)
        assert not hasattr(plain.module, "texts")
        assert forward_pass(plain, inputs).logits.shape[0] == 1
