"""Excitation backprop against a derivation with explicit matrices, and a slow walk on full-size models."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from helpers.excitation_oracle import dense, descend_all, implicit
from helpers.small_models import SMALL, Residual, as_model, images, small
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from benchmark.attribution.common.excitation import walk
from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass


def expected(model: Model, inputs: Tensor, classes: Tensor, layer: str, contrastive: bool) -> Tensor:
    """What :func:`walk` must give on a chain, one image at a time, with explicit matrices."""
    chain = [module for _, module in model.module.named_children()]
    first = int(layer) + 1
    contrast = int(model.layers["classifier"]) - first if contrastive else -1
    rows = []
    for image, choice in zip(inputs, classes, strict=True):
        a = image[None]
        for module in chain[:first]:
            a = module(a.clone())
        rows.append(descend_all(chain[first:], a, torch.eye(7, dtype=a.dtype)[choice], dense, contrast))
    return torch.stack(rows)


CLASSES = torch.tensor([[0, 3, 6], [2, 2, 5]])


def signed() -> Model:
    """Activations of both signs before an average, a convolution and a sum of two branches."""
    ways = Residual(nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1))
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(2), ways, nn.Flatten(), nn.Linear(100, 7))
    return as_model(module, "signed", last_conv="1", excitation="0", classifier="4")


@pytest.mark.parametrize("contrastive", [False, True])
@pytest.mark.parametrize("role", ["last_conv", "excitation"])
@pytest.mark.parametrize("build", [*SMALL, signed])
def test_walk_equals_the_product_of_explicit_probability_matrices(
    build: Callable[[], Model], role: str, contrastive: bool
) -> None:
    model = small(build)
    inputs = images(2)
    forward = forward_pass(model, inputs, (role,), operations=True)

    measured = walk(model, forward, CLASSES, role, contrastive)

    wanted = expected(model, inputs, CLASSES, model.layers[role], contrastive)
    assert wanted.abs().sum() > 0.1
    torch.testing.assert_close(measured, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("build", SMALL)
def test_all_classes_at_once_equal_one_class_at_a_time(build: Callable[[], Model]) -> None:
    model = small(build)
    forward = forward_pass(model, images(2), ("excitation",), operations=True)
    together = walk(model, forward, CLASSES, "excitation", contrastive=True)
    for k in range(3):
        alone = walk(model, forward, CLASSES[:, k : k + 1], "excitation", contrastive=True)
        torch.testing.assert_close(together[:, k : k + 1], alone, rtol=1e-12, atol=1e-14)


def _head(*, dead: bool) -> Model:
    """Positive weights and maps, so that no mass is lost, unless one hidden unit is dead."""
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(100, 5), nn.Linear(5, 7)
    )
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.1, 1, generator=torch.Generator().manual_seed(0))
    if dead:
        nn.init.constant_(module.get_parameter("4.weight")[2], -0.001)
        nn.init.constant_(module.get_parameter("4.bias")[2:3], 100)  # the bias alone keeps it active
    return as_model(module.double(), "head", excitation="1", classifier="5")


def test_mass_is_conserved_where_every_denominator_is_positive() -> None:
    model = _head(dead=False)
    forward = forward_pass(model, images(2).abs(), ("excitation",), operations=True)
    mass = walk(model, forward, CLASSES, "excitation").sum((2, 3, 4))
    torch.testing.assert_close(mass, torch.ones_like(mass), rtol=1e-12, atol=0)


def test_mass_that_enters_a_unit_with_zero_denominator_is_lost_and_no_more() -> None:
    model = _head(dead=True)
    forward = forward_pass(model, images(2).abs(), ("excitation", "4"), operations=True)
    hidden = walk(model, forward, CLASSES, "4")
    assert (hidden[..., 2] > 0.005).all()
    mass = walk(model, forward, CLASSES, "excitation").sum((2, 3, 4))
    torch.testing.assert_close(mass, 1 - hidden[..., 2], rtol=1e-12, atol=0)


def test_contrast_sums_to_zero_at_the_classifiers_input_and_below() -> None:
    model = _head(dead=False)
    nn.init.normal_(model.module.get_parameter("5.weight"), generator=torch.Generator().manual_seed(0))
    forward = forward_pass(model, images(2).abs(), ("excitation", "4"), operations=True)
    for layer in ("4", "excitation"):
        signed = walk(model, forward, CLASSES, layer, contrastive=True)
        assert signed.abs().sum() > 0.1
        torch.testing.assert_close(signed.flatten(2).sum(2), torch.zeros(2, 3).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("between", [nn.LocalResponseNorm(3, alpha=1.0), nn.BatchNorm2d(4), nn.Dropout()])
def test_normalization_and_dropout_pass_the_mass_unchanged(between: nn.Module) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), between, nn.ReLU(), nn.Flatten(), nn.Linear(400, 7))
    model = as_model(module.double(), "between", excitation="1", after="3", classifier="5")
    forward = forward_pass(model, images(2), ("excitation", "after"), operations=True)
    measured, wanted = (walk(model, forward, CLASSES, layer) for layer in ("excitation", "after"))
    assert torch.equal(measured, wanted)


class _Between(nn.Module):
    """A function of the maps between a convolution and a linear classifier."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4 * 144, 7)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.fc(self.function(self.conv(x)).flatten(1))
        return scores


def _between(function: Callable[[Tensor], Tensor]) -> Model:
    return as_model(_Between(function).double(), "odd", excitation="conv", classifier="fc")


REFUSED: dict[str, Callable[[Tensor], Tensor]] = {
    "torch.sigmoid": torch.sigmoid,
    "torch.Tensor.mul": lambda x: x * 2,
    "torch.Tensor.add of anything but two tensors": lambda x: x + 1,
    "torch.chunk": lambda x: torch.cat(torch.chunk(x, 2, 1), 1),
    "torch.nn.functional.dropout in training mode": lambda x: nn.functional.dropout(x),
    "torch.nn.functional.pad with anything but zeros": lambda x: nn.functional.pad(x, [1, -1, 0, 0], value=2),
    "torch.nn.functional.batch_norm with the statistics of the batch": lambda x: nn.functional.batch_norm(
        x, None, None, training=True
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_operation_without_a_rule_is_refused_by_name(what: str) -> None:
    model = _between(REFUSED[what])
    forward = forward_pass(model, images(2), ("excitation",), operations=True)
    with pytest.raises(UserError, match=f"model odd: excitation backprop has no rule for {what}"):
        walk(model, forward, CLASSES, "excitation")


def test_an_operation_without_a_rule_before_the_read_layer_does_no_harm() -> None:
    model = _between(torch.relu)
    model.module.register_forward_pre_hook(lambda _, args: (torch.sigmoid(args[0]) * 2,))
    forward = forward_pass(model, images(2), ("input", "excitation"), operations=True)
    assert walk(model, forward, CLASSES, "excitation").shape == (2, 3, 4, 12, 12)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: nn.functional.pad(x, [1, -1, 0, 0]),
        lambda x: torch.concatenate([torch.relu(x)], dim=-3),
        lambda x: x.contiguous().view(2, 4, 144).reshape(2, 4, 12, 12).squeeze(0),
        lambda x: x.add_(x),
        lambda x: torch.add(input=x, other=torch.relu(x)),
    ],
)
def test_what_only_moves_or_sums_units_conserves_their_mass(function: Callable[[Tensor], Tensor]) -> None:
    model = _between(function)
    model.module.get_parameter("conv.weight").abs_()
    model.module.get_parameter("conv.bias").abs_()
    forward = forward_pass(model, images(2).abs(), ("excitation",), operations=True)
    mass = walk(model, forward, CLASSES, "excitation").sum((2, 3, 4))
    torch.testing.assert_close(mass, torch.ones_like(mass), rtol=1e-12, atol=0)


def test_contrast_needs_the_classifier_to_be_one_weighted_layer_after_the_read_layer() -> None:
    model = small(SMALL[0])
    forward = forward_pass(model, images(2), ("excitation", "classifier"), operations=True)
    with pytest.raises(UserError, match="vgg_like: its classifier 12 must be one linear"):
        walk(model, forward, CLASSES, "classifier", contrastive=True)
    relu = as_model(model.module, "vgg_like", excitation="4", classifier="10")
    with pytest.raises(UserError, match="vgg_like: its classifier 10 must be one linear"):
        walk(relu, forward, CLASSES, "excitation", contrastive=True)


def test_a_pass_whose_operations_were_not_recorded_is_refused() -> None:
    model = small(SMALL[0])
    forward = forward_pass(model, images(2), ("excitation",))
    with pytest.raises(UserError, match="no recorded operation leads from its scores to excitation"):
        walk(model, forward, CLASSES, "excitation")


def test_a_walk_keeps_full_precision_under_autocast() -> None:
    model = small(SMALL[2], torch.float32)
    forward = forward_pass(model, images(2, dtype=torch.float32), ("excitation",), operations=True)
    wanted = walk(model, forward, CLASSES, "excitation")
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(walk(model, forward, CLASSES, "excitation"), wanted)


class Clamped(TorchFunctionMode):
    """Shapes of what is cut at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[torch.Size] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") == "clamp":
            self.shapes.append(args[0].shape)
        return func(*args, **(kwargs or {}))


def test_the_positive_parts_of_weights_are_made_with_the_first_batch_alone() -> None:
    model = small(SMALL[0])
    forward = forward_pass(model, images(), ("excitation",), operations=True)
    classes = torch.zeros(4, 1, dtype=torch.int64)
    with Clamped() as first:
        walk(model, forward, classes, "excitation", contrastive=True)
    with Clamped() as second:
        walk(model, forward, classes, "excitation", contrastive=True)
    assert len(first.shapes) >= 3
    assert second.shapes == []


def test_denominators_too_small_to_divide_by_count_as_zero() -> None:
    model = _between(torch.relu)
    model.module.float()
    model.module.get_parameter("fc.weight").fill_(1e-42)
    forward = forward_pass(model, images(2).float(), ("excitation",), operations=True)
    assert torch.equal(walk(model, forward, CLASSES, "excitation"), torch.zeros(2, 3, 4, 12, 12))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer", "first"), [("alexnet", "features.5", 6), ("googlenet", "maxpool2", 5)]
)
@pytest.mark.parametrize("contrastive", [False, True])
def test_walk_through_a_full_size_model_equals_a_slow_walk_layer_by_layer(
    name: str, layer: str, first: int, contrastive: bool
) -> None:
    torch.manual_seed(0)
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    module = getattr(torchvision.models, name)(weights=None, **options).double()
    tail = [child for _, child in module.named_children() if not isinstance(child, nn.Dropout)]
    if name == "alexnet":
        chain = [*module.features, module.avgpool, nn.Flatten(), *module.classifier]
    else:
        chain = [*tail[:-1], nn.Flatten(), module.fc]
    model = as_model(module, name, size=224, classifier="classifier.6" if name == "alexnet" else "fc")
    inputs, classes = images(1, 224), torch.tensor([[3, 999]])

    forward = forward_pass(model, inputs, (layer,), operations=True)
    measured = walk(model, forward, classes, layer, contrastive)

    a = inputs
    for part in chain[:first]:
        a = part(a.clone())
    contrast = len(chain) - first - 1 if contrastive else -1
    for k, choice in enumerate(classes[0]):
        start = torch.eye(1000, dtype=a.dtype)[choice][None]
        wanted = descend_all(chain[first:], a, start, implicit, contrast)
        torch.testing.assert_close(measured[:, k], wanted, rtol=1e-8, atol=1e-14)
