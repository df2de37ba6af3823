"""How much of a heatmap lies inside the boxes of its target, and how much outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.core.heatmaps import upsample
from benchmark.core.masks import region
from benchmark.core.options import Checked
from benchmark.core.types import FloatArray, Model
from benchmark.tasks.pairs.types import Asked, Pair


@dataclass(frozen=True)
class InOut(Checked, group="reading.in_out"):
    """The map's mean inside and outside the target's objects, as multiples of its mean over what was seen.

    ==========  =======  ==============================================================================
    column      type     meaning
    ==========  =======  ==============================================================================
    inside      float32  mean of the map inside / mean of the map; NaN if nothing of it is inside
    outside     float32  the same outside; NaN if nothing is outside
    ==========  =======  ==============================================================================

    Negative values count as 0. The map is enlarged to the image bilinearly with aligned corners. A map
    without a positive value tells nothing, as a uniform one: both are 1.
    """

    name = "in_out"
    version = 1

    def check(self, model: Model) -> None:
        """Accept every model."""

    @torch.no_grad()
    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return the map itself for :meth:`finish`."""
        return {"map": asked.maps.detach().float()}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the columns above.

        Raises:
            UserError: If the map holds NaN or infinity.
        """
        pixels = upsample(values["map"], pair.view).astype(np.float64)
        seen = np.isfinite(pixels)
        shown = np.maximum(pixels, 0, where=seen, out=np.zeros_like(pixels))
        shown = shown if shown.any() else seen.astype(np.float64)
        own = region(pair.sample, [pair.label], pair.view.height, pair.view.width)
        parts = {"inside": seen & own, "outside": seen & ~own}
        whole = shown[seen].mean()
        return {
            name: np.float32(shown[part].mean() / whole if part.any() else np.nan)
            for name, part in parts.items()
        }
