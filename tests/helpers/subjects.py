"""Networks of conf/model at full size, each with images and classes to explain."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from PIL import Image
from torch import Tensor

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.protocols import Method
from benchmark.core.types import InputFormat, Model
from benchmark.models.forward import forward_pass
from benchmark.transforms import Warp
from benchmark.transforms.normalize import to_input

RANDOM = ("vgg16", "alexnet", "googlenet", "alexnet_bvlc", "googlenet_bvlc", "googlenet_cam")
"""The first three are torchvision's; parameters at random after a fixed seed."""
REAL = "googlenet_bvlc (real)"
"""The published parameters, on photographs."""
# GoogLeNet-CAM has layers of no other kind than the others, and is slow.
CASES = [
    (name, dtype)
    for name in (*RANDOM, REAL)
    for dtype in (torch.float32, torch.float64)
    if (name, dtype) != ("googlenet_cam", torch.float64)
]
"""Every network and type that is tried."""


def label(case: tuple[str, torch.dtype]) -> str:
    """Such as ``vgg16 float32``."""
    return f"{case[0]} {str(case[1]).removeprefix('torch.')}"


@dataclass(frozen=True)
class Subject:
    """What is explained, ours and theirs alike.

    ``inputs`` are ``[N, 3, S, S]``, preprocessed; ``classes`` ``[N, K]`` int64 outputs.
    """

    name: str
    model: Model
    inputs: Tensor
    classes: Tensor

    def explain(self, method: Method) -> Tensor:
        """Our heatmaps ``[N, K, h, w]``."""
        forward = forward_pass(self.model, self.inputs, method.layers, method.operations)
        return method(self.model, forward, self.classes)


def subject_of(name: str, dtype: torch.dtype, data: Path | None) -> Subject:
    """Build one; ``data`` is the folder of real photographs and weights, for :data:`REAL`."""
    if data is None:
        model = _model(name, "weights=random", dtype)
        classes = _classes(name, dtype)
        return Subject(name, model, _noise(model.input, len(classes)).to(dtype), classes)
    model = _model(name.split()[0], f"weights={data / 'weights' / 'bvlc_googlenet.caffemodel'}", dtype)
    inputs = _photographs(data, model.input).to(dtype)
    return Subject(name, model, inputs, model.module(inputs).topk(2).indices)


def _classes(name: str, dtype: torch.dtype) -> Tensor:
    """Fewer images and classes where they are slow."""
    images, classes = (2, 2) if dtype == torch.float32 else (1, 2)
    if name == "vgg16":
        images, classes = 1, images
    return torch.tensor([[7, 3], [999, 7]])[:images, :classes]


def _model(name: str, weights: str, dtype: torch.dtype) -> Model:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(overrides=[f"+model={name}", "+weights_dir=/nowhere", f"model.{weights}"])
    model = build(cfg.model)
    assert isinstance(model, Model)
    model.module.to(dtype)
    return model


def _noise(form: InputFormat, count: int) -> Tensor:
    pixels = 255 * torch.rand((count, 3, form.size, form.size), generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (form.mean, form.std))
    return (form.scale * pixels - mean) / std


def _photographs(data: Path, form: InputFormat) -> Tensor:
    """The first two by name, in float32."""
    paths = sorted((data / "ilsvrc_originals" / "Data" / "CLS-LOC" / "val").glob("*.JPEG"))[:2]
    read = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    return torch.stack([to_input(Warp()(image, form.size)[0], form) for image in read])
