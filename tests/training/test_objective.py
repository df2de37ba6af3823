"""What is learnt of images of several classes, by hand; one class an image is in test_training."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import crowded, painted
from helpers.crowded import of
from helpers.painted import options
from safetensors.torch import load_file

from benchmark.core.errors import UserError
from benchmark.core.types import Objects, Sample
from benchmark.pipeline.class_order import ClassOrder
from benchmark.training.distributed import World
from benchmark.training.loop import train
from benchmark.training.objective import BinaryCrossEntropy, CrossEntropy
from benchmark.training.passport import finished, write
from benchmark.training.validate import measure

ORDER = ClassOrder(np.array([2, 0, 1], np.int32), np.array([1, 2, 0, -1], np.int32))
"""Three classes in another order, and a fourth output that is none of them."""


def sample(classes: list[int], difficult: list[bool]) -> Sample:
    boxes = np.tile(np.array([[0, 0, 2, 2]], np.int32), (len(classes), 1))
    objects = Objects(np.array(classes, np.int32), boxes, np.array(difficult))
    return Sample("a", None, 0, boxes[:0], objects=objects)


@pytest.mark.parametrize(
    ("classes", "difficult", "target"),
    [
        ([0], [False], [0, 0, 1, -1]),
        ([0, 1, 1], [False, False, False], [1, 0, 1, -1]),
        ([0, 1], [False, True], [-1, 0, 1, -1]),  # class 1 has a difficult object alone
        ([1, 1], [False, True], [1, 0, 0, -1]),  # but not here
        ([0, 2], [True, True], [0, -1, -1, -1]),
    ],
)
def test_a_class_of_difficult_objects_alone_is_left_out(
    classes: list[int], difficult: list[bool], target: list[int]
) -> None:
    assert BinaryCrossEntropy().targets([sample(classes, difficult)], ORDER).tolist() == [target]


def test_an_image_of_one_class_shows_that_class_though_it_has_no_box() -> None:
    one = Sample("a", None, 1, np.zeros((0, 4), np.int32))
    assert BinaryCrossEntropy().targets([one], ORDER).tolist() == [[1, 0, 0, -1]]


def test_the_loss_is_the_sum_over_classes_that_count_and_the_mean_over_images() -> None:
    logits = [[0.3, -2.0, 5.0], [1.0, 0.0, -40.0]]
    targets = [[1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]
    expected = 0.0
    for scores, truths in zip(logits, targets, strict=True):
        for score, truth in zip(scores, truths, strict=True):
            chance = 1 / (1 + math.exp(-score))
            expected -= {1.0: math.log(chance), 0.0: math.log1p(-chance), -1.0: 0.0}[truth]
    given = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    loss = BinaryCrossEntropy().loss(given, torch.tensor(targets))
    assert float(loss.detach()) == pytest.approx(expected / 2, rel=1e-12)
    (gradient,) = torch.autograd.grad(loss, given)
    assert gradient[0, 2] == gradient[1, 0] == 0


def test_patches_of_three_kinds_are_learnt_and_the_passport_says_how_well(tmp_path: Path) -> None:
    chosen = options(loss="bce", iterations=120, validate_every=60, batch_norm=True)
    this = crowded.job(tmp_path, chosen)
    world = World(this.learning.settings)
    passport = write(this, train(this, world), world)
    assert passport["map"] > 0.95
    assert set(passport["ap"]) == set(crowded.KINDS)
    assert passport["map"] == pytest.approx(sum(passport["ap"].values()) / 3)
    assert finished(this) == passport
    assert "cls_top1" not in passport
    assert this.curve.read_text().splitlines()[0] == "iteration,lr,loss,map,seconds"
    module = painted.tiny(outputs=3).module
    module.load_state_dict(load_file(this.weights))
    again = measure(this.checking, module, chosen.objective, 3, world)
    assert (again["map"], again["n"]) == (passport["map"], 16)


def test_the_loss_gives_the_weights_another_address(tmp_path: Path) -> None:
    one = options().identity()
    assert "loss" not in one, "weights that were trained before there was a choice keep their address"
    assert options(loss="bce").identity() == {**one, "loss": "bce"}


def test_images_of_several_classes_are_no_matter_of_cross_entropy(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"train\.loss=cross_entropy: image some_.* of train_set .* set train\.loss=bce"
    ):
        crowded.job(tmp_path, options())
    alone = of(tmp_path, lambda o: Objects(o.classes[:1], o.boxes[:1], o.difficult[:1] & False))
    CrossEntropy().check(alone, "train_set")


def test_a_validation_set_without_any_positive_is_refused(tmp_path: Path) -> None:
    this = crowded.job(tmp_path, options(loss="bce"))
    empty = np.zeros((4, 6))
    order = ClassOrder(np.arange(3, dtype=np.int32), np.arange(3, dtype=np.int32))
    with pytest.raises(UserError, match="val_set: no image shows any class"):
        this.options.objective.found(torch.from_numpy(empty), order, crowded.KINDS)


def test_options_of_the_other_loss_are_refused() -> None:
    with pytest.raises(UserError, match=r"train\.label_smoothing=0\.1: must be 0"):
        options(loss="bce", label_smoothing=0.1)
    with pytest.raises(UserError, match=r"train\.loss=softmax: must be cross_entropy \| bce"):
        options(loss="softmax")
