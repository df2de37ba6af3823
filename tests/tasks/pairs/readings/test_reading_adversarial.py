"""The reading of an attacked image is what the other readings say of that image, asked by itself."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.pair_scenes import MADE, config_of, made, multi_scene, stored
from helpers.small_scenes import METHODS, cell, records, scene
from helpers.small_scenes import made as made_boxes

from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.localizers.grabcut import GrabCut
from benchmark.localizers.max_box import MaxBox
from benchmark.models.forward import forward_pass
from benchmark.pipeline.scene import Scene
from benchmark.tasks.pairs.ask import Question, pair_cell
from benchmark.tasks.pairs.class_policies.labelled import Labelled
from benchmark.tasks.pairs.readings.adversarial import AdversarialReading
from benchmark.tasks.pairs.readings.box import MapBoxReading
from benchmark.tasks.pairs.readings.summary import Summary
from benchmark.tasks.pairs.types import Asked, Pairs
from benchmark.transforms.normalize import input_of, pixels_of

INNER: dict[str, Any] = {"summary": Summary((4,)), "box": MapBoxReading(MaxBox("max_box", 1, 0.15))}


def asked_of(on: Scene, path: Path, method: str = "grad_cam", **options: Any) -> Pairs:
    reading = AdversarialReading(INNER, **options)
    question = Question(Labelled(), {**INNER, "adversarial": reading}, {"readings": {"adversarial": options}})
    of = pair_cell(on, question, MADE[method], config_of(on, method), path / "runs")
    made(on, question, [of])
    return stored(of)


def test_a_box_is_table_one_s(tmp_path: Path) -> None:
    on = scene(tmp_path)
    boxes = cell(on, tmp_path / "boxes", "grad_cam", "max_box")
    made_boxes(on, [boxes])
    pairs, recorded = asked_of(on, tmp_path, epsilon=0), records(boxes)
    assert pairs.image_ids == recorded.image_ids
    np.testing.assert_array_equal(pairs.columns["box"], recorded.label_boxes)
    np.testing.assert_array_equal(pairs.columns["box_empty"], recorded.label_empty)


def test_rounding_alone_keeps_the_map_of_images_that_are_in_8_bits(tmp_path: Path) -> None:
    pairs = asked_of(multi_scene(tmp_path), tmp_path, epsilon=0)
    np.testing.assert_allclose(pairs.columns["attacked_grid4"], pairs.columns["grid4"], rtol=0.2, atol=0.02)
    np.testing.assert_allclose(pairs.columns["attack_before"], pairs.columns["attack_after"], atol=0.01)
    assert (pairs.columns["attack_steps"] == 0).all()


def test_the_columns_are_those_of_the_attacked_image_asked_by_itself() -> None:
    from helpers.small_models import googlenet_like, images, small

    model, method = small(googlenet_like), METHODS["grad_cam"]
    inputs, classes = images(2), torch.tensor([[0, 3], [6, 0]])
    forward = forward_pass(model, inputs, method.layers, method.operations)
    reading = AdversarialReading({"summary": Summary((4,))}, epsilon=3, steps=5, enough=1, target=3)
    asked = Asked(model, forward, classes, method(model, forward, classes), method)
    found = reading.measure(asked)
    attacked = reading._last[1].pixels
    again = forward_pass(model, input_of(attacked, model.input), method.layers, method.operations)
    alone = Summary((4,)).measure(asked._replace(forward=again, maps=method(model, again, classes)))
    assert all(torch.equal(found[f"summary/{key}"], value) for key, value in alone.items())
    chances, order = again.logits.detach().softmax(1), again.logits.argsort(1, descending=True).tolist()
    torch.testing.assert_close(found["attack_after"].double(), chances[:, [3, 3]], atol=1e-6, rtol=0)
    torch.testing.assert_close(found["attack_class"].double(), chances.gather(1, classes), atol=1e-6, rtol=0)
    assert found["attack_rank"].tolist() == [
        [order[row].index(one) for one in own] for row, own in enumerate(classes.tolist())
    ]
    assert found["attack_self"].tolist() == [[False, True], [False, False]]
    clean = pixels_of(inputs, model.input).round().clamp(0, 255)
    assert (attacked - clean).abs().max() == 3

    # Another method of the same pass is shown the same images; the next pass others.
    reading.measure(asked._replace(method=METHODS["cam"]))
    assert reading._last[1].pixels is attacked
    other = forward_pass(model, inputs + 0.1, method.layers, method.operations)
    reading.measure(asked._replace(forward=other))
    assert not torch.equal(reading._last[1].pixels, attacked)


def test_the_least_probable_class_is_the_target_where_none_is_named(tmp_path: Path) -> None:
    pairs = asked_of(multi_scene(tmp_path), tmp_path, epsilon=8, steps=6)
    columns = pairs.columns
    assert (columns["attack_before"] <= 1 / 7).all()
    assert (columns["attack_after"] > columns["attack_before"]).mean() > 0.9
    assert {name for name in columns if name.startswith("attacked_")} >= {"attacked_grid4", "attacked_box"}


def test_what_cannot_be_attacked_or_boxed_is_refused_in_one_line() -> None:
    from helpers.small_models import googlenet_like, images, small

    model: Model = small(googlenet_like)
    with pytest.raises(UserError, match=r"reading.adversarial.target=7: must be below 7"):
        AdversarialReading(INNER, target=7).check(model)
    with pytest.raises(UserError, match=r"reading.box.localizer: grabcut needs the image's pixels"):
        AdversarialReading({"box": MapBoxReading(GrabCut("grabcut", 1))}).check(model)
    forward = forward_pass(model, images(4), ())
    asked = Asked(
        model, forward, torch.zeros(2, 1, dtype=torch.int64), torch.zeros(2, 1, 3, 3), METHODS["cam"]
    )
    with pytest.raises(UserError, match="shows an image once"):
        AdversarialReading(INNER).measure(asked)
    with pytest.raises(UserError, match="epsilon"):
        AdversarialReading(INNER, epsilon=-1)


def test_the_localizer_s_code_and_options_are_part_of_the_address(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    with_box = {"box": INNER["box"]}
    other = {"box": replace(INNER["box"], localizer=MADE["cam"])}  # any object of other code
    places = [
        pair_cell(on, Question(Labelled(), one, {}), MADE["cam"], config_of(on, "cam"), tmp_path).folder
        for one in (with_box, other)
    ]
    assert places[0] != places[1]
