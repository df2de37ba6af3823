"""The mean image of a Caffe net, from ``imagenet_mean.binaryproto`` or the same as ``.npy``."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.types import FloatArray, InputFormat, MeanImage
from benchmark.models.weights.caffemodel import read_blob
from benchmark.models.weights.files import digest, find

_OPTION = "model.input.mean_image"


def with_mean_image(form: InputFormat, folder: str | None) -> InputFormat:
    """Return an input format with its mean image read, if its yaml names one.

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
        text = str(error).replace("weights file", "mean image").replace("model.weights=", f"{_OPTION}=")
        raise UserError(text) from None
    return replace(form, mean_image=MeanImage(path.name, digest(path, "sha256"), read(path, form.size)))


def read(path: Path, size: int) -> FloatArray:
    """Read a mean image as ``[C, C, 3]`` RGB from Caffe's ``[3, C, C]`` or ``[1, 3, C, C]`` in BGR.

    Args:
        path: A ``.npy`` file, or else a binary ``BlobProto``.
        size: Side of the network's input, to which the image will be cut.

    Raises:
        UserError: If the file holds no such array of finite values in 0…255.
    """
    blob = _npy(path) if path.suffix.lower() == ".npy" else read_blob(path)
    shape = blob.shape[1:] if blob.ndim == 4 and len(blob) == 1 else blob.shape
    if len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2] or shape[1] < size:
        raise UserError(
            f"{path}: a mean image is [3, C, C] with C of at least {size}, this is {list(blob.shape)}; "
            f"name another, or {_OPTION}=null"
        )
    image = np.ascontiguousarray(blob.reshape(shape).astype(np.float32)[::-1].transpose(1, 2, 0))
    if not (image.min() >= 0 and image.max() <= 255):  # a comparison with NaN is false: NaN is refused
        raise UserError(f"{path}: values outside 0…255, so no mean image; name another, or {_OPTION}=null")
    return image


def _npy(path: Path) -> FloatArray:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as .npy ({reason}); get the file again") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise UserError(f"{path}: holds no array of numbers; name another, or {_OPTION}=null")
    return np.asarray(array, np.float32)
