"""Facts that hold for every yaml in conf/model, whatever its family; tests/facts has each network's own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import torch
from helpers.every_model import NAMES, make, options, random_model
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import Model

ROLES = {"last_conv", "classifier", "penultimate", "excitation"}

pytestmark = pytest.mark.slow


@contextmanager
def listening(model: Model) -> Iterator[dict[str, Tensor]]:
    """Outputs of all roles' layers, and ``into``: the input of the classifier."""
    heard: dict[str, Tensor] = {}

    def listen(role: str, layer: nn.Module, stack: ExitStack) -> None:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            heard[role] = output.clone()
            if role == "classifier":
                heard["into"] = inputs[0].clone()

        handle = layer.register_forward_hook(hook)
        stack.callback(handle.remove)

    with ExitStack() as stack:
        for role, name in model.layers.items():
            listen(role, model.module.get_submodule(name), stack)
        yield heard


@pytest.mark.parametrize("name", NAMES)
def test_a_model_gives_finite_scores_and_its_classifier_reads_its_penultimate_layer(name: str) -> None:
    model = random_model(name)
    inputs = torch.randn(
        (2, 3, model.input.size, model.input.size), generator=torch.Generator().manual_seed(0)
    )
    with listening(model) as heard:
        logits = model.module(inputs)
    assert logits.isfinite().all()
    assert 1e-2 < logits.std() < 1e4  # a sum at random doubles the variance, 16 times in ResNet-50
    assert torch.equal(heard["penultimate"].flatten(), heard["into"].flatten())


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_frozen_and_named_as_its_yaml(name: str) -> None:
    model = random_model(name)
    assert model.name == options(name)["name"]
    assert set(model.layers) == ROLES
    assert model.weights.source == "random (seed 0)"
    assert not any(part.training or getattr(part, "inplace", False) for part in model.module.modules())
    assert not any(parameter.requires_grad for parameter in model.module.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_a_model_without_its_file_says_where_it_should_lie(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: object, **_: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr("benchmark.models.weights.download.urlopen", refuse)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    packaged = options(name)["weights"] == "packaged"  # which lie where pip put them
    other = ("model.weights=other.pth",) if packaged else ()
    yaml = options(name, *other)
    place = f"{yaml['weights_dir']}/{yaml['weights']}"
    monkeypatch.setattr(
        "benchmark.models.weights.files.is_file", lambda _: False
    )  # embedded weights are there
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # from where the whole place is told
    with pytest.raises(UserError, match=r"model\.weights=") as refused:
        make(name, *other)
    assert "no network in tests" in str(refused.value) or place in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_option_or_role_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="wieghts"):
        make(name, "+model.wieghts=random", "model.weights=random")
    with pytest.raises(UserError, match=r"model\.layers\.last_conv=nowhere"):
        make(name, "model.layers.last_conv=nowhere", "model.weights=random")
