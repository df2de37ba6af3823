"""A map as the picture that people are shown, in the colours of its gradient where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.attribution.common.relu_rules import RectifiedGradient, input_gradients
from benchmark.core.errors import UserError
from benchmark.core.options import Checked
from benchmark.core.types import FloatArray, Model
from benchmark.tasks.pairs.recorder import Coloured
from benchmark.tasks.pairs.types import Asked, Pair

_LEVELS = 255


@dataclass(frozen=True)
class MapPicture(Checked, group="reading.picture"):
    """A map of the input's size in RGB, as the paper's authors show it.

    ===========  ==================  ================================================================
    column       type                meaning
    ===========  ==================  ================================================================
    picture      uint8 S x S x 3     ``255 (v - min) / (max - min)`` over pixels and channels alike; mid-grey
                                     where the map has one value. Pixels of the network's input, RGB
    ===========  ==================  ================================================================

    Guided backprop, deconvnet and their products with Grad-CAM give the signed gradient of each channel; the
    authors scale it from its least to its greatest value (ramprs/grad-cam, ``image.toDisplayTensor``).
    Other methods give three equal channels.
    """

    name = "picture"
    version = 1

    def check(self, model: Model) -> None:
        """Accept every model."""

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Make pictures ``[N, K, 3, S, S]`` uint8 on the device."""
        signals = _signals(asked).float()
        flat = signals.flatten(2)
        low, high = flat.amin(2), flat.amax(2)
        span = (high - low)[..., None, None, None]
        scaled = (signals - low[..., None, None, None]) / torch.where(span > 0, span, 1)
        scaled = torch.where(span > 0, scaled, 0.5)
        finite = torch.isfinite(flat).all(2)
        return {"picture": (scaled * _LEVELS).round().to(torch.uint8), "finite": finite}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the column above.

        Raises:
            UserError: If the map holds NaN or infinity.
        """
        if not values["finite"]:
            raise UserError("NaN or infinity in the map; use run.precision=float32, check the weights")
        return {"picture": np.ascontiguousarray(values["picture"].transpose(1, 2, 0))}


def _signals(asked: Asked) -> Tensor:
    """Return signed colours ``[N, K, 3, S, S]``, RGB."""
    method = asked.method
    if isinstance(method, RectifiedGradient):
        signals = input_gradients(asked.model, asked.forward, asked.classes, type(method).rule)
    elif isinstance(method, Coloured):
        signals = method.products(asked.model, asked.forward, asked.classes)
    else:
        side = asked.forward.inputs.shape[-1]
        full = torch.nn.functional.interpolate(
            asked.maps.float(), (side, side), mode="bilinear", align_corners=True
        )
        return full[:, :, None].expand(-1, -1, 3, -1, -1)
    stacked = torch.stack([signal.detach() for signal in signals], 1)
    return stacked.flip(2) if asked.model.input.order == "bgr" else stacked
