"""Any classifier of the package timm by its name, with weights from a local file (extra ``timm``)."""

import difflib
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, Model
from benchmark.models.assembly import ModelSpec, assemble, assemble_from, completed, tell
from benchmark.models.weights.files import find
from benchmark.models.weights.parameters import built, randomize


def load(
    name: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    input: InputFormat | Mapping[str, Any],
    **options: Any,
) -> Model:
    """Build a classifier of timm and load its parameters; nothing is ever downloaded.

    Args:
        name: A name of ``timm.list_models()`` or ``timm.list_pretrained()``, such as ``resnet50.a1_in1k``.
        arguments: Arguments of ``timm.create_model``.
        input: Format of the network's input; options that are ``None`` are those of timm's data config.
        options: The other fields of :class:`benchmark.models.assembly.ModelSpec`. The file of ``weights`` is
            looked for in ``weights_dir``; if it is named as the model, also in the cache of Hugging Face's
            hub, where timm itself puts it.

    Raises:
        UserError: If timm is not installed or has no such model, the size does not suit its patches, or the
            weights are missing, of another net, or damaged.
    """
    timm = _package()
    known = [*timm.list_models(), *timm.list_pretrained()]
    if name not in known:
        near = ", ".join(difflib.get_close_matches(str(name), known, n=3)) or "resnet50.a1_in1k"
        raise UserError(f"model.name={name}: timm {timm.__version__} has no such model; nearest: {near}")
    published = timm.models.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    config = timm.data.resolve_data_config({}, pretrained_cfg=published.to_dict())
    form = completed(input, size=config["input_size"][1], mean=config["mean"], std=config["std"])
    spec = ModelSpec(name=name, input=form, **options)
    fixed = published.fixed_input_size and form.size != config["input_size"][1]
    made = {**({"img_size": form.size} if fixed else {}), **(arguments or {})}
    module = built(partial(timm.create_model, name, pretrained=False, **made))
    _refuse_part_of_a_patch(module, spec)
    tell(f"{name}: {_evaluated(config)}")
    if spec.random:
        model = assemble(module, spec, randomize(module, spec.note, build=lambda: module))
    else:
        path = _locate(spec, published.hf_hub_id)
        model = assemble_from(module, spec, path, spec.checksums or (), "+model.arguments.num_classes")
    return model if model.classes else replace(model, classes=_classes(timm, module))


def _package() -> Any:
    try:
        return import_module("timm")
    except ImportError as error:
        raise UserError(
            f"model=timm: the package timm is not installed; bring it with: {sys.executable} -m pip install "
            "--editable '.[timm]'"
        ) from error


def _refuse_part_of_a_patch(module: nn.Module, spec: ModelSpec) -> None:
    """Refuse a size at which a transformer would leave out the last rows and columns without a word."""
    patch = getattr(getattr(module, "patch_embed", None), "patch_size", None)
    sides = patch if isinstance(patch, tuple) else (patch,)
    if any(isinstance(side, int) and spec.input.size % side for side in sides):
        raise UserError(
            f"model.input.size={spec.input.size}: must be a multiple of {max(sides)}, the side of a patch of "
            f"{spec.name}"
        )


def _evaluated(config: Mapping[str, Any]) -> str:
    """Say by which transform timm evaluates a model; a run warps images unless told otherwise."""
    if config["crop_mode"] == "border":
        return "timm evaluates it with borders around the images, which no transform here adds"
    return (
        f"timm evaluates it with transform=resize_crop transform.crop_pct={config['crop_pct']} "
        f"transform.mode={config['crop_mode']} transform.interpolation={config['interpolation']}"
    )


def _locate(spec: ModelSpec, hub: str | None) -> Path:
    try:
        return find(spec.weights, spec.weights_dir)
    except UserError as error:
        if spec.weights != f"{spec.name}.safetensors" or not hub:
            raise
        cached = import_module("huggingface_hub").try_to_load_from_cache(hub, "model.safetensors")
        if isinstance(cached, str):
            return Path(cached)
        place = f"https://huggingface.co/{hub}/resolve/main/model.safetensors is timm's file of it"
        raise UserError(f"{error}; {place}; model.weights=random needs none") from None


def _classes(timm: Any, module: nn.Module) -> tuple[str, ...] | None:
    """Return WNIDs of ImageNet's larger sets, by the number of outputs; its 1,000 are the datasets' own."""
    subset = timm.data.infer_imagenet_subset(module)
    if subset in (None, "imagenet-1k"):
        return None
    return tuple(timm.data.ImageNetInfo(subset).label_names())
