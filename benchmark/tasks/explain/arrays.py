"""Explain a batch with a PyTorch classifier of one's own: ``from benchmark import explain``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.heatmaps import upsample
from benchmark.core.types import Box, FloatArray, InputFormat, Model, View, Weights
from benchmark.models.forward import INPUT, forward_pass
from benchmark.models.roles import find_roles

if TYPE_CHECKING:
    from benchmark.core.protocols import Method


@dataclass(frozen=True)
class Explanation:
    """Heatmaps of a batch of N images and K classes an image.

    Attributes:
        classes: ``[N, K]`` int64 outputs of the network.
        scores: ``[N, K]`` float32, their softmax probabilities.
        maps: ``[N, K, h, w]`` float32 at the layer's resolution, unnormalised.
        layer: Dotted names of the layers that the method read, or ``input``.
        size: Height and width of the network's input, pixels.
    """

    classes: npt.NDArray[np.int64]
    scores: FloatArray
    maps: FloatArray
    layer: str
    size: tuple[int, int]

    def upsampled(self) -> FloatArray:
        """Return the maps ``[N, K, H, W]`` at the input's resolution, bilinear with aligned corners."""
        height, width = self.size
        view = View(width, height, Box(0, 0, width, height))
        flat = self.maps.reshape(-1, *self.maps.shape[2:])
        pixels = [upsample(np.ascontiguousarray(one), view) for one in flat]
        return np.stack(pixels).reshape(*self.maps.shape[:2], height, width)


def explain(
    module: nn.Module,
    inputs: Tensor,
    classes: Sequence[int] | Tensor | None = None,
    *,
    method: str | Method = "grad_cam",
    layer: str | None = None,
) -> Explanation:
    """Explain a classifier's scores of a batch; the module is left as it was.

    Args:
        module: Any classifier that gives ``[N, C]`` scores before the softmax.
        inputs: ``[N, 3, H, W]``, preprocessed as the network takes them, on its device.
        classes: Outputs to explain: ``[K]`` for all images or ``[N, K]``; by default each image's best one.
        method: A name in ``conf/method``, or a method such as ``GradCAM(relu=False)``.
        layer: Dotted name of the layer whose maps are read; by default the last convolution's, after its
            normalisation and ReLU and before any pooling (:func:`benchmark.models.roles.find_roles`).

    Raises:
        UserError: If there is no such method, layer or class, or the method does not apply to the network.
    """
    maker = method_named(method) if isinstance(method, str) else method
    with frozen(module):
        roles = _roles(module, inputs[:1], layer)
        size = (int(inputs.shape[-2]), int(inputs.shape[-1]))
        form = _GivenFormat(size[1], (0.0, 0.0, 0.0), height=size[0])
        model = Model(type(module).__name__, module, form, roles, Weights("given", ""))
        maker.check(model)
        forward = forward_pass(model, inputs, maker.layers, maker.operations)
        scores = forward.logits.detach().float().softmax(dim=1)
        chosen = _chosen(scores, classes)
        maps = maker(model, forward, chosen).detach().float()
    return Explanation(
        chosen.cpu().numpy(),
        scores.gather(1, chosen).cpu().numpy(),
        maps.cpu().numpy(),
        ", ".join(roles.get(each, each) for each in maker.layers) or INPUT,
        size,
    )


@dataclass(frozen=True, slots=True)
class _GivenFormat(InputFormat):
    """Of inputs that need not be square: a network may take no others."""

    height: int = 0

    @property
    def sides(self) -> tuple[int, int]:
        return self.height, self.size


def _roles(module: nn.Module, inputs: Tensor, layer: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    with suppress(UserError) if layer else nullcontext():
        found |= find_roles(module, inputs)
    read = layer or found["last_conv"]
    return {**found, "last_conv": read, "excitation": read}


def _chosen(scores: Tensor, classes: Sequence[int] | Tensor | None) -> Tensor:
    if classes is None:
        return scores.argmax(dim=1, keepdim=True)
    wanted = torch.as_tensor(classes, dtype=torch.int64, device=scores.device)
    count, outputs = scores.shape
    if wanted.ndim == 1:
        wanted = wanted.expand(count, -1)
    if wanted.ndim != 2 or len(wanted) != count or not wanted.numel():
        raise UserError(f"classes: give [K] outputs for all images or [{count}, K], not {list(wanted.shape)}")
    if wanted.min() < 0 or wanted.max() >= outputs:
        raise UserError(f"classes: the network has outputs 0 … {outputs - 1}")
    return wanted.contiguous()


def method_named(name: str) -> Method:
    """Make a method with its own defaults from its name in ``conf/method``, such as ``c_mwp``.

    Raises:
        UserError: If there is none of that name.
    """
    try:
        found = import_module(f"benchmark.attribution.{name}")
    except ImportError as error:
        raise UserError(f"method={name}: there is none of that name; conf/method lists them") from error
    kinds: list[Any] = [each for each in vars(found).values() if _makes(each, name)]
    if not kinds:
        raise UserError(f"method={name}: it has options without a default; give the method itself")
    made: Method = kinds[0]()
    return made


def _makes(kind: object, name: str) -> bool:
    if not (isinstance(kind, type) and is_dataclass(kind)):
        return False
    return any(option.name == "name" and option.default == name for option in fields(kind))


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Hold a module in evaluation mode, without parameter gradients and in-place layers, and restore it."""
    parts = list(module.modules())
    training = [part.training for part in parts]
    learning = [parameter.requires_grad for parameter in module.parameters()]
    in_place = [part for part in parts if getattr(part, "inplace", False) is True]
    try:
        module.eval().requires_grad_(False)
        for part in in_place:
            part.inplace = False  # type: ignore[assignment]
        yield
    finally:
        for part, was in zip(parts, training, strict=True):
            part.training = was
        for parameter, was in zip(module.parameters(), learning, strict=True):
            parameter.requires_grad_(was)
        for part in in_place:
            part.inplace = True  # type: ignore[assignment]
