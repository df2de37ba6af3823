"""The torchvision family against torchvision's own way of building a network."""

import hashlib
from pathlib import Path

import pytest
import torch
import torchvision
from helpers.every_model import make

from benchmark.core.errors import UserError
from benchmark.models import torchvision as family


def saved(architecture: str, path: Path, **arguments: object) -> dict[str, torch.Tensor]:
    """A file of random parameters, as torchvision's own would be."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        module = torchvision.models.get_model(architecture, weights=None, **arguments)
    state = {key: value.clone() for key, value in module.state_dict().items()}
    for key, value in state.items():  # batch norm that does something
        if "running" in key:
            value.uniform_(0.5, 2, generator=torch.Generator().manual_seed(len(key)))
    torch.save(state, path)
    return state


@pytest.mark.slow
def test_googlenet_is_what_torchvision_makes_of_its_own_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.pth"
    state = saved("googlenet", path, aux_logits=True, init_weights=False)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: state)
    theirs = torchvision.models.googlenet(weights="IMAGENET1K_V1").eval()
    ours = make("googlenet", f"model.weights={path}").module
    x = torch.randn((2, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours(x), theirs(x).detach())
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_a_name_of_torchvisions_is_found_in_the_folder_by_its_file_name_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "squeezenet1_0-b66bff10.pth"
    saved("squeezenet1_0", path)
    with pytest.raises(UserError, match=r"wrong weights .* expected sha256:b66bff10"):
        make("squeezenet1_0", f"weights_dir={tmp_path}")
    with pytest.raises(UserError, match="wrong weights"):  # also when it is named as a file
        make("squeezenet1_0", f"model.weights={path}")
    model = make("squeezenet1_0", f"weights_dir={tmp_path}", "model.checksums=[]")
    assert model.weights.source == path.name
    assert model.weights.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_torch_hubs_folder_comes_after_the_folder_of_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    path = tmp_path / "checkpoints" / "squeezenet1_0-b66bff10.pth"
    path.parent.mkdir()
    saved("squeezenet1_0", path)
    assert make("squeezenet1_0", "model.checksums=[]").weights.source == path.name


def test_a_download_goes_to_torch_hubs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Path, tuple[str, ...]]] = []

    def deliver(url: str, target: Path, checksums: tuple[str, ...], remedy: str) -> None:
        assert "./scripts/fetch model=squeezenet1_0" in remedy
        asked.append((url, target, checksums))
        target.parent.mkdir()
        saved("squeezenet1_0", target)

    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(family, "download", deliver)
    make("squeezenet1_0", "model.checksums=[]")
    name = "squeezenet1_0-b66bff10.pth"
    url = f"https://download.pytorch.org/models/{name}"
    assert asked == [(url, tmp_path / "checkpoints" / name, ("sha256:b66bff10",))]


def test_another_architectures_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    saved("squeezenet1_1", path)
    with pytest.raises(UserError, match="other shapes than the model's"):
        make("squeezenet1_0", f"model.weights={path}")


def test_other_classes_need_the_yaml_alone(tmp_path: Path) -> None:
    path, classes = tmp_path / "net.pth", tmp_path / "classes.txt"
    saved("squeezenet1_0", path, num_classes=3)
    classes.write_text("a\nb\nc\n", encoding="utf-8")
    overrides = [f"model.weights={path}", f"model.classes={classes}", "+model.arguments.num_classes=3"]
    model = make("squeezenet1_0", *overrides)
    assert model.classes == ("a", "b", "c")
    assert model.module(torch.zeros(1, 3, 224, 224)).shape == (1, 3)


def test_an_unknown_architecture_or_name_of_weights_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UserError, match=r"architecture=squeezenet1_2: .*squeezenet1_1"):
        make("squeezenet1_0", "model.architecture=squeezenet1_2")
    with pytest.raises(UserError, match=r"weights=IMAGENET1K_V9: squeezenet1_0 has IMAGENET1K_V1"):
        make("squeezenet1_0", "model.weights=IMAGENET1K_V9")
