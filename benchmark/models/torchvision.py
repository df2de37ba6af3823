"""Any classifier of torchvision, by its name or by a yaml of its own."""

import difflib
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torchvision import models

from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, Model
from benchmark.models.assembly import ModelSpec, assemble, assemble_from, completed
from benchmark.models.weights.download import download
from benchmark.models.weights.files import fetching, find, is_file
from benchmark.models.weights.parameters import empty, randomize

_WITH_WEIGHTS = {
    "googlenet": {"transform_input": True, "init_weights": False},
    "inception_v3": {"transform_input": True, "init_weights": False},
}
"""Arguments that torchvision's builders set themselves where they load trained weights."""


def load(
    architecture: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    input: InputFormat | Mapping[str, Any],
    **options: Any,
) -> Model:
    """Build a classifier and load its parameters.

    Args:
        architecture: Name of a builder in ``torchvision.models``, such as ``vgg16``.
        arguments: Arguments of torchvision's builder, other than ``weights``.
        input: Format of the network's input; of options that are ``None``, that of the transforms that
            torchvision has for the weights, or for the architecture's first ones.
        options: The other fields of :class:`benchmark.models.assembly.ModelSpec`. ``weights`` may also be the
            name of one of torchvision's own, such as ``IMAGENET1K_V1``, which is looked for in
            ``weights_dir`` and in torch hub's folder, then downloaded to the latter. With ``checksums: null``
            a file that has one of torchvision's names must have the hash in that name.

    Raises:
        UserError: If there is no such architecture, or its weights are missing, of another net, or damaged.
    """
    build = _builder(architecture)
    known = models.get_model_weights(architecture).__members__
    trained_for = (known.get(str(options.get("weights"))) or next(iter(known.values()))).transforms()
    (side,) = set(trained_for.crop_size)
    form = completed(input, size=side, mean=trained_for.mean, std=trained_for.std)
    spec = ModelSpec(input=form, **options)
    if not isinstance(input, InputFormat):  # of a yaml for every architecture
        own = {"image_size": form.size} if architecture.startswith("vit_") else {}
        arguments = {**own, **_WITH_WEIGHTS.get(architecture, {}), **(arguments or {})}
    make = partial(build, weights=None, **(arguments or {}))
    module = empty(make)
    if spec.random:
        return assemble(module, spec, randomize(module, spec.note, build=make))
    urls = {name: str(entry.url) for name, entry in known.items()}
    path = _locate(spec, architecture, urls)
    by_name = {Path(url).name: _checksums(url) for url in urls.values()}
    checksums = by_name.get(path.name, ()) if spec.checksums is None else spec.checksums
    return assemble_from(module, spec, path, checksums, "+model.arguments.num_classes")


def _builder(architecture: str) -> Any:
    known = models.list_models(module=models)
    if architecture not in known:
        near = ", ".join(difflib.get_close_matches(str(architecture), known, n=3)) or ", ".join(known[:3])
        raise UserError(
            f"model.architecture={architecture}: torchvision has no such classifier (model.name of "
            f"model=torchvision); nearest: {near}"
        )
    return models.get_model_builder(architecture)


def _locate(spec: ModelSpec, architecture: str, urls: Mapping[str, str]) -> Path:
    """Return the path of the weights, downloading them if they are not there."""
    url = urls.get(spec.weights)
    if url is None:
        with suppress(UserError):
            return find(spec.weights, spec.weights_dir)
        if Path(spec.weights).suffix or Path(spec.weights).name != spec.weights:
            return find(spec.weights, spec.weights_dir)
        names = ", ".join([*urls, "random"])
        raise UserError(f"model.weights={spec.weights}: {architecture} has {names}; or give a file")
    name = Path(url).name
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    folders = [Path(spec.weights_dir).expanduser()] if spec.weights_dir is not None else []
    for folder in (*folders, hub):
        if is_file(folder / name):
            return folder / name
    download(url, hub / name, _checksums(url), fetching(spec.name, spec.weights_dir))
    return hub / name


def _checksums(url: str) -> tuple[str, ...]:
    """Return the hash in the name of a torch hub file, such as ``vgg16-397923af.pth``."""
    match = re.search(r"-([0-9a-f]{8,})\.\w+$", url)
    return (f"sha256:{match[1]}",) if match else ()
