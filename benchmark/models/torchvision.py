"""Any classifier of torchvision; adding one takes a yaml alone."""

import difflib
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torchvision import models

from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.assembly import ModelSpec, assemble, assemble_from
from benchmark.models.weights.download import download
from benchmark.models.weights.files import fetching, find, is_file
from benchmark.models.weights.parameters import empty, randomize


def load(architecture: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> Model:
    """Build a classifier and load its parameters.

    Args:
        architecture: Name of a builder in ``torchvision.models``, such as ``vgg16``.
        arguments: Arguments of torchvision's builder, other than ``weights``.
        options: The fields of :class:`benchmark.models.assembly.ModelSpec`. ``weights`` may also be the name
            of one of torchvision's own, such as ``IMAGENET1K_V1``, which is looked for in ``weights_dir`` and
            in torch hub's folder, then downloaded to the latter. With ``checksums: null`` a file that has one
            of torchvision's names must have the hash in that name.

    Raises:
        UserError: If there is no such architecture, or its weights are missing, of another net, or damaged.
    """
    spec = ModelSpec(**options)
    build = _builder(architecture)
    module = empty(lambda: build(weights=None, **(arguments or {})))
    if spec.random:
        return assemble(module, spec, randomize(module, spec.note))
    urls = {
        name: str(entry.url) for name, entry in models.get_model_weights(architecture).__members__.items()
    }
    path = _locate(spec, architecture, urls)
    known = {Path(url).name: _checksums(url) for url in urls.values()}
    checksums = known.get(path.name, ()) if spec.checksums is None else spec.checksums
    return assemble_from(module, spec, path, checksums, "+model.arguments.num_classes")


def _builder(architecture: str) -> Any:
    known = models.list_models(module=models)
    if architecture not in known:
        near = ", ".join(difflib.get_close_matches(architecture, known, n=3)) or ", ".join(known[:3])
        raise UserError(
            f"model.architecture={architecture}: torchvision has no such classifier; nearest: {near}"
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
