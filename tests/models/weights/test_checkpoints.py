"""What the usual trainers save is unwrapped, and it is said what was unwrapped."""

from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.models.weights.parameters import empty, load_file

State = dict[str, Tensor]


def net(classes: int = 5) -> nn.Module:
    """Named as torchvision's AlexNet and VGG are."""
    features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    return nn.Sequential(
        OrderedDict(
            features=features,
            flat=nn.Flatten(),
            classifier=nn.Sequential(nn.ReLU(), nn.Dropout(), nn.Linear(4, classes)),
        )
    )


def state(seed: int, classes: int = 5) -> State:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return dict(net(classes).state_dict())


def prefixed(prefix: str, values: State) -> State:
    return {f"{prefix}{key}": value for key, value in values.items()}


def _optimizer() -> dict[str, Any]:
    module = net()
    optimizer = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
    module(torch.ones(2, 3, 3, 3)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


ARGS = Namespace(model="net", lr=0.1, output_dir=Path("runs"), amp=True)
EMA = state(2)
SAVED: dict[str, tuple[Callable[[State], Any], str]] = {
    "torchvision's reference training": (
        lambda s: {
            "model": s,
            "optimizer": _optimizer(),
            "lr_scheduler": {"last_epoch": 3, "_schedulers": [{"step_size": 30}]},
            "epoch": 3,
            "args": ARGS,
            "model_ema": {"n_averaged": torch.tensor(9), **prefixed("module.", EMA)},
            "scaler": {"scale": 65536.0},
        },
        "parameters under model; not read: optimizer, lr_scheduler, epoch, args, model_ema "
        "(+model.entry=model_ema), scaler",
    ),
    "timm": (
        lambda s: {
            "epoch": 3,
            "arch": "net",
            "state_dict": s,
            "optimizer": _optimizer(),
            "version": 2,
            "args": ARGS,
            "amp_scaler": {"scale": 65536.0},
            "state_dict_ema": EMA,
            "metric": 76.1,
        },
        "parameters under state_dict; not read: epoch, arch, optimizer, version, args, amp_scaler, "
        "state_dict_ema (+model.entry=state_dict_ema), metric",
    ),
    "Lightning": (
        lambda s: {
            "epoch": 3,
            "global_step": 100,
            "pytorch-lightning_version": "2.5.0",
            "state_dict": OrderedDict({**prefixed("model.", s), "criterion.weight": torch.ones(5)}),
            "loops": {"fit_loop": {"state_dict": {}}},
            "callbacks": {"ModelCheckpoint{'monitor': 'val_loss'}": {"best_model_score": torch.tensor(0.5)}},
            "optimizer_states": [_optimizer()],
            "lr_schedulers": [],
            "hparams_name": "kwargs",
            "hyper_parameters": {"lr": 0.1, "out": Path("runs")},
        },
        "parameters under state_dict.model; not read: epoch, global_step, pytorch-lightning_version, loops, "
        "callbacks, optimizer_states, lr_schedulers, hparams_name, hyper_parameters, state_dict.criterion",
    ),
    "Lightning around a compiled network": (
        lambda s: {"state_dict": prefixed("net._orig_mod.", s)},
        "parameters under state_dict.net; _orig_mod taken out of their names",
    ),
    "the old ImageNet example, AlexNet's features in parallel": (
        lambda s: {
            "epoch": 90,
            "arch": "alexnet",
            "state_dict": {key.replace("features.", "features.module."): value for key, value in s.items()},
            "best_prec1": torch.tensor(56.5),
        },
        "parameters under state_dict; module taken out of their names; not read: epoch, arch, best_prec1",
    ),
    "a tutorial": (
        lambda s: {"epoch": 3, "model_state_dict": s, "loss": torch.tensor(1.0)},
        "parameters under model_state_dict; not read: epoch, loss",
    ),
    "in parallel and compiled": (
        lambda s: prefixed("module._orig_mod.", s),
        "_orig_mod and module taken out of their names",
    ),
    "a name within a name": (
        lambda s: {"checkpoint": {"weights": prefixed("backbone.", s)}},
        "parameters under checkpoint.weights.backbone",
    ),
    "averages alone": (
        lambda s: {"ema": prefixed("module.", s)},
        "parameters under ema; module taken out of their names",
    ),
    "nothing but the tensors": (lambda s: s, ""),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "pickle"])
@pytest.mark.parametrize("trainer", SAVED)
def test_what_a_trainer_saves_is_read_and_told(trainer: str, zipped: bool, tmp_path: Path) -> None:
    wrap, words = SAVED[trainer]
    path, module = tmp_path / "last.ckpt", empty(net)
    torch.save(wrap(state(1)), path, _use_new_zipfile_serialization=zipped)
    assert load_file(module, path) == words
    for key, value in module.state_dict().items():
        assert torch.equal(value, state(1)[key])


@pytest.mark.parametrize(
    ("trainer", "entry"), [("torchvision's reference training", "model_ema"), ("timm", "state_dict_ema")]
)
def test_averages_are_read_when_they_are_asked_for(trainer: str, entry: str, tmp_path: Path) -> None:
    path, module = tmp_path / "net.pth", empty(net)
    torch.save(SAVED[trainer][0](state(1)), path)
    assert load_file(module, path, entry=entry).startswith(f"parameters under {entry}")
    for key, value in module.state_dict().items():
        assert torch.equal(value, EMA[key])


def test_of_several_networks_one_is_chosen_by_the_option_that_the_refusal_names(tmp_path: Path) -> None:
    path, module = tmp_path / "dino.pth", empty(net)
    torch.save({"student": prefixed("module.", state(1)), "teacher": state(2)}, path)
    with pytest.raises(UserError, match=r"\+model\.entry=student or \+model\.entry=teacher"):
        load_file(module, path)
    load_file(module, path, entry="teacher")
    assert torch.equal(module.state_dict()["classifier.2.bias"], state(2)["classifier.2.bias"])
    with pytest.raises(UserError, match=r"entry=head holds no parameters .* there are student, teacher"):
        load_file(module, path, entry="head")


def test_a_wrong_entry_is_told_the_networks_that_there_are_and_not_their_blocks(tmp_path: Path) -> None:
    module = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 1, 1), bn=nn.BatchNorm2d(1)))
    module.add_module("block", nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 1, 1))))
    torch.save({"model": module.state_dict()}, tmp_path / "net.pth")
    with pytest.raises(UserError, match=r"entry=nets holds no parameters of this network; there are model$"):
        load_file(module, tmp_path / "net.pth", entry="nets")


def test_a_part_of_a_name_that_the_network_has_too_stays(tmp_path: Path) -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = nn.Linear(2, 2)

    module = Wrapped()
    torch.save(
        {"module.module.weight": torch.ones(2, 2), "module.module.bias": torch.ones(2)}, tmp_path / "a"
    )
    assert load_file(module, tmp_path / "a") == "parameters under module"
    assert module.module.bias.tolist() == [1, 1]


def test_a_checkpoint_that_does_not_fit_says_what_misses_what_is_more_and_what_has_another_shape(
    tmp_path: Path,
) -> None:
    values = {**state(1), "extra.weight": torch.ones(1), "features.0.weight": torch.ones(4, 3, 5, 5)}
    del values["features.1.bias"]
    torch.save({"model": values, "args": ARGS}, tmp_path / "net.pth")
    with pytest.raises(UserError) as refused:
        load_file(empty(net), tmp_path / "net.pth")
    for words in (
        "without features.1.bias",
        "with extra.weight",
        "features.0.weight [4, 3, 5, 5] for [4, 3, 3, 3]",
    ):
        assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_another_number_of_classes_is_told_with_the_options_that_change_it(tmp_path: Path) -> None:
    torch.save({"model": state(1, classes=7)}, tmp_path / "net.pth")
    with pytest.raises(UserError, match=r"it has 7 classes and the model 5.*model\.outputs=7") as refused:
        load_file(empty(net), tmp_path / "net.pth")
    assert "model.classes=FILE" in str(refused.value)
    load_file(empty(lambda: net(7)), tmp_path / "net.pth")
