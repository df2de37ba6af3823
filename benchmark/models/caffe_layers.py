"""Caffe's layers in torch, and how parameters of a file are copied into them.

A layer's module has Caffe's own name, with dots for slashes: ``inception_5b/1x1`` is ``inception_5b.1x1``.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import FloatArray, Model
from benchmark.models.assembly import ModelSpec, assemble
from benchmark.models.weights.caffemodel import fits, read_caffemodel
from benchmark.models.weights.files import find, verified
from benchmark.models.weights.parameters import TORCH_FILES, load_file, randomize


def named(layers: Mapping[str, nn.Module]) -> nn.Sequential:
    """Chain layers under names that need not be Python identifiers."""
    return nn.Sequential(OrderedDict(layers))


def pooling(kernel: int, stride: int) -> nn.MaxPool2d:
    """Build Caffe's max pooling, whose output size is rounded up, so that the last window may be cut off."""
    return nn.MaxPool2d(kernel, stride, ceil_mode=True)


def local_response_norm() -> nn.LocalResponseNorm:
    """Build Caffe's LRN, ``a / (1 + α/5 Σ a²)^β`` over 5 channels, with α 0.0001 and β 0.75.

    It keeps shape and type of ``[N, C, …]``. Half precision is computed in float32: in float16 the square of
    a number above 255 is infinite, and nets that take pixels of 0 … 255 have larger activations.
    """
    return _LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)


class _LocalResponseNorm(nn.LocalResponseNorm):
    def forward(self, input: Tensor) -> Tensor:
        if input.element_size() >= 4:
            return super().forward(input)
        # Autocast casts none of these operations down, and the result is no larger than the input.
        return super().forward(input.float()).to(input.dtype)


def scaled(channels: int, width: float) -> int:
    """Return ``width`` times the channels, rounded to an even number (for groups of two), at least two."""
    return max(2, 2 * round(channels * width / 2))


def load_caffe(module: nn.Module, spec: ModelSpec) -> Model:
    """Fill a module from the file that its yaml names, and freeze it.

    Args:
        module: A module whose layers have Caffe's names; its parameters need not be initialised.
        spec: The yaml's options; ``weights: random`` needs no file. A ``.pth`` or ``.safetensors`` is a state
            dict of the module itself, as training writes it, or becomes one by ``rename``; any other file is
            a caffemodel.

    Raises:
        UserError: If the file is missing, damaged, of another net, or has another checksum.
    """
    if spec.random:
        return assemble(module, spec, randomize(module, spec.note))
    path = find(spec.weights, spec.weights_dir)
    weights = verified(path, spec.checksums or (), spec.note)
    if path.suffix.lower() in TORCH_FILES:
        load_file(module, path, spec.ignore, spec.rename)
    else:
        fill(module, read_caffemodel(path), path, spec.ignore)
    return assemble(module, spec, weights)


@torch.no_grad()
def fill(
    module: nn.Module, blobs: Mapping[str, Sequence[FloatArray]], path: Path, ignore: Sequence[str] = ()
) -> None:
    """Copy Caffe's blobs, a weight and a bias for each layer, into the layers of the same name.

    Shapes are equal up to leading ones: Caffe's first format stores a bias as ``1 x 1 x 1 x n``.

    Args:
        module: Changed in place.
        blobs: Blobs by layer, from :func:`benchmark.models.weights.caffemodel.read_caffemodel`.
        path: The file, named in errors.
        ignore: Layers of the file whose names begin so need no counterpart in the module.

    Raises:
        UserError: If only one side has a layer, its blobs differ in number or shape, or one holds NaN or
            infinity.
    """
    layers = {
        name.replace(".", "/"): layer
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }
    _require_same_layers(list(layers), list(blobs), path, ignore)
    for name, layer in layers.items():
        parameters = list(layer.parameters())
        if len(blobs[name]) != len(parameters):
            found = f"{len(blobs[name])} blobs for {len(parameters)}"
            raise UserError(f"{path}: layer {name} has {found}; {_REMEDY}")
        for parameter, blob in zip(parameters, blobs[name], strict=True):
            _copy(parameter, blob, f"{path}: layer {name}")


_REMEDY = "give the file of this net, or the net of this file (model=…)"


def _require_same_layers(
    wanted: Sequence[str], found: Sequence[str], path: Path, ignore: Sequence[str]
) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        named = f"layer {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        raise UserError(
            f"{path}: {named} missing; the file has {_few(found)}: another net, or cut off; {_REMEDY}"
        )
    extra = [name for name in found if name not in wanted and not name.startswith(tuple(ignore))]
    if extra:
        accept = f"model.ignore=[{','.join(extra[:4])}]"
        raise UserError(
            f"{path}: layers unknown to the net: {_few(extra)}; {_REMEDY}, or accept them: {accept}"
        )


def _copy(parameter: nn.Parameter, blob: FloatArray, where: str) -> None:
    if not fits(blob.shape, parameter.shape):
        found = f"{list(blob.shape)} for {list(parameter.shape)}"
        raise UserError(f"{where} has shape {found}; {_REMEDY}")
    values = torch.from_numpy(blob.reshape(parameter.shape))
    if not values.isfinite().all():
        raise UserError(f"{where} holds NaN or infinity; get the file again")
    parameter.copy_(values)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
