"""The mean image of a Caffe net: ``imagenet_mean.binaryproto``, or the same as ``.npy``."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.types import FloatArray, InputFormat, MeanImage
from benchmark.models.weights.caffemodel import read_blob
from benchmark.models.weights.files import digest, find

_OPTION = "model.input.mean_image"


def with_mean_image(form: InputFormat, folder: str | None) -> InputFormat:
    """An input format with its mean image read, where its yaml names one.

    Args:
        form: As the yaml has it.
        folder: Where a file without a folder is looked for, the option ``weights_dir``.

    Raises:
        UserError: If the file is not there, is damaged, or holds no mean image.
    """
    if not isinstance(form.mean_image, str):
        return form
    try:
        path = find(form.mean_image, folder)
    except UserError as error:
        told = str(error).replace("weights file", "mean image").replace("model.weights=", f"{_OPTION}=")
        raise UserError(told) from None
    return replace(form, mean_image=MeanImage(path.name, digest(path, "sha256"), read(path, form.size)))


def read(path: Path, size: int) -> FloatArray:
    """The mean image ``[C, C, 3]`` RGB of a file that holds ``[3, C, C]`` or ``[1, 3, C, C]`` in Caffe's BGR.

    Args:
        path: ``.npy``, or else a binary ``BlobProto``.
        size: Of the input that it is to be cut to.

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
    if not (image.min() >= 0 and image.max() <= 255):  # so written that NaN is refused
        raise UserError(f"{path}: values outside 0…255, so no mean image; name another, or {_OPTION}=null")
    return image


def _npy(path: Path) -> FloatArray:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        told = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as .npy ({told}); get the file again") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise UserError(f"{path}: holds no array of numbers; name another, or {_OPTION}=null")
    return np.asarray(array, np.float32)
