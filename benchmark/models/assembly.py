"""From a module with parameters to a frozen, checked model: the part that all families share."""

import difflib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from benchmark.core.errors import UserError
from benchmark.core.text_lists import read_class_list
from benchmark.core.types import FloatArray, InputFormat, MeanImage, Model, Weights
from benchmark.models.forward import no_input
from benchmark.models.layouts import noise
from benchmark.models.roles import find_roles
from benchmark.models.weights.caffemodel import read_blob
from benchmark.models.weights.files import digest, find, verified
from benchmark.models.weights.parameters import load_file

RANDOM = "random"
_IMAGE = "model.input.mean_image"


@dataclass(frozen=True)
class ModelSpec:
    """The options that every yaml in ``conf/model`` has.

    Attributes:
        name: The model's key.
        input: Format of the network's input.
        layers: Dotted module name of each layer role; of a role that is ``None`` the layer is found by a
            probe (:func:`benchmark.models.roles.find_roles`), and told.
        weights: A file (see :func:`benchmark.models.weights.files.find`), a name that the family knows, or
            ``random``.
        weights_dir: Folder in which files without a folder are looked for.
        checksums: The file must have one of them; an empty list accepts any file, ``None`` leaves the choice
            to the family.
        ignore: Beginnings of the names that the file may hold beyond the model's.
        rename: Names of layers in the file, each with the model's name for it.
        entry: A key such as ``model_ema``, where several parts of the file hold the model's parameters.
        classes: A list of the identifiers of the outputs in their order, as
            :func:`benchmark.core.text_lists.read_class_list` reads it; ``None`` for the dataset's own order,
            for ILSVRC the 1,000 sorted WNIDs.
        note: A remark on the weights, shown beside every number.

    Raises:
        UserError: If an option is out of its range.
    """

    name: str
    input: InputFormat
    layers: Mapping[str, str | None]
    weights: str
    weights_dir: str | None = None
    checksums: Sequence[str] | None = None
    ignore: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    entry: str | None = None
    classes: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.weights, str) or not self.weights:
            raise UserError(
                f"model.weights={self.weights}: give a file, a name that the family knows, or random"
            )
        for option in ("checksums", "ignore"):  # a string would be read as a list of letters
            if isinstance(getattr(self, option), str):
                raise UserError(f"model.{option}={getattr(self, option)}: give a list, as model.{option}=[…]")
        form = self.input
        if form.order not in ("rgb", "bgr"):
            raise UserError(f"model.input.order={form.order}: choose rgb or bgr")
        if (
            type(form.size) is not int
            or form.size < 1
            or len(form.mean) != 3
            or len(form.std) != 3
            or 0 in form.std
        ):
            raise UserError(f"model.input of {self.name}: size >= 1, three means, three stds other than 0")

    @property
    def random(self) -> bool:
        """Return whether the parameters are to be random."""
        return self.weights == RANDOM


def assemble_from(
    module: nn.Module, spec: ModelSpec, path: Path, checksums: Sequence[str], classes: str
) -> Model:
    """Verify a file, fill a module with its parameters, say what had to be unwrapped, and freeze the module.

    Args:
        module: Changed in place.
        spec: The options of its yaml.
        path: An existing file of parameters.
        checksums: As for :func:`benchmark.models.weights.files.verified`.
        classes: The option that sets the number of classes.

    Raises:
        UserError: If the file has another checksum, is damaged, or does not fit; and as :func:`assemble`.
    """
    weights = verified(path, checksums, spec.note)
    read = load_file(module, path, spec.ignore, spec.rename, spec.entry, classes)
    if read:
        tell(f"{path.name}: {read}")
    return assemble(module, spec, replace(weights, read=read))


@cache
def tell(line: str) -> None:
    """Print a line on stderr, once in a process."""
    print(line, file=sys.stderr)


def assemble(module: nn.Module, spec: ModelSpec, weights: Weights) -> Model:
    """Freeze a module: set evaluation mode, and switch off parameter gradients and in-place operations.

    Args:
        module: The module with its parameters set; changed in place.
        spec: The options of its yaml.
        weights: The origin of the parameters.

    Raises:
        UserError: If a layer role names no layer, the classes do not fit the classifier, or the mean image
            cannot be read.
    """
    module.eval().requires_grad_(False)
    for part in module.modules():
        if getattr(part, "inplace", False) is True:
            part.inplace = False  # type: ignore[assignment]
    named = {role: layer for role, layer in spec.layers.items() if layer is not None}
    for role, layer in named.items():
        _require_layer(module, spec.name, role, layer)
    form = replace(spec.input, mean=_three(spec.input.mean), std=_three(spec.input.std))
    form = with_mean_image(form, spec.weights_dir)
    model = Model(spec.name, module, form, named, weights)
    if len(named) < len(spec.layers):
        model = replace(model, layers=_found_roles(model, spec))
    return replace(model, classes=_read_classes(module, replace(spec, layers=model.layers)))


def _found_roles(model: Model, spec: ModelSpec) -> Mapping[str, str]:
    """Return all roles that are named or found, and tell the latter."""
    size, found = spec.input.size, dict[str, str]()
    named = model.layers.get("last_conv")
    try:
        with suppress(UserError) if named else nullcontext():
            found |= find_roles(model.module, noise(model, 1, size))
    except (RuntimeError, AssertionError) as error:
        raise no_input(spec.name, size, error) from error
    found |= {"excitation": named} if named else {}
    own = {role: found[role] for role, layer in spec.layers.items() if layer is None and role in found}
    told = ", ".join(f"{role} {layer}" for role, layer in own.items())
    tell(f"{spec.name}: layers found by a probe: {told} (model.layers.ROLE=LAYER names another)")
    return {**model.layers, **own}


def completed(given: InputFormat | Mapping[str, Any], **own: Any) -> InputFormat:
    """Return an input format whose options that are ``None`` are a family's own.

    Args:
        given: What the yaml says: a whole format, or a part of its options.
        own: ``size``, ``mean`` and ``std`` that belong to the weights.
    """
    if isinstance(given, InputFormat):
        return given
    return InputFormat(**{**given, **{key: value for key, value in own.items() if given.get(key) is None}})


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    first, second, third = map(float, values)
    return first, second, third


def _require_layer(module: nn.Module, model: str, role: str, layer: str) -> None:
    names = [name for name, _ in module.named_modules() if name]
    if layer not in names:
        near = ", ".join(difflib.get_close_matches(layer, names, n=3, cutoff=0.4)) or ", ".join(names[:3])
        raise UserError(f"model.layers.{role}={layer}: {model} has no such layer; nearest: {near}")


def _read_classes(module: nn.Module, spec: ModelSpec) -> tuple[str, ...] | None:
    if spec.classes is None:
        return None
    path = Path(spec.classes).expanduser()
    listed = read_class_list(path, "give model.classes= a list of the outputs, one a line (docs/data.md)")
    classes = tuple(each.identifier for each in listed)
    twice = [name for name, count in Counter(classes).items() if count > 1]
    if twice:
        raise UserError(f"model.classes={path}: {twice[0]!r} is there twice; give each output its own name")
    outputs = _outputs(module, spec)
    if outputs not in (None, len(classes)):
        raise UserError(
            f"model.classes={path}: {len(classes)} identifiers for {outputs} outputs of {spec.name}; name "
            "each output once, one a line"
        )
    return classes


def _outputs(module: nn.Module, spec: ModelSpec) -> int | None:
    """Return the number of outputs of the classifier, or ``None`` if the yaml does not name that layer."""
    layer = spec.layers.get("classifier")
    if layer is None:
        return None
    classifier = module.get_submodule(layer)
    return len(classifier.weight) if hasattr(classifier, "weight") else None  # type: ignore[arg-type]


def with_mean_image(form: InputFormat, folder: str | None) -> InputFormat:
    """Return an input format with its mean image read, if its yaml names one.

    That is ``imagenet_mean.binaryproto`` of a Caffe net, or the same as ``.npy``.

    Args:
        form: The input format of the yaml.
        folder: Folder in which a file without a folder is looked for, the option ``weights_dir``.

    Raises:
        UserError: If the file is missing, damaged, or holds no mean image.
    """
    if not isinstance(form.mean_image, str):
        return form
    try:
        path = find(form.mean_image, folder)
    except UserError as error:
        text = str(error).replace("weights file", "mean image").replace("model.weights=", f"{_IMAGE}=")
        raise UserError(text) from None
    return replace(
        form, mean_image=MeanImage(path.name, digest(path, "sha256"), read_mean_image(path, form.size))
    )


def read_mean_image(path: Path, size: int) -> FloatArray:
    """Read a mean image as ``[C, C, 3]`` RGB from Caffe's ``[3, C, C]`` or ``[1, 3, C, C]`` in BGR.

    Args:
        path: A file of ``numpy.save``, or else a binary ``BlobProto``, as its content shows.
        size: Side of the network's input, to which the image will be cut.

    Raises:
        UserError: If the file holds no such array of finite values in 0…255.
    """
    blob = _npy(path) if _starts_as_npy(path) else read_blob(path)
    shape = blob.shape[1:] if blob.ndim == 4 and len(blob) == 1 else blob.shape
    if len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2] or shape[1] < size:
        raise UserError(
            f"{path}: a mean image is [3, C, C] with C of at least {size}, this is {list(blob.shape)}; "
            f"name another, or {_IMAGE}=null"
        )
    image = np.ascontiguousarray(blob.reshape(shape).astype(np.float32)[::-1].transpose(1, 2, 0))
    if not (image.min() >= 0 and image.max() <= 255):  # a comparison with NaN is false: NaN is refused
        raise UserError(f"{path}: values outside 0…255, so no mean image; name another, or {_IMAGE}=null")
    return image


def _starts_as_npy(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(6) == b"\x93NUMPY"
    except OSError:  # the reader says which
        return False


def _npy(path: Path) -> FloatArray:
    try:
        array = np.load(path, allow_pickle=False)
    except Exception as error:  # a wrong byte may lead numpy to raise anything
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"{path}: cannot be read as .npy ({reason}); get the file again") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise UserError(f"{path}: holds no array of numbers; name another, or {_IMAGE}=null")
    return np.asarray(array, np.float32)
