"""Initial parameters for training from another net: VGG16-CAM from VGG-16, GoogLeNet-CAM from GoogLeNet."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.models.weights.caffemodel import fits
from benchmark.models.weights.parameters import few, read_state


@torch.no_grad()
def load_matching(
    module: nn.Module, path: Path, rename: Mapping[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """Copy every layer that a file has under the same name and in the same shape; leave the others alone.

    A layer is copied as a whole or not at all, in the module's own precision.

    Args:
        module: Changed in place.
        path: A file of parameters, as for :func:`benchmark.models.weights.parameters.read_state`.
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
        if same:
            _copy(own, given, path)
    if not copied:
        raise UserError(
            f"{path}: no layer of the same name and shape; the file has {few(given)}, the model {few(left)}"
            "; give the weights of a net that shares layers with this one"
        )
    return copied, left


def _copy(own: Mapping[str, Tensor], given: Mapping[str, Tensor], path: Path) -> None:
    for key, value in own.items():
        if not given[key].isfinite().all():
            raise UserError(f"{path}: {key} holds NaN or infinity; get the file again")
        value.copy_(given[key].reshape(value.shape))
