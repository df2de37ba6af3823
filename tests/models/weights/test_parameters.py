"""Parameters from torch's files and at random."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from benchmark.core.errors import UserError
from benchmark.models.weights.parameters import empty, load_file, parameter_digest, randomize


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


@pytest.fixture
def state() -> dict[str, Any]:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return dict(small().state_dict())


WRAPPINGS: dict[str, Callable[[Any], Any]] = {
    "bare": lambda state: state,
    "under state_dict, beside others": lambda state: {"epoch": 3, "state_dict": state},
    "of DataParallel": lambda state: {f"module.{key}": value for key, value in state.items()},
    "both": lambda state: {"state_dict": {f"module.{key}": value for key, value in state.items()}},
    "without batch counts, as torch 0.4": lambda state: {k: v for k, v in state.items() if "num_" not in k},
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "pickle"])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_state_dict_is_loaded_in_every_wrapping(
    wrapping: str, zipped: bool, state: dict[str, Any], tmp_path: Path
) -> None:
    path, module = tmp_path / "net.pth", empty(small)
    torch.save(WRAPPINGS[wrapping](state), path, _use_new_zipfile_serialization=zipped)
    load_file(module, path)
    for key, value in module.state_dict().items():
        assert "num_" in key or torch.equal(value, state[key])


@pytest.mark.parametrize("precision", [torch.float32, torch.float16, torch.bfloat16])
def test_safetensors_are_loaded_and_widened(
    precision: torch.dtype, state: dict[str, Any], tmp_path: Path
) -> None:
    path, module = tmp_path / "net.safetensors", empty(small)
    narrow = {k: v.to(precision) if v.is_floating_point() else v for k, v in state.items()}
    save_file(narrow, path)
    load_file(module, path)
    path.write_bytes(b"")  # a module outlives its file
    for key, value in module.state_dict().items():
        assert value.dtype == state[key].dtype
        assert torch.equal(value, narrow[key].to(value.dtype))


def test_layers_are_renamed_before_they_are_matched(state: dict[str, Any], tmp_path: Path) -> None:
    path, module = tmp_path / "net.pth", empty(small)
    torch.save({key.replace("3.", "head.fc.", 1): value for key, value in state.items()}, path)
    with pytest.raises(UserError, match=r"without 3\.weight"):
        load_file(empty(small), path)
    load_file(module, path, rename={"head.fc": "3", "another": "3"})
    assert torch.equal(module.state_dict()["3.weight"], state["3.weight"])
    with pytest.raises(UserError, match=r"two layers of one name after model\.rename"):
        load_file(empty(small), path, rename={"head.fc": "0"})


def test_a_linear_layer_may_be_stored_as_a_convolution_over_its_whole_input(tmp_path: Path) -> None:
    stored = nn.Conv2d(3, 2, 5)
    torch.save({f"0.{key}": value for key, value in stored.state_dict().items()}, tmp_path / "net.pth.tar")
    module = nn.Sequential(nn.Linear(75, 2))
    load_file(module, tmp_path / "net.pth.tar")
    pixels = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(module(pixels.flatten(1)), stored(pixels).flatten(1))
    with pytest.raises(UserError, match=r"0\.weight \[2, 3, 5, 5\] for \[2, 74\]"):
        load_file(nn.Sequential(nn.Linear(74, 2)), tmp_path / "net.pth.tar")


def test_a_module_outlives_its_file(state: dict[str, Any], tmp_path: Path) -> None:
    path, module = tmp_path / "net.pth", empty(small)
    torch.save(state, path)
    load_file(module, path)
    path.write_bytes(b"")
    assert torch.equal(module.state_dict()["3.weight"], state["3.weight"])


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a key less": (lambda s: {k: v for k, v in s.items() if k != "3.bias"}, r"without 3\.bias"),
    "a key more": (lambda s: {**s, "aux.weight": torch.zeros(1)}, r"with aux\.weight"),
    "many keys more": (lambda s: {**s, **{f"a{i}": torch.zeros(1) for i in range(9)}}, r"a2 and 6 more"),
    "another shape": (lambda s: {**s, "3.weight": torch.zeros(5, 4)}, r"3\.weight \[5, 4\] for \[2, 4\]"),
    "not a number": (lambda s: {**s, "3.bias": torch.tensor([1, float("nan")])}, r"3\.bias holds NaN"),
    "no tensors": (lambda s: {"epoch": 3}, "no state dict"),
    "a list": (lambda s: [1, 2], "no state dict"),
    "a tensor alone": (lambda s: torch.zeros(3), "no state dict"),
    "sparse": (lambda s: {**s, "3.weight": s["3.weight"].to_sparse()}, r"3\.weight is sparse, .* save dense"),
    "complex": (lambda s: {**s, "3.bias": s["3.bias"] + 0j}, r"3\.bias is .*complex"),
    "names and shapes alone": (
        lambda s: {k: v.to("meta") for k, v in s.items()},
        r"0\.weight is .*without values",
    ),
    "a whole module": (lambda s: small(), r"whole objects \(torch\.nn\.modules\.container\.Sequential\)"),
}


@pytest.mark.filterwarnings("ignore:Validating sparse")
@pytest.mark.parametrize("change", CHANGES)
def test_parameters_that_do_not_fit_are_refused_in_one_line(
    change: str, state: dict[str, Any], tmp_path: Path
) -> None:
    path, (make, words) = tmp_path / "net.pth", CHANGES[change]
    torch.save(make(state), path)
    with pytest.raises(UserError, match=words) as refused:
        load_file(empty(small), path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("change", ["a key less", "a key more", "another shape", "not a number"])
def test_safetensors_that_do_not_fit_are_refused_in_the_same_words(
    change: str, state: dict[str, Any], tmp_path: Path
) -> None:
    path, (make, words) = tmp_path / "net.safetensors", CHANGES[change]
    save_file(make(state), path)
    with pytest.raises(UserError, match=words) as refused:
        load_file(empty(small), path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_ignored_keys_may_be_there(state: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({**state, "aux1.fc": torch.zeros(3)}, path)
    load_file(empty(small), path, ["aux1.", "aux2."])


def test_random_parameters_depend_on_the_seed_alone_and_touch_no_global_state() -> None:
    modules = ((empty(small), 0), (small(), 0), (small(), 1))
    before = torch.get_rng_state()
    weights = [randomize(module, "note", seed) for module, seed in modules]
    assert torch.equal(torch.get_rng_state(), before)
    assert weights[0] == weights[1]
    assert weights[0].sha256 != weights[2].sha256
    assert (weights[0].source, weights[0].note) == ("random (seed 0)", "note")


def test_random_parameters_set_everything() -> None:
    module = small()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.fill_(torch.nan if tensor.is_floating_point() else -1)
    randomize(module)
    assert all(tensor.isfinite().all() and (tensor != -1).all() for tensor in module.state_dict().values())


def test_a_layer_that_cannot_be_set_at_random_is_named() -> None:
    module = nn.Sequential(nn.Flatten())
    module[0].register_parameter("token", nn.Parameter(torch.zeros(2)))
    with pytest.raises(UserError, match=r"layer 0 \(Flatten\)"):
        randomize(module)


def test_a_digest_sees_values_names_and_shapes() -> None:
    def one(name: str, values: torch.Tensor) -> str:
        module = nn.Module()
        module.register_buffer(name, values)
        return parameter_digest(module)

    ones = torch.ones(4)
    digests = [
        one("a", ones),
        one("b", ones),
        one("a", ones.view(2, 2)),
        one("a", -ones),
        one("a", ones.double()),
    ]
    assert len(set(digests)) == len(digests)
    assert one("a", ones) == digests[0]
