"""A forward pass keeps what methods need, as the model computed it, and leaves the model as it was."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from helpers.small_models import SMALL, as_model, images, small, vgg_like
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.forward import find_layer, forward_pass, one_hot, output_count, probe


def _hooks(module: nn.Module) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(part, kind)) for part in module.modules() for kind in kinds)


@pytest.mark.parametrize("build", SMALL)
def test_logits_are_those_of_the_plain_model(build: Callable[[], Model]) -> None:
    model = small(build)
    forward = forward_pass(
        model, images(), ("input", "last_conv", "excitation", "classifier"), operations=True
    )
    assert torch.equal(forward.logits, model.module(images()))
    assert torch.equal(forward.inputs, images())


def test_a_role_a_module_and_the_input_are_found_under_the_name_they_were_asked_by() -> None:
    model = small(vgg_like)
    forward = forward_pass(model, images(), ("last_conv", "6", "4", "input"))
    assert set(forward.activations) == {"last_conv", "6", "4", "input"}
    assert forward.activations["last_conv"] is forward.activations["6"]
    assert torch.equal(forward.activations["input"], images())


def test_a_convolution_before_an_in_place_relu_keeps_its_own_values_and_gradients() -> None:
    model = small(vgg_like)  # module 5 is a convolution, module 6 an in-place ReLU
    forward = forward_pass(model, images(), ("5",))
    before = model.module[:6](images())  # type: ignore[index]
    assert (before < 0).any()
    assert torch.equal(forward.activations["5"], before)

    leaf = before.clone().requires_grad_()
    (wanted,) = torch.autograd.grad(model.module[6:](leaf.clone())[:, 3].sum(), leaf)  # type: ignore[index]
    (measured,) = torch.autograd.grad(forward.logits[:, 3].sum(), forward.activations["5"])
    assert torch.equal(measured, wanted)
    assert (measured[before < 0] == 0).all()


def test_nothing_before_the_first_layer_is_differentiated_or_recorded() -> None:
    model = small(vgg_like)
    forward = forward_pass(model, images(), ("last_conv", "classifier"), operations=True)
    assert forward.activations["last_conv"].is_leaf
    assert [o.function.__name__ for o in forward.operations] == [
        "clone",
        "adaptive_avg_pool2d",
        "flatten",
        "linear",
        "relu",
        "dropout",
        "linear",
        "clone",
    ]
    assert forward_pass(model, images(), ("classifier",)).operations == ()
    assert not forward_pass(model, images()).logits.requires_grad


def test_gradients_of_every_recorded_layer_come_from_one_graph() -> None:
    model = small(vgg_like)
    forward = forward_pass(model, images(), ("input", "excitation", "last_conv"))
    for layer, activation in forward.activations.items():
        (together,) = torch.autograd.grad(forward.logits[:, 0].sum(), activation, retain_graph=True)
        alone = forward_pass(model, images(), (layer,))
        (wanted,) = torch.autograd.grad(alone.logits[:, 0].sum(), alone.activations[layer])
        assert torch.equal(together, wanted)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_it_works_in_any_grad_mode_and_leaves_it_alone(mode: Callable[[], torch.no_grad]) -> None:
    model = small(vgg_like)
    with mode():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        inputs = images() + 0
        forward = forward_pass(model, inputs, ("input", "last_conv"), operations=True)
        picks = torch.ones(4, 7).double()
        (gradient,) = torch.autograd.grad(forward.logits, forward.activations["input"], picks)
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    assert gradient.abs().sum() > 0
    assert not inputs.requires_grad


class _Failing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise ValueError("inside the model")


@pytest.mark.parametrize("fails", [False, True])
def test_no_hook_flag_gradient_or_parameter_is_left_behind(fails: bool) -> None:
    model = small(vgg_like)
    state = {name: value.clone() for name, value in model.module.state_dict().items()}
    if fails:
        model.module.append(_Failing())  # type: ignore[operator]
        with pytest.raises(ValueError, match="inside the model"):
            forward_pass(model, images(), ("input", "last_conv", "classifier"), operations=True)
    else:
        forward_pass(model, images(), ("input", "last_conv", "classifier"), operations=True)
    assert _hooks(model.module) == 0
    assert torch.is_grad_enabled()
    assert not torch._C._len_torch_function_stack()
    assert not any(part.training for part in model.module.modules() if not isinstance(part, _Failing))
    assert all(p.grad is None and not p.requires_grad for p in model.module.parameters())
    assert all(torch.equal(value, state[name]) for name, value in model.module.state_dict().items())


def test_an_unknown_layer_is_refused_with_the_nearest_names() -> None:
    model = small(vgg_like)
    with pytest.raises(UserError, match=r"vgg_like has no layer 'last_con'; nearest: last_conv"):
        forward_pass(model, images(), ("last_con",))
    gone = as_model(model.module, "gone", last_conv="66")
    with pytest.raises(UserError, match=r"gone has no layer '66' \(role last_conv\); nearest: 6"):
        find_layer(gone, "last_conv")
    with pytest.raises(UserError, match=r"no layer 'Ω'; nearest: last_conv, input"):
        find_layer(gone, "Ω")


class _Odd(nn.Module):
    """Parts that a layer's name may point at by mistake."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Conv2d(3, 3, 1)
        self.never = nn.ReLU()
        self.pair = nn.MaxPool2d(2, return_indices=True)
        self.fc = nn.Linear(3, 7)

    def forward(self, x: Tensor) -> Tensor:
        maps, _ = self.pair(self.twice(self.twice(x)))
        scores: Tensor = self.fc(maps.mean((2, 3)))
        return scores


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("twice", "layer twice of odd runs more than once"),
        ("never", "layer never of odd takes no part"),
        ("pair", "layer pair of odd returns a tuple"),
    ],
)
def test_a_layer_without_one_output_tensor_is_refused(layer: str, message: str) -> None:
    model = as_model(_Odd(), "odd")
    with pytest.raises(UserError, match=message):
        forward_pass(model, images(dtype=torch.float32), (layer,))
    assert _hooks(model.module) == 0


def test_scores_that_are_not_a_matrix_are_refused() -> None:
    model = as_model(nn.Conv2d(3, 7, 12), "convolutional")
    with pytest.raises(UserError, match=r"convolutional must return scores \[N, C\], not \[4, 7, 1, 1\]"):
        forward_pass(model, images(dtype=torch.float32))


class _Overwrites(nn.Module):
    """Changes in place what a convolution has read."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.fc = nn.Linear(3, 7)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.conv(x)
        other = self.conv.forward(maps)
        F.relu(maps, inplace=True)
        scores: Tensor = self.fc((maps + other).mean((2, 3)))
        return scores


def test_a_recorded_input_that_is_overwritten_later_is_refused() -> None:
    model = as_model(_Overwrites(), "overwrites")
    with pytest.raises(UserError, match=r"overwrites the input of torch.nn.functional.conv2d in place"):
        forward_pass(model, images(dtype=torch.float32), ("conv",), operations=True)


class _OverwritesLayer(_Overwrites):
    """Changes a layer's output through another name than the one it was returned under."""

    def forward(self, x: Tensor) -> Tensor:
        x = x * 1
        self.fc.eval()
        same = self.pass_on(x)
        x += 1
        scores: Tensor = self.fc(same.mean((2, 3)))
        return scores

    def __init__(self) -> None:
        super().__init__()
        self.pass_on = nn.Identity()


def test_a_layer_that_is_overwritten_under_another_name_is_refused() -> None:
    model = as_model(_OverwritesLayer(), "overwrites")
    with pytest.raises(UserError, match="overwrites overwrites layer pass_on in place"):
        forward_pass(model, images(dtype=torch.float32), ("pass_on",))


def test_the_callers_image_survives_a_model_that_works_in_place_on_its_input() -> None:
    model = as_model(nn.Sequential(nn.ReLU(inplace=True), nn.Flatten()), "in_place")
    inputs = images()
    forward = forward_pass(model, inputs, ("input",))
    assert torch.equal(inputs, images())
    assert torch.equal(forward.activations["input"], images())


def test_one_hot_signals_pick_the_scores_of_each_class() -> None:
    logits = torch.arange(12.0).view(2, 6)
    classes = torch.tensor([[5, 0, 1], [2, 2, 4]])
    picked = (one_hot(logits, classes) * logits).sum(2)
    assert torch.equal(picked.T, logits.gather(1, classes))


def test_the_noise_that_checks_look_at_is_the_same_each_time() -> None:
    model = small(vgg_like)
    passes = [probe(model, ("last_conv",)) for _ in range(2)]
    assert passes[0].inputs.shape == (1, 3, 12, 12)
    assert passes[0].inputs.dtype == torch.float64
    assert torch.equal(passes[0].inputs, passes[1].inputs)


def test_a_size_that_the_network_does_not_take_is_told_in_one_line_with_the_option() -> None:
    model = as_model(nn.Sequential(nn.Flatten(), nn.Linear(432, 7)), "flat")
    wrong = replace(model, input=replace(model.input, size=40))
    with pytest.raises(
        UserError, match=r"does not take inputs of 40 pixels: .*; set model\.input\.size"
    ) as caught:
        probe(wrong, ())
    assert "\n" not in str(caught.value)


def test_the_number_of_outputs_is_asked_of_the_network() -> None:
    assert output_count(small(vgg_like)) == 7
