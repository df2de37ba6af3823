"""The answer that the dataset gives to an image's question."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from benchmark.core.options import Checked
from benchmark.core.types import IntArray, Sample
from benchmark.tasks.pairs.outputs import outputs_of


@dataclass(frozen=True)
class AnswerPolicy(Checked, group="classes"):
    """The label of each sample: of a question its answer, whether anything in the image is marked or not."""

    name: str = "answer"
    version = 1

    def __call__(self, samples: Sequence[Sample], outputs: IntArray, logits: Tensor) -> Tensor:
        """Return outputs ``[N, 1]``."""
        return outputs_of([[sample.label] for sample in samples], outputs, logits.device)
