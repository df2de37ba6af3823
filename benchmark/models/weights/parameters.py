"""Parameters of a module, from a torch or safetensors file or at random."""

import hashlib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import Weights

SAFETENSORS = ".safetensors"
TORCH_FILES = (".pth", ".pt", ".tar", SAFETENSORS)
"""Endings of the files that :func:`load_file` reads."""


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
    """Fill a module from a file of ``torch.save`` or ``.safetensors``.

    Args:
        module: Changed in place; every parameter and buffer gets a value, in the module's own precision.
        path: A file with a state dict, bare or under ``state_dict``, with or without ``module.`` before its
            keys. A linear layer may be stored as a convolution over its whole input.
        ignore: Keys that begin so need no counterpart in the module.
        rename: See :func:`read_state`.

    Raises:
        UserError: If the file cannot be read, has no state dict, does not fit, or holds NaN or infinity.
    """
    found = read_state(path, rename)
    state = {key: value for key, value in found.items() if not key.startswith(tuple(ignore))}
    own = module.state_dict()
    state = {key: _flat(value, own[key]) if key in own else value for key, value in state.items()}
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
        raise UserError(f"{path}: does not fit the model: {' and '.join(parts)}; {_REMEDY}")
    for key, value in module.state_dict().items():
        if not value.isfinite().all():
            raise UserError(f"{path}: {key} holds NaN or infinity; get weights with every layer in them")


_REMEDY = "give the file of this architecture, or the architecture of this file (model=…)"


def read_state(path: Path, rename: Mapping[str, str] | None = None) -> Mapping[str, Tensor]:
    """Read the state dict in a file of ``torch.save`` or ``.safetensors``, without what wraps it.

    Args:
        path: The file.
        rename: Names of layers in the file, each with its new name; every other layer keeps its own.

    Raises:
        UserError: If the file cannot be read, holds something else, or two layers get the same name.
    """
    try:
        content = _content(path)
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


def _flat(value: Tensor, like: Tensor) -> Tensor:
    """Flatten a linear layer that the file stores as a convolution over all of its input."""
    folded = value.ndim > 2 and like.ndim == 2 and value.shape[0] == like.shape[0]
    return value.flatten(1) if folded and value.numel() == like.numel() else value


def _renamed(key: str, rename: Mapping[str, str]) -> str:
    layer, dot, part = key.rpartition(".")
    return rename.get(layer, layer) + dot + part


def _content(path: Path) -> Any:
    if path.suffix.lower() == SAFETENSORS:
        return load(path.read_bytes())
    # Only the zip format can be mapped; torchvision's older files are bare pickles.
    return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
