"""Whether a target is its question's answer, and what a model says that does not see the image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.core.options import Checked
from benchmark.core.targets import QuestionOnly
from benchmark.core.types import FloatArray, Model
from benchmark.tasks.pairs.types import Asked, Pair


@dataclass(frozen=True)
class AnswersReading(Checked, group="reading.answers"):
    """What the answers' accuracy needs beside the rank, which every pair has.

    ==========  =======  ==============================================================================
    column      type     meaning
    ==========  =======  ==============================================================================
    answer      bool     whether the target is the answer that the dataset gives
    blind_rank  float32  its place among the scores of the question-only model, 0 the best; NaN of a
                         model that has none
    ==========  =======  ==============================================================================
    """

    name = "answers"
    version = 1

    def check(self, model: Model) -> None:
        """Accept every model."""

    @torch.no_grad()
    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return the ranks ``[N, K]``; of equal scores the first output is the better."""
        if not isinstance(asked.model.module, QuestionOnly):
            return {"blind_rank": torch.full(asked.classes.shape, torch.nan, device=asked.classes.device)}
        scores = asked.model.module.without_image()
        order = scores.argsort(dim=1, descending=True, stable=True)
        return {"blind_rank": order.argsort(dim=1).gather(1, asked.classes).float()}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the columns above."""
        return {"answer": np.bool_(pair.label == pair.sample.label), **values}
