"""Each peer makes the heatmaps of the method that it is compared with, and leaves nothing behind."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers.small_models import SMALL, googlenet_like, images, small
from torch import Tensor

from benchmark.attribution.backprop import Backprop
from benchmark.attribution.grad_cam import GradCAM
from benchmark.cli.app.places import CONF
from benchmark.core.protocols import Method
from benchmark.core.types import Model
from benchmark.diagnostics.bench.peers import FLOORED, PEERS, floor
from benchmark.models.forward import forward_pass

CLASSES = torch.tensor([[0, 3, 6], [2, 2, 5], [1, 4, 0], [6, 5, 4]])
NAMED = [(method, name) for method, peers in PEERS.items() for name in peers]
OURS: dict[str, Method] = {"grad_cam": GradCAM(), "backprop": Backprop()}


def heatmaps(method: str, peer: str, model: Model) -> Any:
    inputs = images(dtype=torch.float32)
    return PEERS[method][peer](model.module, model.layers["last_conv"], inputs, CLASSES)()


def ours(method: str, model: Model) -> Tensor:
    one = OURS[method]
    return one(model, forward_pass(model, images(dtype=torch.float32), one.layers), CLASSES)


def test_peers_stand_beside_methods_that_exist() -> None:
    assert {path.stem for path in (CONF / "method").glob("*.yaml")} >= {*PEERS, *FLOORED} >= set(OURS)


@pytest.mark.parametrize("build", SMALL)
@pytest.mark.parametrize(
    ("method", "name"), [("grad_cam", "captum LayerGradCam"), ("backprop", "captum Saliency")]
)
def test_captum_gives_our_heatmaps(method: str, name: str, build: Callable[[], Model]) -> None:
    model = small(build, torch.float32)
    made = torch.stack([one.reshape(4, *one.shape[-2:]) for one in heatmaps(method, name, model)], 1)
    torch.testing.assert_close(made.detach(), ours(method, model), rtol=1e-4, atol=1e-6)


def test_the_floor_of_backprop_makes_its_gradients() -> None:
    model, inputs = small(googlenet_like, torch.float32), images(dtype=torch.float32)
    made: Any = floor(model.module, "", inputs, CLASSES)()
    heatmaps = torch.stack([gradient.abs().amax(1) for (gradient,) in made], 1)
    assert torch.equal(heatmaps, ours("backprop", model))


def test_torchcam_gives_our_heatmaps_stretched_to_0_and_1() -> None:
    model = small(googlenet_like, torch.float32)
    made = torch.stack([one[0] for one in heatmaps("grad_cam", "torchcam GradCAM", model)], 1)
    wanted = ours("grad_cam", model)
    low, high = wanted.amin((2, 3), keepdim=True), wanted.amax((2, 3), keepdim=True)
    shaped = (high > low).expand_as(wanted)  # an empty map has nothing to stretch
    stretched = (wanted - low) / (high - low)
    assert shaped.any()
    # It adds a small number to what it divides by, which a faint map feels.
    torch.testing.assert_close(made[shaped], stretched[shaped], rtol=0, atol=0.01)


@pytest.mark.parametrize(("method", "name"), NAMED)
def test_one_map_a_class_and_image_and_nothing_left_behind(method: str, name: str) -> None:
    model = small(googlenet_like, torch.float32)
    made = heatmaps(method, name, model)
    assert len(made) == 3
    assert all(len(one[0] if isinstance(one, list) else one) == 4 for one in made)
    assert not any(part._forward_hooks or part._backward_hooks for part in model.module.modules())
    assert not any(p.requires_grad or p.grad is not None for p in model.module.parameters())
