"""What holds for each method of ``conf/method``, whatever it computes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.small_models import SMALL, googlenet_like, images, resnet_like, small
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass

YAMLS = sorted(
    path
    for path in (Path(__file__).parents[2] / "conf" / "method").glob("*.yaml")
    if path.stem != "from_files"  # which computes nothing: tests/attribution/test_from_files.py
)
CLASSES = torch.tensor([[0, 3, 6], [2, 2, 5], [1, 4, 0], [6, 5, 4]])


FITTED = {"occlusion": {"patch": 5, "stride": 3, "batch": 7}}
"""Options without which a method does not fit the small models' 12 pixels."""


def methods() -> dict[str, Any]:
    found = (instantiate(OmegaConf.load(path), **FITTED.get(path.stem, {})) for path in YAMLS)
    return {method.name: method for method in found}


NAMES = [path.stem for path in YAMLS]


def explain(name: str, model: Model, inputs: Tensor, classes: Tensor) -> Tensor:
    method = methods()[name]
    heatmaps: Tensor = method(model, forward_pass(model, inputs, method.layers, method.operations), classes)
    return heatmaps


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_method_is_named_after_its_yaml() -> None:
    assert list(methods()) == NAMES
    assert len(NAMES) >= 5


def test_the_yaml_states_the_defaults_of_the_code(name: str) -> None:
    options = OmegaConf.load(next(path for path in YAMLS if path.stem == name))
    method = instantiate(options)
    assert method == type(method)()
    assert set(options) == {"_target_", *vars(method)}


def test_a_batch_equals_its_images_one_by_one(name: str) -> None:
    model = small(googlenet_like)
    together = explain(name, model, images(), CLASSES)
    for n in range(4):
        alone = explain(name, model, images()[n : n + 1], CLASSES[n : n + 1])
        torch.testing.assert_close(together[n : n + 1], alone, rtol=1e-12, atol=1e-14)


def test_all_classes_at_once_equal_one_class_at_a_time(name: str) -> None:
    model = small(resnet_like)
    together = explain(name, model, images(), CLASSES)
    for k in range(3):
        alone = explain(name, model, images(), CLASSES[:, k : k + 1])
        torch.testing.assert_close(together[:, k : k + 1], alone, rtol=1e-12, atol=1e-14)


def test_methods_that_share_a_pass_do_not_change_one_another(name: str) -> None:
    model = small(googlenet_like)
    every = methods()
    layers = {layer for method in every.values() for layer in method.layers}
    forward = forward_pass(model, images(), sorted(layers), operations=True)
    first = every[name](model, forward, CLASSES)
    for other in reversed(every.values()):
        other(model, forward, CLASSES)
    assert torch.equal(every[name](model, forward, CLASSES), first)
    torch.testing.assert_close(first, explain(name, model, images(), CLASSES), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_heatmaps_are_detached_and_of_the_models_precision(name: str, dtype: torch.dtype) -> None:
    heatmaps = explain(name, small(googlenet_like, dtype), images(dtype=dtype), CLASSES)
    assert heatmaps.shape[:2] == (4, 3)
    assert heatmaps.dtype == dtype
    assert not heatmaps.requires_grad
    assert heatmaps.isfinite().all()
    assert heatmaps.abs().sum() > 0


def _relative(measured: Tensor, wanted: Tensor) -> float:
    return float((measured - wanted).norm() / wanted.norm())


def test_autocast_gives_nearly_the_same_heatmaps_in_float32(name: str) -> None:
    model = small(googlenet_like, torch.float32)
    wanted = explain(name, model, images(dtype=torch.float32), CLASSES)
    with torch.autocast("cpu", torch.bfloat16):
        measured = explain(name, model, images(dtype=torch.float32), CLASSES)
    assert measured.dtype == torch.float32
    assert _relative(measured, wanted) < 0.2


def test_channels_last_gives_the_same_heatmaps(name: str) -> None:
    wanted = explain(name, small(googlenet_like), images(), CLASSES)
    model = small(googlenet_like)
    model.module.to(memory_format=torch.channels_last)
    measured = explain(name, model, images().contiguous(memory_format=torch.channels_last), CLASSES)
    torch.testing.assert_close(measured, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_grad_mode_makes_no_difference(name: str, mode: Callable[[], torch.no_grad]) -> None:
    model = small(googlenet_like)
    wanted = explain(name, model, images(), CLASSES)
    with mode():
        measured = explain(name, model, images() + 0, CLASSES + 0)
        assert not torch.is_grad_enabled()
    assert torch.equal(measured, wanted)


@pytest.mark.parametrize("fails", [False, True])
def test_a_method_leaves_the_model_as_it_was(name: str, fails: bool) -> None:
    model = small(googlenet_like)
    state = {key: value.clone() for key, value in model.module.state_dict().items()}
    if fails:
        with pytest.raises((RuntimeError, IndexError)):
            explain(name, model, images(), CLASSES + 100)
    else:
        explain(name, model, images(), CLASSES)
    assert torch.is_grad_enabled()
    assert not any(part._forward_hooks or part.training for part in model.module.modules())
    assert all(p.grad is None and not p.requires_grad for p in model.module.parameters())
    assert all(torch.equal(value, state[key]) for key, value in model.module.state_dict().items())


@pytest.mark.parametrize("build", SMALL)
def test_a_check_passes_on_every_model_that_the_method_can_explain(
    name: str, build: Callable[[], Model]
) -> None:
    model = small(build)
    if name == "cam" and build not in (googlenet_like, resnet_like):
        with pytest.raises(UserError, match="global average pooling"):
            methods()[name].check(model)
    else:
        methods()[name].check(model)


@pytest.mark.parametrize("name", [name for name, method in methods().items() if hasattr(method, "layer")])
def test_a_check_refuses_a_layer_that_is_missing_or_has_no_maps(name: str) -> None:
    kind, model = type(methods()[name]), small(googlenet_like)
    with pytest.raises(UserError, match="has no layer 'conv9'"):
        kind(layer="conv9").check(model)
    with pytest.raises(UserError, match="layer 3 of googlenet_like has no maps"):
        kind(layer="3").check(model)
