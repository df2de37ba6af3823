"""Deletion and insertion curves against torch-cam's metric and a plain loop over pixels."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from helpers.small_models import as_model, googlenet_like, images, small, vgg_like
from torch import Tensor, nn
from torchcam.metrics import DeletionInsertionMetric

from benchmark.attribution.common.fills import filled
from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.tasks.pairs.readings.deletion_insertion import DeletionInsertionAreas as Areas
from benchmark.tasks.pairs.readings.deletion_insertion import auc, curves

CLASSES = torch.tensor([[0, 3, 6], [2, 2, 5], [1, 4, 0], [6, 5, 4]])


def maps(size: int = 12, seed: int = 2) -> Tensor:
    """Noise with many equal values, most of them 0, as after a ReLU."""
    noise = torch.randn((4, 3, size, size), generator=torch.Generator().manual_seed(seed))
    return noise.mul(4).round().relu().double()


def by_loop(model: Model, inputs: Tensor, maps: Tensor, options: Areas, classes: Tensor = CLASSES) -> Tensor:
    """One image, class and step after the other; ``options`` of one colour, or given by ``filled``."""
    ends = [
        filled(inputs, model.input, f, options.sigma, options.radius) for f in (options.fill, options.start)
    ]
    size = inputs.shape[-1]
    found = torch.zeros((2, *classes.shape, options.steps + 1), dtype=torch.float64)
    for n, k in np.ndindex(*classes.shape):
        places = list(np.ndindex(size, size))
        places.sort(key=lambda place: -float(maps[n, k][place]))
        for step in range(options.steps + 1):
            deleted, inserted = inputs[n].clone(), ends[1][n].clone()
            for y, x in places[: step * size**2 // options.steps]:
                deleted[:, y, x] = ends[0][n][:, y, x]
                inserted[:, y, x] = inputs[n][:, y, x]
            for curve, shown in enumerate((deleted, inserted)):
                logits = model.module(shown[None])[0]
                score = {"softmax": logits.softmax(0), "sigmoid": logits.sigmoid(), "logit": logits}
                found[curve, n, k, step] = score[options.score][classes[n, k]]
    return found


@pytest.mark.parametrize(
    "options",
    [
        Areas(steps=12, sigma=1.5, radius=3),
        Areas(steps=7, fill="blur", start="mean", score="logit", sigma=2),  # 144 pixels in 7 shares
        Areas(steps=5, fill="grey", start="zero", score="sigmoid"),
        Areas(steps=1),
        Areas(steps=144, fill="zero"),
    ],
)
def test_curves_equal_a_plain_loops(options: Areas) -> None:
    model, inputs = small(googlenet_like), images()
    if options.steps == 144:
        inputs, classes = inputs[:1], CLASSES[:1, :1]
    else:
        classes = CLASSES
    made = curves(model, inputs, maps()[: len(inputs), : classes.shape[1]], classes, options)
    torch.testing.assert_close(made, by_loop(model, inputs, maps(), options, classes), rtol=1e-9, atol=1e-12)


class Stub:
    """What torch-cam's metric asks of a method of its own: the maps, already made."""

    def __init__(self, model: nn.Module, made: Tensor) -> None:
        self.model, self.made = model, made

    def __call__(self, *_: Any, **__: Any) -> list[Tensor]:
        return [self.made]

    def fuse_cams(self, cams: list[Tensor]) -> Tensor:
        return cams[0]

    def _hooks_off(self) -> nullcontext[None]:
        return nullcontext()


@pytest.mark.parametrize("build", [googlenet_like, vgg_like])
@pytest.mark.parametrize("steps", [4, 12, 36])
def test_areas_equal_torchcams(build: Any, steps: int) -> None:
    model, inputs = small(build), images()
    options = Areas(steps=steps, start="mean")  # torch-cam's insertion starts from what deletion ends at
    made = auc(curves(model, inputs, maps(), CLASSES, options))
    for k in range(3):
        for n in range(4):
            peer = DeletionInsertionMetric(
                Stub(model.module, maps()[n : n + 1, k]), lambda x: x.softmax(-1), steps=steps
            )
            peer.update(inputs[n : n + 1], int(CLASSES[n, k]))
            wanted = peer.summary()
            assert float(made[0, n, k]) == pytest.approx(wanted["deletion_auc"], rel=1e-6)
            assert float(made[1, n, k]) == pytest.approx(wanted["insertion_auc"], rel=1e-6)


@pytest.mark.parametrize("batch", [None, 1, 5, 16, 1000])
def test_no_chunk_size_changes_a_number(batch: int | None) -> None:
    model, options = small(vgg_like), Areas(steps=6, batch=64)
    wanted = curves(model, images(), maps(), CLASSES, options)
    made = curves(model, images(), maps(), CLASSES, replace(options, batch=batch))
    torch.testing.assert_close(made, wanted, rtol=1e-11, atol=1e-13)


def test_an_image_and_a_class_alone_give_their_part() -> None:
    model, options = small(googlenet_like), Areas(steps=6)
    together = curves(model, images(), maps(), CLASSES, options)
    alone = curves(model, images()[2:3], maps()[2:3, 1:2], CLASSES[2:3, 1:2], options)
    torch.testing.assert_close(alone[:, 0, 0], together[:, 2, 1], rtol=1e-11, atol=1e-13)


def test_of_a_model_that_sums_one_colour_the_curves_are_known() -> None:
    """The score of class 0 is the number of pixels that are left, whatever their order."""
    module = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(3, 2, bias=False))
    module[2].weight = nn.Parameter(torch.tensor([[16.0, 0, 0], [0, 16, 0]]))
    model = as_model(module, "counting", size=4)
    options = Areas(steps=4, start="mean", score="logit")
    made = curves(model, torch.ones(1, 3, 4, 4), maps(4)[:1, :1].float(), torch.zeros((1, 1)).long(), options)
    assert made.tolist() == [[[[16, 12, 8, 4, 0]]], [[[0, 4, 8, 12, 16]]]]
    assert auc(made).tolist() == [[[8]], [[8]]]


def test_equal_values_go_row_by_row_from_the_top() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 2, bias=False))
    numbers = torch.cat([torch.arange(16.0), torch.zeros(32)])  # a pixel's score is its number
    module[1].weight = nn.Parameter(torch.stack([numbers, -numbers]))
    model = as_model(module, "numbered", size=4)
    options = Areas(steps=16, start="mean", score="logit")
    constant = torch.full((1, 1, 4, 4), 0.3)
    made = curves(model, torch.ones(1, 3, 4, 4), constant, torch.zeros((1, 1)).long(), options)
    assert made[1, 0, 0].diff().tolist() == list(range(16))
    assert made[0, 0, 0].diff().neg().tolist() == list(range(16))


def test_a_small_map_is_enlarged_with_its_corners_on_the_corners() -> None:
    model, options = small(googlenet_like), Areas(steps=6)

    def slope(side: int) -> Tensor:
        """Linear, and so is what lies between; no two of 12 x 12 values are equal."""
        ramp = torch.linspace(1, 0, side, dtype=torch.float64)
        return (2.001 * ramp[:, None] + ramp).expand(4, 3, side, side)

    coarse, fine = (curves(model, images(), slope(side), CLASSES, options) for side in (3, 12))
    torch.testing.assert_close(coarse, fine, rtol=1e-9, atol=1e-12)


def test_curves_need_no_graph_and_leave_the_inputs_alone() -> None:
    model, inputs = small(googlenet_like), images().requires_grad_()
    made = curves(model, inputs, maps().requires_grad_(), CLASSES, Areas(steps=3))
    assert not made.requires_grad
    assert made.shape == (2, 4, 3, 4)
    assert torch.equal(inputs, images())


def test_autocast_gives_float32() -> None:
    model = small(googlenet_like, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        made = curves(model, images(dtype=torch.float32), maps().float(), CLASSES, Areas(steps=3))
    assert made.dtype == torch.float32
    wanted = curves(model, images(dtype=torch.float32), maps().float(), CLASSES, Areas(steps=3))
    torch.testing.assert_close(made, wanted, rtol=0.05, atol=0.02)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "deletion_insertion.steps=0: must be a whole number from 1 up"),
        ({"steps": 145}, "deletion_insertion.steps=145: must be at most 144, the pixels of the input"),
        ({"sigma": -1.0}, "deletion_insertion.sigma=-1.0: must be a number above 0"),
        ({"start": "pink"}, "deletion_insertion.start=pink: must be mean"),
    ],
)
def test_an_option_out_of_range_is_one_line_with_the_remedy(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Areas(**options).check(small(googlenet_like))
