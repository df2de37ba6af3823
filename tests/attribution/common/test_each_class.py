"""A class that each image has had before costs nothing again."""

import pytest
import torch
from helpers.small_models import images, small, vgg_like
from torch import Tensor

from benchmark.attribution.backprop import Backprop
from benchmark.attribution.common.each_class import each_class
from benchmark.attribution.guided_backprop import GuidedBackprop
from benchmark.core.protocols import Method
from benchmark.models.forward import forward_pass

LABELS_AMONG_THE_PREDICTED = torch.tensor([[3, 1, 0, 1], [2, 6, 4, 2], [5, 0, 1, 1]])


@pytest.mark.parametrize(
    ("classes", "made"),
    [
        (LABELS_AMONG_THE_PREDICTED, 3),
        (torch.tensor([[3, 1, 0, 1], [2, 6, 4, 5], [5, 0, 1, 1]]), 4),
        (torch.tensor([[3, 3, 3], [2, 2, 2]]), 1),
        (torch.zeros((0, 2), dtype=torch.int64), 1),
    ],
)
def test_a_column_is_made_unless_every_image_has_had_its_class(classes: Tensor, made: int) -> None:
    seen: list[Tensor] = []

    def make(signal: Tensor) -> Tensor:
        seen.append(signal)
        return signal

    found = torch.stack(list(each_class(torch.zeros(len(classes), 7), classes, make)), 1)
    assert len(seen) == made
    assert torch.equal(found, torch.nn.functional.one_hot(classes, 7).float())


def test_nothing_is_asked_of_classes_that_are_on_another_device() -> None:
    elsewhere = torch.empty((4, 3), dtype=torch.int64, device="meta")  # holds no values that could be known
    logits = torch.empty((4, 7), device="meta")
    assert len(list(each_class(logits, elsewhere, lambda signal: signal))) == 3


@pytest.mark.parametrize("method", [Backprop(), GuidedBackprop()])
def test_maps_are_those_of_each_class_on_its_own(method: Method) -> None:
    model = small(vgg_like)
    classes = LABELS_AMONG_THE_PREDICTED
    forward = forward_pass(model, images(3), ("input",))
    together = method(model, forward, classes)
    for column in range(classes.shape[1]):
        alone = method(model, forward, classes[:, [column]])
        assert torch.equal(together[:, [column]], alone)
