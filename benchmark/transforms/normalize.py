"""Normalisation: from resampled pixels to a network's input."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.types import FloatArray, InputFormat

_STEPS = {"rgb": 1, "bgr": -1}

Cut = Callable[[FloatArray, int], FloatArray]
"""Cuts V views out of one picture: from ``[C, C, 3]`` and the input's side S to ``[V, S, S, 3]``."""


def to_input(pixels: FloatArray, form: InputFormat, cut: Cut | None = None) -> Tensor:
    """Return a network's input: ``(scale * pixel - mean) / std`` in its channel order.

    Args:
        pixels: ``[S, S, 3]`` RGB in 0…255, or ``[V, S, S, 3]`` for V views of an image.
        form: The input format that the network expects.
        cut: How a transform of several views cuts them out of the mean image; ``None`` takes its centre.

    Returns:
        ``[3, S, S]`` or ``[V, 3, S, S]`` float32.

    Raises:
        UserError: If the channel order is neither ``rgb`` nor ``bgr``, or the mean image does not fit.
    """
    if form.order not in _STEPS:
        raise UserError(f"model.input.order={form.order}: choose rgb or bgr")
    mean, std = _mean(form, cut), np.asarray(form.std, np.float32)
    values = (pixels[..., :: _STEPS[form.order]] * np.float32(form.scale) - mean) / std
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, -1, -3)))


def pixels_of(inputs: Tensor, form: InputFormat) -> Tensor:
    """Return the pixels that a network's input shows: the inverse of :func:`to_input`.

    Args:
        inputs: ``[N, 3, S, S]``, of one view each.
        form: The input format that they have.

    Returns:
        ``[N, 3, S, S]`` in 0…255, in the network's channel order.
    """
    mean, std = _as_channels(inputs, form)
    return (inputs * std + mean) / form.scale


def input_of(pixels: Tensor, form: InputFormat) -> Tensor:
    """Return the network's input that shows given pixels, both as in :func:`pixels_of`; differentiable."""
    mean, std = _as_channels(pixels, form)
    return (pixels * form.scale - mean) / std


def _as_channels(like: Tensor, form: InputFormat) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation that broadcast against ``[N, 3, S, S]``."""
    mean = torch.from_numpy(np.ascontiguousarray(_mean(form, None))).to(like)
    std = like.new_tensor(form.std).view(3, 1, 1)
    return (mean.view(3, 1, 1) if mean.ndim == 1 else mean.permute(2, 0, 1)), std


def side_by_side(inputs: Tensor) -> tuple[Tensor, int]:
    """Return every view as an image of its own.

    Args:
        inputs: ``[N, 3, S, S]``, or ``[N, V, 3, S, S]`` with V views of each image.

    Returns:
        ``[N * V, 3, S, S]``, an image's views one after the other, and V (1 for the first form).
    """
    return (inputs, 1) if inputs.ndim == 4 else (inputs.flatten(0, 1), inputs.shape[1])


def averaged(probabilities: Tensor, views: int) -> Tensor:
    """Average over the views of an image, ``[N * V, C]`` to ``[N, C]``; return a single view as it is."""
    return probabilities if views == 1 else by_image(probabilities, views).mean(dim=1)


def by_image(values: Tensor, views: int) -> Tensor:
    """Group the views of each image: ``[N * V, …]`` as ``[N, V, …]``."""
    return values.reshape(-1, views, *values.shape[1:])


def _mean(form: InputFormat, cut: Cut | None) -> FloatArray:
    """Return the mean pixel ``[3]``, or mean image ``[S, S, 3]`` or ``[V, S, S, 3]``, in network order."""
    if form.mean_image is None:
        return np.asarray(form.mean, np.float32)
    if isinstance(form.mean_image, str):
        raise TypeError("the mean image is read when a model is assembled, see benchmark.models.assembly")
    image = form.mean_image.pixels
    part = _centre(image, form.size) if cut is None else cut(image, form.size)
    return part[..., :: _STEPS[form.order]] * np.float32(form.scale)


def _centre(image: FloatArray, size: int) -> FloatArray:
    """Cut out the centre as Caffe does in its test phase, leaving an odd pixel at the right and below."""
    if len(image) < size:
        raise UserError(
            f"model.input.mean_image: {len(image)} pixels wide, the input {size}; give the net's own"
        )
    first = (len(image) - size) // 2
    return image[first : first + size, first : first + size]
