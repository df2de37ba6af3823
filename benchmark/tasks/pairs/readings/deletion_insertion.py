"""Areas under deletion and insertion curves: whether a heatmap ranks the pixels as its network does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.heatmaps import refuse_nan
from benchmark.core.types import FloatArray, Model
from benchmark.tasks.pairs.readings.common.deletion_curves import CurveOptions, auc, curves
from benchmark.tasks.pairs.types import Asked, Pair


@dataclass(frozen=True)
class DeletionInsertionAreas(CurveOptions):
    """The float32 columns ``deletion``, an area of which less is better, and ``insertion``, of which more is.

    It takes ``2 (steps + 1)`` forward passes a pair of image and class
    (:mod:`benchmark.tasks.pairs.readings.common.deletion_curves`, which has the options).

    Attributes:
        name: The reading's key in ``conf/reading``.
        version: Raised whenever a change of the code can change a value.
    """

    name: str = field(default="deletion_insertion", init=False)
    version: int = field(default=1, init=False)

    def check(self, model: Model) -> None:
        """Refuse options that this network's input does not allow.

        Raises:
            UserError: If there are more steps than pixels, or a fill does not suit the input.
        """
        self.refuse(model.input)

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return both areas ``[N, K]``; NaN if the map is not finite.

        Raises:
            UserError: If the transform shows each image several times, so that no single input is the image.
        """
        inputs = asked.forward.inputs.detach()
        if len(inputs) != len(asked.maps):
            raise UserError("reading=deletion_insertion: needs a transform that shows an image once")
        made = auc(curves(asked.model, inputs, asked.maps, asked.classes, self)).float()
        finite = asked.maps.detach().isfinite().flatten(2).all(2)
        deletion, insertion = made.where(finite, torch.full_like(made, torch.nan))
        return {"deletion": deletion, "insertion": insertion}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the same, on the host.

        Raises:
            UserError: If the map held NaN or infinity.
        """
        refuse_nan(np.array([values["deletion"], values["insertion"]], np.float32))
        return dict(values)
