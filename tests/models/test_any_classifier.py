"""Classifiers of timm and torchvision by their names: what a probe finds, held against pytorch-grad-cam."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from helpers.every_model import make
from PIL import Image
from pytorch_grad_cam import GradCAM as OtherGradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmark.attribution.c_mwp import ContrastiveMWP
from benchmark.attribution.cam import CAM
from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.guided_backprop import GuidedBackprop
from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.core.types import Model
from benchmark.models.assembly import tell
from benchmark.models.forward import forward_pass
from benchmark.models.layouts import token_grid
from benchmark.models.roles import find_roles
from benchmark.transforms.resize_crop import ResizeCrop

Reshape = Callable[[Tensor], Tensor]
CLASSES = torch.tensor([[3, 7], [9, 7]])


def grid(besides: int) -> Reshape:
    """pytorch-grad-cam's ``vit_reshape_transform`` for any grid: tokens ``[N, T, C]`` to ``[N, C, h, w]``."""

    def reshape(tokens: Tensor) -> Tensor:
        side = round((tokens.shape[1] - besides) ** 0.5)
        return tokens[:, besides:].reshape(len(tokens), side, side, -1).permute(0, 3, 1, 2)

    return reshape


def channels_first(maps: Tensor) -> Tensor:
    return maps.permute(0, 3, 1, 2)


NETS: dict[str, tuple[tuple[str, ...], str, Reshape | None]] = {
    # Words, the layer that is found, and how pytorch-grad-cam has to be told to read it.
    "ResNet": (("timm", "model.name=test_resnet.r160_in1k"), "layer4", None),
    "ConvNeXt": (("timm", "model.name=test_convnext.r160_in1k"), "norm_pre", None),
    "ViT": (("timm", "model.name=test_vit.r160_in1k"), "blocks.5.norm1", grid(1)),
    "ViT of averaged tokens": (("timm", "model.name=test_vit2.r160_in1k"), "norm", grid(1)),
    "Swin": (("timm", "model.name=swin_tiny_patch4_window7_224", *(
        "+model.arguments.depths=[1,1]", "+model.arguments.num_heads=[2,4]", "+model.arguments.embed_dim=16",
    )), "norm", channels_first),
    "DeiT, distilled": (("timm", "model.name=deit_tiny_distilled_patch16_224", *(
        "+model.arguments.depth=2", "+model.arguments.embed_dim=32", "+model.arguments.num_heads=2",
    )), "blocks.1.norm1", grid(2)),
}  # fmt: skip


def net(name: str, *words: str) -> Model:
    ((group, *own), _, _) = NETS[name]
    model = make(group, *own, "model.weights=random", *words)
    model.module.double()
    return model


def inputs(model: Model) -> Tensor:
    side = model.input.size
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def explain(method: Method, model: Model) -> Tensor:
    method.check(model)
    forward = forward_pass(model, inputs(model), method.layers, method.operations)
    return method(model, forward, CLASSES).detach()


@pytest.mark.parametrize("name", NETS)
def test_grad_cam_at_the_layer_that_is_found_is_pytorch_grad_cams(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, layer, reshape = NETS[name]
    model = net(name)
    assert model.layers["last_conv"] == layer
    measured = explain(GradCAM(), model)
    assert (measured.amax((2, 3)) > 0).any()
    part = model.module.get_submodule(layer)
    for k in range(2):
        targets = [ClassifierOutputTarget(int(c)) for c in CLASSES[:, k]]
        with OtherGradCAM(model.module, [part], reshape_transform=reshape) as other:
            other(inputs(model).requires_grad_(), targets)
            kept = other.activations_and_grads
            maps, slopes = kept.activations[0].numpy(), kept.gradients[0].numpy()
            theirs = other.get_cam_image(inputs(model), part, targets, maps, slopes)
        torch.testing.assert_close(measured[:, k], torch.from_numpy(theirs).relu(), rtol=1e-12, atol=1e-15)


def test_what_is_found_is_told_with_the_transform_of_timms_own_evaluation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell.cache_clear()  # of tests before
    make("timm", "model.name=test_vit3.r160_in1k", "model.weights=random")
    told = capsys.readouterr().err
    assert "test_vit3.r160_in1k: layers found by a probe: last_conv norm, classifier head" in told
    assert (
        "transform=resize_crop transform.crop_pct=0.95 transform.mode=center transform.interpolation=bicubic"
        in told
    )


@pytest.mark.parametrize(
    ("name", "method", "said"),
    [
        ("ViT", CAM(), "method cam needs global average pooling and one linear layer"),
        ("ConvNeXt", CAM(), "method cam needs global average pooling and one linear layer"),
        ("ViT", ContrastiveMWP(), "gives tokens, of a transformer, which this method has no rule for"),
        ("ViT", GuidedBackprop(), "GeluBackward0 may rectify and is no ReLU"),
        ("ViT", GradCAM(layer="norm"), "only on the class token; name an earlier one"),
    ],
)  # fmt: skip
def test_a_method_without_a_meaning_there_is_refused_in_one_line(
    name: str, method: Method, said: str
) -> None:
    with pytest.raises(UserError, match=said) as refused:
        method.check(net(name))
    assert "\n" not in str(refused.value)


def test_cam_applies_where_the_maps_are_pooled_for_one_linear_layer() -> None:
    for name in ("ResNet", "Swin"):
        model = net(name)
        cells = explain(GradCAM(), model)[0, 0].numel()
        torch.testing.assert_close(explain(CAM(), model).relu() / cells, explain(GradCAM(), model))


def test_a_layer_that_is_named_is_taken_and_the_others_are_found() -> None:
    model = net("ResNet", "model.layers.last_conv=layer3")
    assert (model.layers["last_conv"], model.layers["excitation"]) == ("layer3", "layer3")
    assert model.layers["classifier"] == "fc"


def test_the_input_is_that_of_timms_data_config_and_each_part_of_it_can_be_changed() -> None:
    form = net("ViT").input
    assert (form.size, form.mean, form.std) == (160, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    changed = net("ViT", "model.input.size=64", "model.input.std=[1,1,1]").input
    assert (changed.size, changed.mean, changed.std) == (64, (0.5, 0.5, 0.5), (1, 1, 1))


@pytest.mark.parametrize("name", ["ViT", "DeiT, distilled"])
def test_a_size_that_leaves_a_part_of_a_patch_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"model\.input\.size=\d+: must be a multiple of 16"):
        net(name, "model.input.size=90")


@pytest.mark.parametrize("mode", ["center", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_resize_crop_is_timms_own_evaluation_to_the_bit(mode: str, interpolation: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (61, 87, 3), np.uint8)
    theirs = timm.data.create_transform(
        (3, 32, 32), interpolation=interpolation, crop_pct=0.9, crop_mode=mode, normalize=False
    )(Image.fromarray(pixels))
    ours, _ = ResizeCrop(0.9, mode, interpolation)(pixels, 32)  # type: ignore[arg-type]
    np.testing.assert_array_equal(ours, theirs.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("wrapped", ["plain", "state_dict", "model, module."])
def test_a_local_file_is_read_under_any_key_and_as_safetensors(tmp_path: Path, wrapped: str) -> None:
    given = net("ResNet").module.float()
    for value in given.parameters():
        value.data.uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(value.numel()))
    state = given.state_dict()
    if wrapped == "plain":  # named as the model, it needs no option
        words = [f"weights_dir={tmp_path}"]
        save_file(state, tmp_path / "test_resnet.r160_in1k.safetensors")
    else:
        words = [f"model.weights={tmp_path / 'net.pth'}"]
        key, _, prefix = wrapped.partition(", ")
        torch.save({key: {prefix + name: value for name, value in state.items()}}, tmp_path / "net.pth")
    model = make("timm", "model.name=test_resnet.r160_in1k", *words)
    assert all(torch.equal(value, state[name]) for name, value in model.module.state_dict().items())


def test_the_file_that_timm_itself_downloaded_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(net("ResNet").module.float().state_dict(), tmp_path / "model.safetensors")
    asked: list[tuple[str, str]] = []

    def cached(hub: str, file: str) -> str:
        asked.append((hub, file))
        return str(tmp_path / file)

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", cached)
    assert make("timm", "model.name=test_resnet.r160_in1k").weights.source == "model.safetensors"
    assert asked == [("timm/test_resnet.r160_in1k", "model.safetensors")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("timm", "model.name=resnet55.a1_in1k"), r"no such model; nearest: .*resnet50\.a1_in1k"),
        (("timm", "model.name=5"), r"model\.name=5: timm .* has no such model"),
        (("torchvision", "model.name=5"), "torchvision has no such classifier"),
        (("torchvision", "model.name=resnet19"), "torchvision has no such classifier .*resnet18"),
        (("timm", "model.name=test_resnet.r160_in1k"), r"huggingface\.co/timm/test_resnet\.r160_in1k"),
        (("timm", "model.name=test_vit.r160_in1k", "model.weights={other}"), "does not fit the model"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 4).state_dict(), tmp_path / "other.pth")
    with pytest.raises(UserError, match=said) as refused:
        make(*(word.format(other=tmp_path / "other.pth") for word in words))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("name", "layer"), [("mnasnet0_5", "layers"), ("regnet_y_400mf", "trunk_output")])
def test_a_network_of_torchvisions_is_found_out_by_its_name_alone(name: str, layer: str) -> None:
    model = make("torchvision", f"model.name={name}", "model.weights=random")
    assert model.layers["last_conv"] == layer
    assert (model.input.size, model.input.mean) == (224, (0.485, 0.456, 0.406))
    CAM().check(model)


def test_a_network_without_convolutions_and_tokens_is_refused() -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(48, 9), nn.ReLU(), nn.Linear(9, 2))
    with pytest.raises(UserError, match="is no convolutional network and has no tokens on a grid"):
        find_roles(flat, torch.rand(1, 3, 4, 4))


@pytest.mark.parametrize(
    ("tokens", "size", "found"),
    [
        (196, (224, 224), (0, 14, 14)),
        (197, (224, 224), (1, 14, 14)),
        (261, (224, 224), (5, 16, 16)),
        (12 + 1, (64, 48), (1, 4, 3)),
        (213, (224, 224), None),
        (1, (224, 224), None),
    ],
)
def test_tokens_are_a_few_without_a_place_and_a_grid_of_the_images_shape(
    tokens: int, size: tuple[int, int], found: tuple[int, int, int] | None
) -> None:
    assert token_grid(tokens, size) == found
