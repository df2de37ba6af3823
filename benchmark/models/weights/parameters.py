"""Parameters of a module: from a file of torch, safetensors or Caffe, or at random."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import Weights
from benchmark.models.weights.caffemodel import fits
from benchmark.models.weights.checkpoints import parameters_in
from benchmark.models.weights.formats import read_content


def empty(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a module with allocated but uninitialised parameters; initialising VGG-16's takes seconds."""
    try:
        with torch.device("meta"):
            module = build()
    except NotImplementedError:  # it computes with values of tensors, as torchvision's RegNet
        return built(build)
    return module.to_empty(device="cpu")


def built(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """Build a module with its own initial parameters, drawn from a seed; torch's generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


@torch.no_grad()
def randomize(
    module: nn.Module, note: str = "", seed: int = 0, build: Callable[[], nn.Module] | None = None
) -> Weights:
    """Set every parameter at random, so that a model can be built without a file.

    Weights are drawn after He et al. (2015), eq. 10, which keeps the scale of activations from layer to
    layer; biases are 0 and batch norm does nothing. Such a network's predictions mean nothing.

    Args:
        module: The module, changed in place.
        note: A remark kept in the provenance.
        seed: Seed of the draws; the state of torch's own generator is restored afterwards.
        build: Builds the module anew with its own initial parameters, which those keep that this function
            cannot set, such as position embeddings.

    Returns:
        Provenance with the sha256 of the parameters themselves.

    Raises:
        UserError: If a layer has parameters that this function cannot set.
    """
    rest = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, layer in module.named_modules():
            if not _randomized(layer):
                rest.append(name)
    if rest and build is None:
        layer = module.get_submodule(rest[0])
        raise UserError(
            f"model.weights=random: cannot set layer {rest[0]} ({type(layer).__name__}); give a file"
        )
    own = built(build, seed) if rest and build is not None else module
    for name in rest:
        theirs = own.get_submodule(name)
        for key, value in (*theirs.named_parameters(recurse=False), *theirs.named_buffers(recurse=False)):
            getattr(module.get_submodule(name), key).copy_(value)
    return Weights(f"random (seed {seed})", parameter_digest(module), note)


def _randomized(layer: nn.Module) -> bool:
    """Set a layer's own parameters, if it has any; return whether that was possible."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif callable(reset := getattr(layer, "reset_parameters", None)):
        reset()
    else:
        return not [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]
    return True


def parameter_digest(module: nn.Module) -> str:
    """Return the sha256 over names, types, shapes and values of parameters and buffers, in sorted order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.no_grad()
def load_file(
    module: nn.Module,
    path: Path,
    ignore: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    entry: str | None = None,
    classes: str = "model.outputs",
) -> str:
    """Fill a module from a file of parameters.

    Args:
        module: Changed in place; every parameter and buffer gets a value, in the module's own precision.
        path: A file as for :func:`benchmark.models.weights.formats.read_content`. Shapes may have leading
            ones, as Caffe's older formats store a bias as ``1 x 1 x 1 x n``; a linear layer may be stored as
            a convolution over its whole input.
        ignore: Keys that begin so, with Caffe's slashes or with dots, need no counterpart in the module.
        rename: Names of layers in the file, each with its new name; every other layer keeps its own.
        entry: See :func:`benchmark.models.weights.checkpoints.parameters_in`.
        classes: The option that sets the number of classes.

    Returns:
        What was unwrapped, as that function says it.

    Raises:
        UserError: If the file cannot be read, has no state dict, does not fit, or holds NaN or infinity.
    """
    ignored = tuple(start.replace("/", ".") for start in ignore)
    own = module.state_dict()
    given, told = parameters_in(path, read_content(path), own, rename or {}, entry)
    state = {key: _fitted(value, own.get(key)) for key, value in given.items() if not key.startswith(ignored)}
    shapes = {
        key: (list(value.shape), list(own[key].shape))
        for key, value in state.items()
        if key in own and value.shape != own[key].shape
    }
    fitting = {key: value for key, value in state.items() if key not in shapes}
    missing, unexpected = module.load_state_dict(fitting, strict=False)
    missing = [key for key in missing if key not in shapes]
    if missing or unexpected or shapes:
        raise UserError(_misfit(path, missing, unexpected, shapes, classes))
    for key, value in module.state_dict().items():
        if not value.isfinite().all():
            raise UserError(f"{path}: {key} holds NaN or infinity; get weights with every layer in them")
    return told


def _misfit(
    path: Path,
    missing: Collection[str],
    unexpected: Sequence[str],
    shapes: Mapping[str, tuple[list[int], list[int]]],
    classes: str,
) -> str:
    """Say how a file does not fit a model, and what would make it fit."""
    other = [f"{key} {given} for {wanted}" for key, (given, wanted) in shapes.items()]
    parts = [f"without {_few(missing)}"] * bool(missing) + [f"with {_few(unexpected)}"] * bool(unexpected)
    parts += [f"in other shapes than the model's: {_few(other)}"] * bool(other)
    text = f"{path}: does not fit the model: {' and '.join(parts)}"
    counts = {(given[0], wanted[0]) for given, wanted in shapes.values() if given[1:] == wanted[1:]}
    if len(counts) == 1 and len(shapes) <= 2 and not missing and not unexpected:
        ((given, wanted),) = counts
        named = f"with their identifiers in model.classes=FILE: {classes}={given}"
        return f"{text}; it has {given} classes and the model {wanted}, which this changes, {named}"
    only_more = bool(unexpected) and not missing and not shapes
    beyond = f", or accept what it has beyond it, model.ignore=[{unexpected[0]},…]" if only_more else ""
    return f"{text}; {_REMEDY}{beyond}"


@torch.no_grad()
def load_matching(
    module: nn.Module, path: Path, rename: Mapping[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """Copy every layer that a file has under the same name and in the same shape; leave the others alone.

    So VGG16-CAM begins from VGG-16, and GoogLeNet-CAM from GoogLeNet, when they are trained. A layer is
    copied as a whole or not at all, in the module's own precision.

    Args:
        module: Changed in place.
        path: A file of parameters, as for :func:`load_file`.
        rename: Names of layers in the file, each with the module's name for it.

    Returns:
        Names of the layers copied, and of the layers left as they were, both in the module's order.

    Raises:
        UserError: If the file is missing or damaged, a copied layer holds NaN or infinity, or no layer
            matches.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; give the weights to start from")
    given, _ = parameters_in(path, read_content(path), module.state_dict(), rename or {})
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


def _fitted(value: Tensor, like: Tensor | None) -> Tensor:
    """Reshape a value that has leading ones, or is a linear layer stored as a convolution over its input."""
    if like is None or value.shape == like.shape:
        return value
    folded = value.ndim > 2 and like.ndim == 2 and value.shape[0] == like.shape[0]
    same = fits(value.shape, like.shape) or (folded and value.numel() == like.numel())
    return value.reshape(like.shape) if same else value


def _few(names: Collection[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join([*names][:3]) + more
