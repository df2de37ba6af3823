"""Fill values for the pixels that are taken away from an image, in a network's own normalised units."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat

_LEVELS = {"zero": 0.0, "grey": 127.5}
Fill = Literal["mean", "zero", "grey", "blur"]
"""The fills: ``mean`` is the network's mean pixel (0 once it is subtracted), ``zero`` black, ``grey`` half of
white, ``blur`` the image itself, blurred."""


def refuse_fill(option: str, fill: Fill, form: InputFormat) -> None:
    """Refuse a fill that does not suit the network's input.

    Raises:
        UserError: With the name of ``option`` as a person would type it.
    """
    if fill in _LEVELS and form.mean_image is not None:
        raise UserError(f"{option}={fill}: a net with a mean image has no one value of it; use mean or blur")


def filled(inputs: Tensor, form: InputFormat, fill: Fill, sigma: float, radius: int | None = None) -> Tensor:
    """Return images that show the fill at every pixel.

    Args:
        inputs: ``[N, 3, S, S]``, preprocessed; left as they are.
        form: How they were preprocessed; its ``mean`` and ``std`` are in the network's channel order.
        fill: One of :data:`Fill`.
        sigma: Standard deviation of the blur, pixels of the input.
        radius: Radius of the blur's kernel, pixels; ``None`` is three sigma, rounded up.

    Returns:
        ``[N, 3, S, S]`` on the inputs' device, in their type; an expanded view if the fill is one colour.
    """
    if fill == "blur":
        return blurred(inputs, sigma, math.ceil(3 * sigma) if radius is None else radius)
    colour = inputs.new_zeros((3, 1, 1))
    for channel, (mean, std) in enumerate(zip(form.mean, form.std, strict=True)):
        if fill in _LEVELS:  # fill_ writes on the device: nothing is copied from the host
            colour[channel].fill_((form.scale * _LEVELS[fill] - mean) / std)
    return colour.expand_as(inputs)


def blurred(inputs: Tensor, sigma: float, radius: int) -> Tensor:
    """Blur each channel with a Gaussian kernel, repeating the border's pixels beyond it.

    As the kernel sums to 1, blurring the normalised values equals normalising the blurred image.

    Args:
        inputs: ``[N, C, S, S]``.
        sigma: Standard deviation in pixels, above 0.
        radius: Radius of the kernel, which is ``2 * radius + 1`` pixels wide.

    Returns:
        ``[N, C, S, S]`` in the inputs' type, also under autocast.
    """
    offsets = torch.arange(-radius, radius + 1, device=inputs.device, dtype=inputs.dtype)
    weights = torch.softmax(-(offsets**2) / (2 * sigma**2), 0)
    side, channels = 2 * radius + 1, inputs.shape[1]
    with torch.autocast(inputs.device.type, enabled=False):
        padded = F.pad(inputs, (radius,) * 4, mode="replicate")
        down = F.conv2d(padded, weights.view(1, 1, side, 1).expand(channels, 1, -1, -1), groups=channels)
        return F.conv2d(down, weights.view(1, 1, 1, side).expand(channels, 1, -1, -1), groups=channels)
