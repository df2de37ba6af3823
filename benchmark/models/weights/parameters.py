"""Parameters of a module: from a file of torch, safetensors or Caffe, or at random."""

import hashlib
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import Weights
from benchmark.models.weights.caffemodel import fits, read_caffemodel

SAFETENSORS = ".safetensors"
TORCH_FILES = (".pth", ".pt", ".tar", SAFETENSORS)
"""Endings of the files that torch and safetensors read."""
_BLOBS = {0: "weight", 1: "bias"}


def empty(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a module with allocated but uninitialised parameters; initialising VGG-16's takes seconds."""
    with torch.device("meta"):
        module = build()
    return module.to_empty(device="cpu")


@torch.no_grad()
def randomize(module: nn.Module, note: str = "", seed: int = 0) -> Weights:
    """Set every parameter at random, so that a model can be built without a file.

    Weights are drawn after He et al. (2015), eq. 10, which keeps the scale of activations from layer to
    layer; biases are 0 and batch norm does nothing. Such a network's predictions mean nothing.

    Args:
        module: The module, changed in place.
        note: A remark kept in the provenance.
        seed: Seed of the draws; the state of torch's own generator is restored afterwards.

    Returns:
        Provenance with the sha256 of the parameters themselves.

    Raises:
        UserError: If a layer has parameters that this function cannot set.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, layer in module.named_modules():
            _randomize_layer(name, layer)
    return Weights(f"random (seed {seed})", parameter_digest(module), note)


def _randomize_layer(name: str, layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif callable(reset := getattr(layer, "reset_parameters", None)):
        reset()
    elif [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]:
        raise UserError(
            f"model.weights=random: cannot set layer {name} ({type(layer).__name__}); give a file"
        )


def parameter_digest(module: nn.Module) -> str:
    """Return the sha256 over names, types, shapes and values of parameters and buffers, in sorted order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.no_grad()
def load_file(
    module: nn.Module, path: Path, ignore: Sequence[str] = (), rename: Mapping[str, str] | None = None
) -> None:
    """Fill a module from a file of parameters.

    Args:
        module: Changed in place; every parameter and buffer gets a value, in the module's own precision.
        path: A file as for :func:`read_state`. Shapes may have leading ones, as Caffe's first format stores
            a bias as ``1 x 1 x 1 x n``; a linear layer may be stored as a convolution over its whole input.
        ignore: Keys that begin so, with Caffe's slashes or with dots, need no counterpart in the module.
        rename: See :func:`read_state`.

    Raises:
        UserError: If the file cannot be read, has no state dict, does not fit, or holds NaN or infinity.
    """
    ignored = tuple(start.replace("/", ".") for start in ignore)
    own = module.state_dict()
    state = {
        key: _fitted(value, own.get(key))
        for key, value in read_state(path, rename).items()
        if not key.startswith(ignored)
    }
    shapes = [
        f"{key} {list(value.shape)} for {list(own[key].shape)}"
        for key, value in state.items()
        if key in own and value.shape != own[key].shape
    ]
    if shapes:
        raise UserError(f"{path}: other shapes than the model's: {_few(shapes)}; {_REMEDY}")
    missing, unexpected = module.load_state_dict(state, strict=False)
    if missing or unexpected:
        parts = [f"without {_few(missing)}"] * bool(missing) + [f"with {_few(unexpected)}"] * bool(unexpected)
        beyond = "" if missing else f", or accept what it has beyond it, model.ignore=[{unexpected[0]},…]"
        raise UserError(f"{path}: does not fit the model: {' and '.join(parts)}; {_REMEDY}{beyond}")
    for key, value in module.state_dict().items():
        if not value.isfinite().all():
            raise UserError(f"{path}: {key} holds NaN or infinity; get weights with every layer in them")


@torch.no_grad()
def load_matching(
    module: nn.Module, path: Path, rename: Mapping[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """Copy every layer that a file has under the same name and in the same shape; leave the others alone.

    So VGG16-CAM begins from VGG-16, and GoogLeNet-CAM from GoogLeNet, when they are trained. A layer is
    copied as a whole or not at all, in the module's own precision.

    Args:
        module: Changed in place.
        path: A file of parameters, as for :func:`read_state`.
        rename: Names of layers in a torch file, each with the module's name for it.

    Returns:
        Names of the layers copied, and of the layers left as they were, both in the module's order.

    Raises:
        UserError: If the file is missing or damaged, a copied layer holds NaN or infinity, or no layer
            matches.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; give the weights to start from")
    given = read_state(path, rename)
    copied: list[str] = []
    left: list[str] = []
    for name, layer in module.named_modules():
        own = {f"{name}.{key}": value for key, value in layer.state_dict().items() if "." not in key}
        if not own:
            continue
        same = all(key in given and fits(given[key].shape, own[key].shape) for key in own)
        (copied if same else left).append(name)
        for key, value in own.items() if same else ():
            if not given[key].isfinite().all():
                raise UserError(f"{path}: {key} holds NaN or infinity; get the file again")
            value.copy_(given[key].reshape(value.shape))
    if not copied:
        raise UserError(
            f"{path}: no layer of the same name and shape; the file has {_few(given)}, the model {_few(left)}"
            "; give the weights of a net that shares layers with this one"
        )
    return copied, left


_REMEDY = "give the file of this architecture, or the architecture of this file (model=…)"


def read_state(path: Path, rename: Mapping[str, str] | None = None) -> Mapping[str, Tensor]:
    """Read the parameters in a file under a state dict's keys.

    Args:
        path: A ``.safetensors`` file, or one of ``torch.save`` with a state dict, bare or under
            ``state_dict``, with or without ``module.`` before its keys; any other file is a caffemodel, whose
            layer ``conv1/7x7_s2`` becomes ``conv1.7x7_s2.weight`` and ``conv1.7x7_s2.bias``.
        rename: Names of layers in the file, each with its new name; every other layer keeps its own.

    Raises:
        UserError: If the file cannot be read, holds something else, or two layers get the same name.
    """
    try:
        content = _content(path)
    except UserError:
        raise
    except Exception as error:  # the unpickler can raise almost anything on damaged bytes
        # The text of an UnpicklingError recommends loading the file unsafely, so it is not repeated.
        quoted = str(error) and not isinstance(error, UnpicklingError)
        reason = str(error).splitlines()[0][:100] if quoted else type(error).__name__
        raise UserError(f"{path}: truncated, or not a file of parameters ({reason}); get it again") from None
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path}: holds no state dict; save one with torch.save(model.state_dict(), …)")
    renamed = {_renamed(str(key).removeprefix("module."), rename or {}): key for key in state}
    if len(renamed) < len(state):
        raise UserError(f"{path}: two layers of one name after model.rename; name each layer once")
    return {key: state[old] for key, old in renamed.items()}


def _fitted(value: Tensor, like: Tensor | None) -> Tensor:
    """Reshape a value that has leading ones, or is a linear layer stored as a convolution over its input."""
    if like is None or value.shape == like.shape:
        return value
    folded = value.ndim > 2 and like.ndim == 2 and value.shape[0] == like.shape[0]
    same = fits(value.shape, like.shape) or (folded and value.numel() == like.numel())
    return value.reshape(like.shape) if same else value


def _renamed(key: str, rename: Mapping[str, str]) -> str:
    layer, dot, part = key.rpartition(".")
    return rename.get(layer, layer) + dot + part


def _content(path: Path) -> Any:
    if path.suffix.lower() == SAFETENSORS:
        return load(path.read_bytes())
    if not _is_torch(path):
        return {
            f"{name.replace('/', '.')}.{_BLOBS.get(place, f'blob{place}')}": torch.from_numpy(blob)
            for name, blobs in read_caffemodel(path).items()
            for place, blob in enumerate(blobs)
        }
    # Only the zip format can be mapped; torchvision's older files are bare pickles.
    return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))


def _is_torch(path: Path) -> bool:
    if path.suffix.lower() in TORCH_FILES:
        return True
    with path.open("rb") as file:
        return file.read(4).startswith((b"PK\x03\x04", b"\x80"))  # a zip file or a pickle, under any name


def _few(names: Collection[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join([*names][:3]) + more
