"""Targeted PGD is foolbox's, stays within its bound in 8 bits, and ends where the target is sure enough."""

import pytest
import torch
from helpers.small_models import googlenet_like, small
from torch import Tensor, nn

from benchmark.core.types import Model
from benchmark.tasks.pairs.readings.common.attack import Attack, targeted_pgd
from benchmark.transforms.normalize import input_of, pixels_of

TARGETS = torch.tensor([3, 0, 5])


def clean(model: Model) -> Tensor:
    size, generator = model.input.size, torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (3, 3, size, size), generator=generator).double()


class OfPixels(nn.Module):
    """A network that takes pixels of 0…255."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        scores: Tensor = self.model.module(input_of(pixels, self.model.input))
        return scores


@pytest.fixture
def net() -> OfPixels:
    return OfPixels(small(googlenet_like))


def chances(net: OfPixels, pixels: Tensor) -> Tensor:
    found: Tensor = net(pixels).softmax(1).gather(1, TARGETS[:, None])[:, 0]
    return found


def test_pixels_come_back_from_a_network_s_input(net: OfPixels) -> None:
    pixels, form = clean(net.model), net.model.input
    torch.testing.assert_close(pixels_of(input_of(pixels, form), form), pixels)


def test_the_images_are_foolbox_s(net: OfPixels) -> None:
    foolbox = pytest.importorskip("foolbox", reason="foolbox is not installed")
    pixels = clean(net.model)
    attack = foolbox.attacks.LinfPGD(abs_stepsize=1.0, steps=7, random_start=False)
    wrapped = foolbox.PyTorchModel(net.eval(), bounds=(0, 255), device="cpu")
    theirs = attack.run(wrapped, pixels, foolbox.criteria.TargetedMisclassification(TARGETS), epsilon=5.0)
    ours = targeted_pgd(net, pixels, TARGETS, Attack(5, 1.0, 7, 1.0), None)
    assert torch.equal(ours.pixels, theirs)
    assert ours.steps.tolist() == [7, 7, 7]


@pytest.mark.parametrize("step", [1.0, 0.7])
def test_images_are_whole_levels_within_the_bound_and_raise_the_target(net: OfPixels, step: float) -> None:
    pixels = clean(net.model)
    made = targeted_pgd(
        net, pixels, TARGETS, Attack(4, step, 10, 1.0), torch.full_like(pixels[0], 2.0)
    ).pixels
    assert torch.equal(made, made.round())
    assert (made - pixels).abs().max() == 4
    assert ((made >= 0) & (made <= 255)).all()
    assert (chances(net, made) > chances(net, pixels)).all()


def test_each_image_stops_by_itself_once_its_target_is_sure_enough(net: OfPixels) -> None:
    pixels = clean(net.model)
    path = [
        chances(net, targeted_pgd(net, pixels, TARGETS, Attack(9, 1.0, n, 1.0), None).pixels)
        for n in range(9)
    ]
    enough = float(path[3][1])
    made = targeted_pgd(net, pixels, TARGETS, Attack(9, 1.0, 8, enough), None)
    wanted = [next((n for n in range(8) if path[n][image] > enough), 8) for image in range(3)]
    assert made.steps.tolist() == wanted
    assert len(set(wanted)) > 1
    assert torch.equal(chances(net, made.pixels), torch.stack([path[n][i] for i, n in enumerate(wanted)]))


def test_no_epsilon_rounds_alone(net: OfPixels) -> None:
    pixels = clean(net.model)
    assert torch.equal(targeted_pgd(net, pixels, TARGETS, Attack(0, 1.0, 3, 1.0), None).pixels, pixels)
