"""The classes that the network predicts."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count
from benchmark.core.types import IntArray, Sample


@dataclass(frozen=True)
class Predicted(Checked, group="classes"):
    """The network's best outputs, whatever the image holds.

    An output that is not one of the dataset's classes is among them too, and gives no pair.

    Attributes:
        count: Number of outputs, the best first.
    """

    name: str = "predicted"
    version = 1
    count: Count = 1

    def __call__(self, samples: Sequence[Sample], outputs: IntArray, logits: Tensor) -> Tensor:
        """Return outputs ``[N, count]``.

        Raises:
            UserError: If the network has fewer outputs.
        """
        if self.count > logits.shape[1]:
            raise UserError(f"classes.count={self.count}: the model has only {logits.shape[1]} outputs")
        return logits.topk(self.count, dim=1).indices
