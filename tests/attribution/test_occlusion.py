"""Occlusion against captum, and against a plain loop over squares and pixels."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import Occlusion as CaptumOcclusion
from helpers.small_models import SMALL, alexnet_like, googlenet_like, images, small, vgg_like
from hydra import compose, initialize_config_dir
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmark.attribution.occlusion import Occlusion
from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, MeanImage, Model
from benchmark.models.forward import forward_pass
from benchmark.transforms.normalize import to_input

CLASSES = torch.tensor([[0, 3], [2, 2], [1, 4], [6, 5]])
WINDOWS = [(4, 4), (4, 3), (5, 2), (3, 1), (1, 1), (7, 5), (11, 5), (12, 5), (12, 12)]
"""Patch and stride on 12 pixels: some divide, some leave a rest of every size, one covers all."""


def heatmaps(method: Occlusion, model: Model, inputs: Tensor, classes: Tensor = CLASSES) -> Tensor:
    method.check(model)
    made: Tensor = method(model, forward_pass(model, inputs), classes[: len(inputs)])
    return made


def by_captum(model: Model, inputs: Tensor, patch: int, stride: int, instead: Any = 0) -> Tensor:
    made = [
        CaptumOcclusion(model.module).attribute(
            inputs,
            target=column,
            baselines=instead,
            sliding_window_shapes=(3, patch, patch),
            strides=(3, stride, stride),
            perturbations_per_eval=4,
        )[:, 0]
        for column in CLASSES[: len(inputs)].T
    ]
    return torch.stack(made, 1)


def by_loop(
    model: Model, inputs: Tensor, patch: int, stride: int, instead: Tensor, softmax: bool = False
) -> Tensor:
    """Square by square while there is an uncovered pixel, then pixel by pixel."""
    size, sums = inputs.shape[-1], torch.zeros((*CLASSES[: len(inputs)].shape, *inputs.shape[2:]))
    sums = sums.to(inputs.dtype)
    times = torch.zeros(size, size)

    def scores(pixels: Tensor) -> Tensor:
        logits = model.module(pixels)
        picked: Tensor = (logits.softmax(1) if softmax else logits).gather(1, CLASSES[: len(pixels)])
        return picked

    starts = [0]
    while starts[-1] + patch < size:
        starts.append(starts[-1] + stride)
    for y in starts:
        for x in starts:
            rows = [r for r in range(y, y + patch) if r < size]
            columns = [c for c in range(x, x + patch) if c < size]
            covered = inputs.clone()
            for row in rows:
                for column in columns:
                    covered[:, :, row, column] = instead[..., row, column]
            drop = scores(inputs) - scores(covered)
            for row in rows:
                for column in columns:
                    sums[:, :, row, column] += drop
                    times[row, column] += 1
    means: Tensor = sums / times
    return means


@pytest.mark.parametrize(("patch", "stride"), WINDOWS)
@pytest.mark.parametrize("build_model", [googlenet_like, alexnet_like])
def test_heatmaps_equal_captums_and_a_plain_loops(build_model: Any, patch: int, stride: int) -> None:
    model, inputs = small(build_model), images(2)
    made = heatmaps(Occlusion(patch=patch, stride=stride, batch=7), model, inputs)
    loop = by_loop(model, inputs, patch, stride, torch.zeros(3, 12, 12))
    torch.testing.assert_close(made, loop, rtol=1e-10, atol=1e-13)
    # captum averages in float32
    torch.testing.assert_close(made.float(), by_captum(model, inputs, patch, stride).float())


@pytest.mark.parametrize(("patch", "stride"), WINDOWS)
def test_captum_sees_as_many_patches(patch: int, stride: int) -> None:
    model, calls = small(vgg_like), []
    counted = model.module.register_forward_hook(lambda *_: calls.append(1))
    CaptumOcclusion(model.module).attribute(
        images(1), target=0, sliding_window_shapes=(3, patch, patch), strides=(3, stride, stride)
    )
    counted.remove()
    assert Occlusion(patch=patch, stride=stride).positions(12) == len(calls) - 1  # one uncovered


@pytest.mark.parametrize("build_model", SMALL)
def test_no_chunk_size_changes_a_number(build_model: Any) -> None:
    model, inputs = small(build_model), images()
    wanted = heatmaps(Occlusion(patch=5, stride=3, batch=1), model, inputs)  # 16 patches, 4 images
    for batch in (None, 3, 16, 23, 64, 1000):
        made = heatmaps(Occlusion(patch=5, stride=3, batch=batch), model, inputs)
        torch.testing.assert_close(made, wanted, rtol=1e-11, atol=1e-13)


def test_a_span_of_drops_is_that_part_of_all_drops() -> None:
    model, method = small(googlenet_like), Occlusion(patch=5, stride=3, batch=7)
    forward = forward_pass(model, images())
    drops = method.drops(model, forward, CLASSES, range(64))
    for span in (range(1), range(5, 40), range(16, 32), range(63, 64)):
        some = method.drops(model, forward, CLASSES, span)
        torch.testing.assert_close(some, drops[span.start : span.stop], rtol=1e-11, atol=1e-13)


def test_no_more_than_a_batch_is_shown_at_once_and_one_pass_serves_all_classes() -> None:
    model, seen = small(googlenet_like), []
    forward = forward_pass(model, images(3))
    model.module.register_forward_hook(lambda _module, args, _output: seen.append(len(args[0])))
    Occlusion(patch=5, stride=3, batch=20)(model, forward, CLASSES[:3])
    assert seen == [20, 20, 8]


class Copies(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Every operation that would send something from the host to a device, or wait for one."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.made: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if any(word in str(func) for word in ("_local_scalar_dense", "nonzero", "_to_copy", "lift_fresh")):
            self.made.append(str(func))
        return output


@pytest.mark.parametrize("fill", ["mean", "zero", "grey", "blur"])
def test_nothing_is_sent_from_the_host_and_nothing_waits_for_the_device(fill: Any) -> None:
    model = small(vgg_like, torch.float32)
    forward = forward_pass(model, images(2, dtype=torch.float32))
    method = Occlusion(patch=5, stride=3, fill=fill, batch=7)
    with Copies() as copies:
        method.drops(model, forward, CLASSES[:2], range(32))
    assert copies.made == []


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_first_layer_that_works_in_place_changes_nothing(mode: Any) -> None:
    gentle = small(vgg_like)
    wanted = heatmaps(Occlusion(patch=5, stride=3, batch=7), gentle, images(3))
    scale = nn.Threshold(-1e9, 0.0, inplace=True)  # writes each value back, but for the version
    changed = nn.Hardtanh(-0.5, 0.5, inplace=True)
    clamped = heatmaps(
        Occlusion(patch=5, stride=3, batch=7), gentle, images(3).clamp(-0.5, 0.5)
    )  # the mean, 0, stays 0
    for first, expected in ((scale, wanted), (changed, clamped)):
        module = nn.Sequential(first, gentle.module).eval()
        with mode():
            made = heatmaps(Occlusion(patch=5, stride=3, batch=7), replace(gentle, module=module), images(3))
        assert torch.equal(made, expected)


def test_channels_last_stays_channels_last() -> None:
    model, seen = small(googlenet_like), []
    inputs = images(3).contiguous(memory_format=torch.channels_last)
    forward = forward_pass(model, inputs)
    model.module.register_forward_hook(
        lambda _module, args, _output: seen.append(args[0].is_contiguous(memory_format=torch.channels_last))
    )
    made = Occlusion(patch=5, stride=3, batch=7)(model, forward, CLASSES[:3])
    assert set(seen) == {True}
    torch.testing.assert_close(
        made, heatmaps(Occlusion(patch=5, stride=3), model, images(3)), rtol=1e-9, atol=1e-12
    )


def test_the_inputs_are_read_only() -> None:
    model, inputs = small(googlenet_like), images()
    forward = forward_pass(model, inputs, ["input"])
    before = forward.inputs._version
    heatmaps_ = Occlusion(patch=5, stride=3, fill="blur")(model, forward, CLASSES)
    assert forward.inputs._version == before
    assert torch.equal(forward.inputs, images())
    assert not heatmaps_.requires_grad


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize(("fill", "level"), [("zero", 0.0), ("grey", 127.5), ("mean", None)])
def test_a_colour_is_what_an_image_of_that_colour_would_be_fed_as(
    fill: Any, level: float | None, order: str
) -> None:
    scale, mean = (1 / 255, (0.4, 0.5, 0.6)) if order == "rgb" else (1.0, (104.0, 117.0, 123.0))
    std = (0.2, 0.3, 0.4) if order == "rgb" else (1.0, 1.0, 1.0)
    form = InputFormat(12, mean, std, order, scale)
    colour = np.asarray(mean)[:: -1 if order == "bgr" else 1] / scale if level is None else level
    picture = np.broadcast_to(np.asarray(colour, np.float32), (12, 12, 3))
    model = replace(small(googlenet_like), input=form)
    made = heatmaps(Occlusion(patch=5, stride=3, fill=fill), model, images(2))
    wanted = by_loop(model, images(2), 5, 3, to_input(picture, form).double())
    torch.testing.assert_close(made, wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))


def test_a_blur_is_the_gaussian_mean_of_the_image_with_its_border_repeated() -> None:
    sigma, inputs = 1.5, images(1)
    padded = np.pad(inputs[0].numpy(), ((0, 0), (5, 5), (5, 5)), mode="edge")  # 3 sigma, rounded up
    offsets = np.arange(-5, 6)
    kernel = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * sigma**2))
    instead = np.empty((3, 12, 12))
    for c, y, x in np.ndindex(3, 12, 12):
        instead[c, y, x] = (padded[c, y : y + 11, x : x + 11] * kernel).sum() / kernel.sum()
    model = small(googlenet_like)
    made = heatmaps(Occlusion(patch=5, stride=3, fill="blur", sigma=sigma), model, inputs)
    wanted = by_loop(model, inputs, 5, 3, torch.from_numpy(instead))
    torch.testing.assert_close(made, wanted, rtol=1e-9, atol=1e-12)


def test_probabilities_drop_by_the_softmax() -> None:
    model, inputs = small(googlenet_like), images(2)
    made = heatmaps(Occlusion(patch=5, stride=3, score="probability"), model, inputs)
    wanted = by_loop(model, inputs, 5, 3, torch.zeros(3, 12, 12), softmax=True)
    torch.testing.assert_close(made, wanted, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"patch": 0}, "method.patch=0: must be a whole number from 1 up"),
        ({"patch": 8, "stride": 9}, "method.stride=9: must be 1 … 8"),
        ({"sigma": 0.0}, "method.sigma=0.0: must be a number above 0"),
        ({"fill": "pink"}, r"method.fill=pink: must be mean \| zero \| grey \| blur"),
        ({"patch": 13, "stride": 13}, "method.patch=13: must be at most 12, the input of googlenet_like"),
    ],
)
def test_an_option_out_of_range_is_one_line_with_the_remedy(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Occlusion(**options).check(small(googlenet_like))


@pytest.mark.parametrize(
    ("fill", "refused"), [("zero", True), ("grey", True), ("mean", False), ("blur", False)]
)
def test_black_and_grey_are_refused_where_a_mean_image_gives_them_no_one_value(
    fill: Any, refused: bool
) -> None:
    model = small(googlenet_like)
    picture = MeanImage("mean.npy", "0" * 64, np.zeros((12, 12, 3), np.float32))
    model = replace(model, input=replace(model.input, mean_image=picture))
    method = Occlusion(patch=5, stride=3, fill=fill)
    if refused:
        with pytest.raises(UserError, match=f"method.fill={fill}: .*use mean or blur"):
            method.check(model)
    else:
        method.check(model)


def test_a_check_runs_no_model() -> None:
    model = small(googlenet_like)

    def refuse(*_: Any) -> Iterator[None]:
        raise AssertionError("a check of hundreds of passes")

    model.module.register_forward_pre_hook(refuse)
    Occlusion(patch=5, stride=3).check(model)


def test_on_the_bvlc_googlenet_heatmaps_equal_captums(shared: Path) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        options = ["+model=googlenet_bvlc", f"+weights_dir={shared / 'weights'}"]
        model: Model = build(compose(overrides=options).model)
    inputs = 50 * torch.randn((1, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    made = heatmaps(Occlusion(patch=100, stride=70, batch=9), model, inputs)  # 3 x 3, the last cut off
    wanted = by_captum(model, inputs, 100, 70)
    torch.testing.assert_close(made, wanted, rtol=1e-4, atol=2e-5)
