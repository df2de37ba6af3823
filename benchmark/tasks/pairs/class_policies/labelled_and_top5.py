"""The classes that an image holds and those that the network predicts."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.core.masks import labelled
from benchmark.core.options import Checked
from benchmark.core.types import IntArray, Sample
from benchmark.tasks.pairs.outputs import outputs_of

_BEST = 5


@dataclass(frozen=True)
class LabelledAndTop5(Checked, group="classes"):
    """Each class that the image holds, also those of difficult objects alone, and the network's five best.

    The pointing game with recall needs them (paper §4.3), since the map of a predicted class that the image
    does not hold ought to be rejected. Of a network with fewer than five outputs all are taken.
    """

    name: str = "labelled_and_top5"
    version = 1

    def __call__(self, samples: Sequence[Sample], outputs: IntArray, logits: Tensor) -> Tensor:
        """Return outputs ``[N, K + 5]``: those of the image's classes, padded with -1, then the five best."""
        own = outputs_of([labelled(s, difficult=True) for s in samples], outputs, logits.device)
        best = logits.topk(min(_BEST, logits.shape[1]), dim=1).indices
        return torch.cat([own, best], dim=1)
