"""Networks that people have trained themselves, from the file of their trainer to a table."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

pytestmark = pytest.mark.slow

CLASSES = 24  # of the embedded images
ARGS = Namespace(model="resnet50", lr=0.1, output_dir=Path("runs"), amp=True)


def _sgd(module: nn.Module) -> dict[str, Any]:
    return torch.optim.SGD(module.parameters(), 0.1, momentum=0.9).state_dict()


def reference_training(module: nn.Module) -> dict[str, Any]:
    """As torchvision's ``references/classification/train.py`` saves it with ``--model-ema --amp``."""
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    return {
        "model": module.state_dict(),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 30).state_dict(),
        "epoch": 2,
        "args": ARGS,
        "model_ema": torch.optim.swa_utils.AveragedModel(module).state_dict(),
        "scaler": torch.amp.GradScaler("cpu").state_dict(),
    }


def timm(module: nn.Module) -> dict[str, Any]:
    return {
        "epoch": 3,
        "arch": "resnet50",
        "state_dict": module.state_dict(),
        "optimizer": _sgd(module),
        "version": 2,
        "args": ARGS,
        "state_dict_ema": module.state_dict(),
        "metric": 76.1,
    }


def lightning(module: nn.Module) -> dict[str, Any]:
    return {
        "epoch": 3,
        "global_step": 100,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {f"model.{key}": value for key, value in module.state_dict().items()},
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"dirpath": Path("runs")}},
        "optimizer_states": [_sgd(module)],
        "hyper_parameters": {"lr": 0.1},
    }


def in_parallel(module: nn.Module) -> dict[str, Any]:
    """As the ImageNet example of PyTorch wrapped AlexNet and VGG: their features alone."""
    module.features = nn.DataParallel(module.get_submodule("features"))
    return {"epoch": 90, "arch": "alexnet", "state_dict": module.state_dict(), "optimizer": _sgd(module)}


@pytest.mark.parametrize(
    ("model", "save", "file", "read"),
    [
        ("resnet50", reference_training, "checkpoint.pth", "parameters under model; not read: optimizer, lr"),
        ("resnet50", timm, "model_best.pth.tar", "parameters under state_dict; not read: epoch, arch"),
        ("resnet50", lightning, "last.ckpt", "parameters under state_dict.model; not read: epoch, global"),
        ("alexnet", in_parallel, "best", "parameters under state_dict; module taken out of their names"),
    ],
)
def test_a_trainers_file_gives_a_table(
    model: str, save: Callable[[nn.Module], dict[str, Any]], file: str, read: str, tmp_path: Path
) -> None:
    module = torchvision.models.get_model(model, weights=None, num_classes=CLASSES)
    torch.save(save(module), tmp_path / file)
    words = [f"model={model}", f"model.weights={file}", f"+model.arguments.num_classes={CLASSES}"]
    words += ["dataset.count=24", "dataset.limit=8", "method=grad_cam", "pictures=0", "run.batch_size=8"]
    own = {"BENCHMARK_RESULTS": str(tmp_path / "results"), "BENCHMARK_CACHE": str(tmp_path / "cache")}
    ended = subprocess.run(
        [sys.executable, "-m", "benchmark", *words],
        env={**os.environ, **own, "MLFLOW_TRACKING_URI": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert f"{model}/grad_cam" in ended.stdout
    assert ended.stderr.count(f"{file}: {read}") == 1
    results = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.rglob("results/**/*.json")]
    found = [result["conditions"]["weights"]["read"] for result in results if "conditions" in result]
    assert found
    assert all(each.startswith(read) for each in found)
